"""How long a task type counts as slow."""

from __future__ import annotations

import copy

import pytest
from celtop.model.entities.series.time_series import STEP
from celtop.model.health.finding import Finding
from celtop.model.health.tasks.task_types import type_findings
from celtop.model.observations import ConnectionChanged
from celtop.model.state import ClusterState
from celtop.tests.model.health.hours import with_runs

HOUR = 3_600


def run(state: ClusterState, runtime: float | None, seconds: int) -> list[Finding]:
    """Let a run of this time end in each step, or none; return the findings at the end."""
    subject = state.series.types["images.resize"]
    for _ in range(seconds // STEP):
        now = state.series.end + STEP
        type_ = state.types["images.resize"]
        if runtime is not None:
            type_.runtime.add(runtime)
            type_.succeeded += 1
            type_.last_at = now - 1
        subject.active_at = state.series.newest
        state.tick(now)
    return list(type_findings(state, state.series.end))


@pytest.fixture
def state() -> ClusterState:
    state = with_runs([1.0] * 2)
    state.observe(ConnectionChanged("live", state.series.end))
    assert run(state, 1.0, HOUR) == []
    return state


def test_a_type_that_stays_slow_is_a_finding_for_a_day(state: ClusterState) -> None:
    began_at = state.series.end
    for seconds in (HOUR // 2, HOUR // 2, 2 * HOUR, 20 * HOUR):
        (one,) = run(state, 4.0, seconds)
        assert one.since == pytest.approx(began_at, abs=60)
        assert one.text.endswith("~1.0 s before")
    assert run(state, 4.0, HOUR) == [], "it is usual now"
    (one,) = run(state, 16.0, HOUR // 2)
    assert one.text.endswith("~4.1 s before")


def test_a_type_that_became_slow_soon_after_the_start_stays_a_finding() -> None:
    state = with_runs([1.0] * 2)
    state.observe(ConnectionChanged("live", state.series.end))
    assert run(state, 1.0, 240) == []
    found = [len(run(state, 4.0, STEP)) for _ in range(HOUR // 4 // STEP)]
    assert found[-1] == 1
    assert found == sorted(found), "it came and went"
    assert run(state, 1.0, 300) == []


def test_a_type_that_is_fast_again_is_no_finding(state: ClusterState) -> None:
    assert run(state, 4.0, 2 * HOUR)
    assert run(state, 1.0, 60)
    assert run(state, 1.0, 240) == []
    assert state.types["images.resize"].slowdown is None


def test_a_type_of_which_nothing_runs_stays_slow_for_an_hour(state: ClusterState) -> None:
    assert run(state, 4.0, 2 * HOUR)
    assert run(state, None, HOUR - 60)
    assert run(state, None, 120) == []


def test_a_few_fast_runs_end_the_slowness_of_a_rare_type(state: ClusterState) -> None:
    assert run(state, 4.0, 2 * HOUR)
    for number in range(4):
        found = run(state, None, 300)
        assert bool(found) == (number < 3)
        run(state, 1.0, STEP)


def test_an_earlier_time_has_its_own_slowness(state: ClusterState) -> None:
    (first,) = run(state, 4.0, HOUR // 4)
    earlier = state.series.end
    assert run(state, 1.0, HOUR // 4) == []
    (second,) = run(state, 16.0, HOUR // 6)
    past = copy.copy(state)
    past.series = state.series.until(earlier)
    (then,) = type_findings(past, earlier)
    assert then.since == first.since != second.since
