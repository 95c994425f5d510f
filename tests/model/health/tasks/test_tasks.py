"""What counts as a stuck task."""

from __future__ import annotations

import pytest
from celtop.model.health.finding import Finding
from celtop.model.health.tasks.tasks import task_findings
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch
from celtop.tests.model.health.hours import with_runs
from celtop.tests.tui.fake_session import NOW, feed, task_events

RUNNING = f"{900:08x}-0000-4000-8000-{900:012x}"


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


def test_tasks_that_expired_are_counted_until_there_is_a_pause() -> None:
    state = ClusterState()

    def expire(number: int, at: float) -> None:
        state.observe(
            EventBatch((Event("task-revoked", "w1@h", at, uuid=f"t{number}", expired=True),), at)
        )

    expire(1, NOW - 1_000)
    assert not list(task_findings(state, NOW))
    for number, ago in enumerate((100.0, 60.0), start=2):
        expire(number, NOW - ago)
    (one,) = task_findings(state, NOW)
    assert (one.code, one.severity, one.since) == ("tasks-expired", "warning", NOW - 100.0)
    state.totals.succeeded = 39
    (one,) = task_findings(state, NOW)
    assert one.severity == "info", "2 of 41"
    state.totals.succeeded = 0
    (one,) = task_findings(state, NOW)
    assert one.text == "2 tasks expired before a worker started them, the latest 1 m ago"
