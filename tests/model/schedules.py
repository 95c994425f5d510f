"""A cluster in which beat would be seen to send, for the tests of the schedule."""

from __future__ import annotations

from typing import Any

from celtop.model.entities.schedule import ScheduleEntry, ScheduleSource
from celtop.model.observations import (
    ConnectionChanged,
    InspectReply,
    QueueMeasured,
    ScheduleRead,
)
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch
from celtop.tests.model.streams import NOW

WORKER = "w1@test"


def entry(name: str = "tick", **fields: Any) -> ScheduleEntry:
    """Return an entry, every ten seconds unless stated otherwise."""
    given: dict[str, Any] = {
        "task": f"app.{name}",
        "source": "app",
        "schedule": "every 10 seconds",
        "kind": "interval",
        "every": 10.0,
        "spacing": 10.0,
    }
    return ScheduleEntry(name, **(given | fields))


def read(state: ClusterState, *entries: ScheduleEntry, at: float = NOW, **fields: Any) -> None:
    source: ScheduleSource = entries[0].source if entries else fields.pop("source", "app")
    state.observe(ScheduleRead(source, at, entries, **fields))


def watched(*entries: ScheduleEntry, registered: tuple[str, ...] = ("app.tick",)) -> ClusterState:
    """Return a live cluster with a worker that sends events, and the entries read at `NOW`."""
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW - 100))
    heartbeat(state, NOW)
    state.observe(InspectReply(WORKER, "registered", list(registered), NOW))
    state.observe(InspectReply(WORKER, "active_queues", [{"name": "celery"}], NOW))
    state.observe(
        EventBatch((Event("task-received", WORKER, NOW - 50, uuid="other", name="app.other"),), NOW)
    )
    if entries:
        read(state, *entries)
    measure(state, NOW)
    state.tick(NOW)
    return state


def heartbeat(state: ClusterState, at: float) -> None:
    beat = Event("worker-heartbeat", WORKER, at, freq=2.0, active=0, processed=0)
    state.observe(EventBatch((beat,), at))


def measure(state: ClusterState, at: float, waiting: int = 0) -> None:
    state.observe(QueueMeasured("celery", at, waiting=waiting))


def pass_time(state: ClusterState, at: float, waiting: int = 0) -> None:
    """Have the worker and the queue show that nothing else has happened by `at`."""
    heartbeat(state, at)
    measure(state, at, waiting)
    state.tick(at)


def run(
    state: ClusterState, at: float, id_: str = "", name: str = "app.tick", **fields: Any
) -> None:
    """Have the worker receive a task that beat sent."""
    id_ = id_ or f"run-{at}"
    given = {"args": "()", "kwargs": "{}", "root_id": id_} | fields
    state.observe(
        EventBatch((Event("task-received", WORKER, at, uuid=id_, name=name, **given),), at)
    )
