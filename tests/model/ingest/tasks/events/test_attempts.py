from __future__ import annotations

import pytest
from celtop.model.ingest.tasks.events.attempts import exception_of
from celtop.model.query.language import parse_query
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event
from celtop.tests.model.streams import NOW, Script, play

ZONED = "datetime.datetime(2026, 11, 21, 10, 35, tzinfo=zoneinfo.ZoneInfo(key='UTC'))"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("Retry(Retry(...), ConnectionError('wet'), 12)", "ConnectionError('wet')"),
        ("Retry(Retry(...), OSError('a', 5), 0.5)", "OSError('a', 5)"),
        ("Retry(Retry(...), ValueError(1), None)", "ValueError(1)"),
        (f"Retry(Retry(...), ValueError(1), {ZONED})", "ValueError(1)"),
        ("Retry(Retry(...), ValueError('cut...", "ValueError('cut..."),
        ("ConnectionError('wet')", "ConnectionError('wet')"),
        ("Retry(None)", "Retry(None)"),
        ("None", "retried without an exception"),
        ("Retry(Retry(...), None, 5)", "retried without an exception"),
        ("Retry(Retry(...), ", "Retry(Retry(...), "),
    ],
)
def test_a_retry_shows_the_exception_that_the_app_raised(sent: str, shown: str) -> None:
    assert exception_of(Event("task-retried", "w", 1.0, exception=sent)) == (shown, None)


def test_the_exception_of_a_hard_time_limit_is_read_from_the_traceback() -> None:
    traceback = (
        "Traceback (most recent call last):\n  ...\nTimeLimitExceeded: TimeLimitExceeded(1,)"
    )
    event = Event(
        "task-failed", "w", 1.0, exception="ExceptionWithTraceback()", traceback=traceback
    )
    assert exception_of(event)[0] == "TimeLimitExceeded: TimeLimitExceeded(1,)"


def test_a_retry_without_an_exception_is_a_group_of_that_name() -> None:
    state = ClusterState()
    play(Script("a", NOW).received().started().retried(exception="None").events, state)
    task = state.tasks["a"]
    assert (task.state, task.exception) == ("RETRY", "retried without an exception")
    state.take_changes()
    (group,) = state.failures
    assert group.error == "retried without an exception"
    assert parse_query(group.query).matches(task, NOW)
    (label,) = state.types[task.name or ""].exceptions
    assert label == group.error


def test_the_next_receipt_may_arrive_before_the_start_of_the_attempt_that_was_retried() -> None:
    """Workers buffer their events: those of a retry that another worker receives come first."""
    state = ClusterState()
    script = Script("a").received().started().on("w2").received(1).on("w1").retried()
    script.on("w2").started().on("w3").received(2).on("w2").retried().on("w3").started()
    *before, started, received, retried, last = script.events
    play([*before, received, started, retried, last], state)
    task = state.tasks["a"]
    kept = [(one.number, one.state, one.worker, one.started_at) for one in task.attempts]
    assert kept[1] == (1, "RETRY", "w2", started["timestamp"])
    assert [one[:2] for one in kept] == [(0, "RETRY"), (1, "RETRY")]
    assert (task.state, task.worker, task.retries) == ("STARTED", "w3", 2)
    assert task.started_at == last["timestamp"]
    assert state.totals.corrections == {}
