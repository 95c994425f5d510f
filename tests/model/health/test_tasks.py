"""What counts as a stuck task and as a slow task type."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from celtop.model.health.finding import Finding
from celtop.model.health.tasks import task_findings
from celtop.model.observations import ConnectionChanged
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event
from celtop.tests.tui.fake_session import NOW, feed, task_events

RUNNING = f"{900:08x}-0000-4000-8000-{900:012x}"


def with_runs(seconds: Sequence[float]) -> ClusterState:
    """Return a cluster in which a task of these run times ended every five seconds until now."""
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW - len(seconds) * 5 - 20))
    online = Event("worker-online", "celery@web-1", NOW - len(seconds) * 5 - 10, freq=2.0)
    feed(state, [online])
    for number, runtime in enumerate(seconds):
        at = NOW - (len(seconds) - number) * 5
        feed(state, task_events(number, "images.resize", at=at - runtime, runtime=runtime))
        state.series.record(at + 4, connected=True)
    feed(state, [Event("worker-heartbeat", "celery@web-1", NOW, freq=2.0)])
    return state


def found(state: ClusterState) -> list[Finding]:
    return list(task_findings(state, NOW))


def test_a_task_that_runs_far_longer_than_any_before_is_stuck() -> None:
    state = with_runs([2.0] * 12)
    feed(state, task_events(900, "images.resize", at=NOW - 600, end=None))
    (one,) = found(state)
    assert (one.code, one.kind, one.name) == ("task-stuck", "task", RUNNING)
    assert one.text == "images.resize has run for 9 m 59 s; 12 earlier runs took at most 2.0 s"
    assert one.next_step == "Check the log of celery@web-1, or terminate the task"


@pytest.mark.parametrize(
    ("runs", "running_for"),
    [
        ([2.0] * 12, 50.0),  # not for a minute yet
        ([2.0] * 9, 600.0),  # hardly any earlier run
        ([2.0] * 11 + [400.0], 600.0),  # one earlier run was nearly as long
    ],
)
def test_without_clear_evidence_no_task_is_stuck(runs: list[float], running_for: float) -> None:
    state = with_runs(runs)
    feed(state, task_events(900, "images.resize", at=NOW - running_for, end=None))
    assert [one for one in found(state) if one.code == "task-stuck"] == []


def test_a_task_that_reports_progress_is_not_stuck() -> None:
    state = with_runs([2.0] * 12)
    feed(state, task_events(900, "images.resize", at=NOW - 600, end=None))
    progress = Event(
        "task-progress", "celery@web-1", NOW - 5, uuid=RUNNING, fields={"current": 1, "total": 9}
    )
    feed(state, [progress])
    assert found(state) == []


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
