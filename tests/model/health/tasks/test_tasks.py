"""What counts as a stuck task."""

from __future__ import annotations

import pytest
from celtop.model.entities.fault import Fault
from celtop.model.entities.limits.thresholds import Thresholds
from celtop.model.health.finding import Finding
from celtop.model.health.tasks.tasks import task_findings
from celtop.model.observations import ConnectionChanged, InspectReply
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch
from celtop.tests.model.health.hours import with_runs
from celtop.tests.tui.fake_session import NOW, feed, task_events

REFUSED = Fault("refused", "Connection refused", "Is the broker running?")
RUNNING = f"{900:08x}-0000-4000-8000-{900:012x}"


def found(state: ClusterState) -> list[Finding]:
    return list(task_findings(state, NOW))


def with_running_task(state: ClusterState, seconds: float, listed_at: float = NOW) -> ClusterState:
    """Add a task that has been running for some time, and the worker's reply that lists it."""
    feed(state, task_events(900, "images.resize", at=NOW - seconds, end=None))
    listed = {"id": RUNNING, "name": "images.resize", "time_start": NOW - seconds + 1}
    state.observe(InspectReply("celery@web-1", "active", [listed], listed_at))
    feed(state, [Event("worker-heartbeat", "celery@web-1", NOW, freq=2.0)])
    return state


def test_a_task_that_runs_far_longer_than_any_before_is_stuck() -> None:
    (one,) = found(with_running_task(with_runs([2.0] * 12), 600))
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
    state = with_running_task(with_runs(runs), running_for)
    assert [one for one in found(state) if one.code == "task-stuck"] == []


@pytest.mark.parametrize(
    ("runs", "running_for", "text"),
    [
        ([], 3_500.0, None),
        ([], 3_700.0, "no earlier run is known"),
        (
            [2.0] * 3,
            3_700.0,
            "3 earlier runs took at most 2.0 s",
        ),
        ([2_000.0] * 3, 3_700.0, None),  # not much longer
    ],
)
def test_a_long_task_of_which_little_is_known_is_worth_a_look(
    runs: list[float], running_for: float, text: str | None
) -> None:
    state = with_running_task(with_runs(runs), running_for)
    expected = [("info", f"images.resize has run for 1 h 1 m; {text}")] if text else []
    assert [(one.severity, one.text) for one in found(state)] == expected
    state.thresholds = Thresholds(task_stuck_unknown=10_000)
    assert found(state) == []


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("registered", ["images.resize [time_limit=60 soft_time_limit=30]"]),
        ("registered", ["images.resize [soft_time_limit=60]"]),
        ("conf", {"task_time_limit": 60}),
        ("conf", {"task_soft_time_limit": 60}),
        ("stats", {"pool": {"timeouts": [30, 60]}}),
        ("stats", {"pool": {"timeouts": [60, 0]}}),
    ],
)
def test_a_task_beyond_its_time_limit_is_stuck_without_earlier_runs(
    command: str, reply: object
) -> None:
    for running_for, count in ((110, 0), (130, 1)):
        state = with_running_task(with_runs([]), running_for)
        state.observe(InspectReply("celery@web-1", command, reply, NOW))
        texts = [(one.severity, one.text) for one in found(state)]
        known = "images.resize has run for 2 m 9 s; its time limit is 1 m"
        assert texts == [("warning", known)] * count


def test_a_task_within_its_time_limit_is_not_stuck() -> None:
    state = with_running_task(with_runs([]), 7_000)
    state.observe(InspectReply("celery@web-1", "conf", {"task_time_limit": 7_200}, NOW))
    assert found(state) == []


def test_no_task_is_stuck_while_nothing_is_received() -> None:
    state = with_running_task(with_runs([2.0] * 12), 30)
    assert list(task_findings(state, NOW + 3600)), "the connection works"
    state.observe(ConnectionChanged("lost", NOW, REFUSED))
    assert not list(task_findings(state, NOW + 3600))
    # Whether it is still running is unknown until its worker replies.
    state.observe(ConnectionChanged("live", NOW + 3600))
    heartbeat = Event("worker-heartbeat", "celery@web-1", NOW + 3601, freq=2.0)
    feed(state, [heartbeat])
    assert not list(task_findings(state, NOW + 3601))
    listed = {"id": RUNNING, "name": "images.resize", "time_start": NOW - 29}
    state.observe(InspectReply("celery@web-1", "active", [listed], NOW + 3602))
    assert [one.code for one in task_findings(state, NOW + 3602)] == ["task-stuck"]


def test_a_task_that_reports_progress_is_not_stuck() -> None:
    state = with_running_task(with_runs([2.0] * 12), 600)
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
