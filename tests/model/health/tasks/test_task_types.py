"""What counts as a slow and as a failing task type."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

import pytest
from celtop.model.entities.series.distribution import Distribution
from celtop.model.entities.series.time_series import STEP
from celtop.model.health.finding import Finding
from celtop.model.health.tasks.task_types import type_findings
from celtop.model.state import ClusterState
from celtop.tests.model.health.hours import with_runs
from celtop.tests.tui.fake_session import NOW
from hypothesis import given, settings
from hypothesis import strategies as st

RUN_TIMES: Final[dict[str, Callable[[Random], float]]] = {
    "alike": lambda random: random.gauss(2.0, 0.2),
    "exponential": lambda random: random.expovariate(0.5),
    "scattered": lambda random: random.lognormvariate(0.0, 1.5),
    "short and long": lambda random: random.choice([1.0, 10.0]),
    "a few long": lambda random: 30.0 if random.random() < 0.1 else 1.0,
}
"""Run times of types in a healthy cluster, each independent of those before."""


def found(state: ClusterState) -> list[Finding]:
    return list(type_findings(state, NOW))


def test_a_type_got_slow_if_its_median_run_time_doubled() -> None:
    state = with_runs([1.0] * 60 + [3.0] * 40)
    (one,) = found(state)
    assert (one.code, one.kind, one.name) == ("type-slow", "type", "images.resize")
    assert one.text == "median run time ~3.1 s for 3 m 25 s, ~1.0 s before"
    assert one.since == pytest.approx(NOW - 200, abs=15)


@pytest.mark.parametrize(
    "runs",
    [
        [1.0] * 100,
        [1.0] * 60 + [1.8] * 40,  # less than twice
        [0.1] * 60 + [0.4] * 40,  # by less than half a second
        [1.0] * 96 + [3.0] * 4,  # a few runs only
        [3.0] * 60 + [1.0] * 40,  # faster
        [1.0] * 20 + [3.0] * 60,  # hardly anything to compare with
        [1.0, 1.0, 3.0] * 33,  # as it always was
    ],
)
def test_other_changes_are_no_slowness(runs: list[float]) -> None:
    assert found(with_runs(runs)) == []


def test_a_type_got_slow_in_a_cluster_that_has_been_watched_for_five_minutes() -> None:
    (one,) = found(with_runs([1.0] * 42 + [4.0] * 20))
    assert one.text == "median run time ~4.1 s for 1 m 45 s, ~1.0 s before"
    assert found(with_runs([1.0] * 30 + [4.0] * 20)) == []  # too little before


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.sampled_from(sorted(RUN_TIMES)),
    st.sampled_from([0.1, 0.4, 1.0, 5.0]),
    st.floats(0.0, 0.2),
    st.integers(0, 2**32),
)
def test_types_of_a_healthy_cluster_are_neither_slow_nor_failing_in_its_first_minutes(
    kind: str, runs_in_a_step: float, failing: float, seed: int
) -> None:
    random = Random(seed)
    state = with_runs([RUN_TIMES[kind](random)])
    type_, series = state.types["images.resize"], state.series.types["images.resize"].series
    for _ in range(144):
        runs = int(runs_in_a_step) + (random.random() < runs_in_a_step % 1)
        times, failed = Distribution(), 0
        for _ in range(runs):
            if random.random() < failing:
                failed += 1
                continue
            seconds = RUN_TIMES[kind](random)
            times.add(seconds)
            type_.runtime.add(seconds)
        rates = {"succeeded": times.count / STEP, "failed": failed / STEP}
        p50, p95 = times.quantile(0.5), times.quantile(0.95)
        state.series._step += 1
        series.record(state.series._step, {**rates, "runtime_p50": p50, "runtime_p95": p95})
        assert list(type_findings(state, state.series.end)) == []


@pytest.mark.parametrize("slow", [5, 20])
def test_a_type_got_slow_if_its_p95_doubled_though_not_its_median(slow: int) -> None:
    state = with_runs([1.0] * 2)
    series = state.series.types["images.resize"].series
    for step in range(100):
        p95 = 9.0 if step >= 100 - slow * 2 else 2.0
        values = {"runtime_p50": 1.0, "runtime_p95": p95, "succeeded": 8.0, "failed": 0.0}
        series.record(state.series.newest + 1 + step, values)
    state.series._step += 100
    texts = [one.text for one in type_findings(state, state.series.end)]
    assert texts == ([] if slow == 5 else ["p95 of run times ~9.0 s for 3 m 20 s, ~2.0 s before"])


def test_a_type_fails_if_a_much_larger_part_of_its_tasks_fails() -> None:
    state = with_runs([1.0] * 150, failed={3, *range(100, 150, 2)})
    (one,) = found(state)
    assert (one.code, one.severity, one.name) == ("type-failing", "warning", "images.resize")
    assert one.text == "42 % of 60 tasks failed in the last 5 m, 1.1 % before"
    assert one.since == pytest.approx(NOW - 250, abs=61)
    (one,) = found(with_runs([1.0] * 150, failed=range(100, 150)))
    assert one.severity == "error"


@pytest.mark.parametrize(
    "failed",
    [
        range(0, 150, 5),  # as ever
        [140, 149],  # two only
        [*range(0, 100, 10), *range(100, 150, 8)],  # by chance
        range(0, 90),  # no longer
        range(150),  # always
    ],
)
def test_other_failures_are_no_jump(failed: range | list[int]) -> None:
    assert found(with_runs([1.0] * 150, failed)) == []


def test_without_earlier_tasks_failures_are_no_jump() -> None:
    assert found(with_runs([1.0] * 70, failed=range(30, 70))) == []
