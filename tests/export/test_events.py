"""Events as records and as lines."""

from __future__ import annotations

from celtop.export.encoding.tables import plain
from celtop.export.events import STATES, event_line, event_record
from celtop.model.ingest.redaction import Redaction
from celtop.model.state import ClusterState
from celtop.model.wire.events import TASK_EVENTS, Event, EventBatch

from .conftest import HOSTILE, NOW

ID = "3f2a9c1e-0000-4000-8000-000000000000"


def lines(state: ClusterState, *events: Event) -> list[str]:
    """Return the lines of events after they were applied."""
    state.observe(EventBatch(events, NOW))
    return [
        plain(event_line(event, event_record(event, state), state, utc=True)) for event in events
    ]


def test_a_line_shows_what_the_event_is_about() -> None:
    assert lines(
        ClusterState(),
        Event(
            "task-sent",
            "gen1@web",
            NOW,
            uuid=ID,
            queue="mail",
            name="shop.add",
            args="(1,)",
            kwargs="{}",
        ),
        Event("task-started", "w1@a", NOW + 0.5, uuid=ID),
        Event("task-failed", "w1@a", NOW + 1, uuid=ID, exception=HOSTILE, traceback="T"),
        Event("worker-offline", "w1@a", NOW + 2),
    ) == [
        "14:13:20.000  task-sent       shop.add                  3f2a9c1e  gen1@web          "
        "mail  (1,)",
        "14:13:20.500  task-started    shop.add                  3f2a9c1e  w1@a",
        "14:13:21.000  task-failed     shop.add                  3f2a9c1e  w1@a              "
        r"('\x1b[31m[/]<U+202E>\x9b[bold]x', '日本', '<&>')",
        "14:13:22.000  worker-offline  w1@a",
    ]


def test_an_outcome_belongs_to_its_event_alone() -> None:
    state = ClusterState()
    events = (
        Event("task-started", "w1@a", NOW, uuid=ID),
        Event("task-succeeded", "w1@a", NOW + 1, uuid=ID, result="3", runtime=1.0),
    )
    state.observe(EventBatch(events, NOW))
    started, succeeded = (event_record(event, state) for event in events)
    assert (started.result, started.runtime_s, started.state) == (None, None, "STARTED")
    assert (succeeded.result, succeeded.runtime_s) == ("3", 1.0)


def test_secrets_are_masked_in_own_fields_too() -> None:
    state = ClusterState(redaction=Redaction(["password"]))
    event = Event("task-login", "w1@a", NOW, uuid=ID, fields={"password": "hunter2", "n": 1})
    (line,) = lines(state, event)
    assert "hunter2" not in line
    assert "n=1" in line


def test_each_event_of_celery_has_a_state() -> None:
    assert STATES.keys() == TASK_EVENTS
