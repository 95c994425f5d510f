"""What counts as a slow and as a failing task type."""

from __future__ import annotations

import pytest
from celtop.model.health.finding import Finding
from celtop.model.health.tasks.task_types import type_findings
from celtop.model.state import ClusterState
from celtop.tests.model.health.hours import with_runs
from celtop.tests.tui.fake_session import NOW


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
