"""Events as `celtop tail` prints them: as records, and as lines of text."""

from __future__ import annotations

import copy
from datetime import UTC
from typing import Final

import msgspec

from ..model.entities.clock_skew import to_local
from ..model.entities.states import (
    FAILURE,
    PENDING,
    RECEIVED,
    REJECTED,
    RETRY,
    REVOKED,
    STARTED,
    SUCCESS,
)
from ..model.entities.styles import state_style
from ..model.entities.task import Task, newest_time
from ..model.state import ClusterState
from ..model.text.phrases import SHORT_ID_LENGTH, short_id
from ..model.text.sanitize import visible
from ..model.text.units import UNKNOWN, date_time, duration, iso
from ..model.wire.events import Event, FieldValue
from .encoding.document import MAX_CELL_LENGTH
from .encoding.json import utf8, utf8_or_none
from .encoding.tables import Cell, Line, fit

STATES: Final = {
    "task-sent": PENDING,
    "task-received": RECEIVED,
    "task-started": STARTED,
    "task-succeeded": SUCCESS,
    "task-failed": FAILURE,
    "task-retried": RETRY,
    "task-revoked": REVOKED,
    "task-rejected": REJECTED,
}
"""The state of a task after each of Celery's own events."""
_TYPES: Final = {state: type_ for type_, state in STATES.items()}
_STYLES: Final = {"worker-online": "good", "worker-offline": "bad"}
_OUTCOMES: Final = frozenset({"task-succeeded", "task-failed", "task-retried"})
_TYPE_WIDTH: Final = 14
_NAME_WIDTH: Final = 24
_HOST_WIDTH: Final = 16


class EventRecord(msgspec.Struct, frozen=True, gc=False):
    """One event of a task or a worker."""

    at: str | None
    """When it was sent, by the clock here."""
    type: str
    """`task-received`, `worker-online`, or an own type of the app."""
    host: str
    """The worker; for `task-sent`, the client."""
    id: str | None
    """The task; null for events of workers. The following fields are those of the task."""
    name: str | None
    state: str | None
    """After this event; for own types of the app, after those that arrived together with it."""
    queue: str | None
    args: str | None
    kwargs: str | None
    result: str | None
    """Only of `task-succeeded`."""
    exception: str | None
    """Only of `task-failed` and `task-retried`."""
    traceback: str | None
    """Likewise."""
    runtime_s: float | None
    """Only of `task-succeeded`."""
    retries: int | None
    eta_at: str | None
    root_id: str | None
    parent_id: str | None
    fields: dict[str, FieldValue] | None
    """The own fields of an event of the app; null for Celery's events."""


def event_of(task: Task) -> Event:
    """Return the event after which a task was as it is, for a task that was read from elsewhere."""
    type_ = _TYPES.get(task.state) or f"task-{task.state.lower()}"
    at = task.lost_at or newest_time(task) or task.state_at or 0.0
    return Event(type_, task.worker or "", at, uuid=task.id, runtime=task.runtime)


def task_after(event: Event, state: ClusterState) -> Task:
    """Return the task of an event as it was after it; the model may have later events of it."""
    task = state.tasks.get(event.uuid or "") or Task(event.uuid or "")
    own = STATES.get(event.type, task.state)
    if own == task.state:
        return task
    earlier = copy.copy(task)
    earlier.state = own
    earlier.finished_at = earlier.runtime = earlier.result = None
    earlier.exception = earlier.traceback_parts = None
    return earlier


def event_record(event: Event, state: ClusterState) -> EventRecord:
    """Return the record of an event that was applied to the model.

    Texts are those of the model, in which secrets are masked.
    """
    task = state.tasks.get(event.uuid or "") or Task(event.uuid or "")
    succeeded = event.type == "task-succeeded"
    failed = event.type in _OUTCOMES and not succeeded
    return EventRecord(
        at=iso(to_local(event.timestamp, event.hostname, state.skews)),
        type=utf8(event.type),
        host=utf8(event.hostname),
        id=utf8_or_none(event.uuid),
        name=utf8_or_none(task.name),
        state=utf8(STATES.get(event.type, task.state)) if event.uuid else None,
        queue=utf8_or_none(task.queue),
        args=utf8_or_none(task.args),
        kwargs=utf8_or_none(task.kwargs),
        result=utf8_or_none(task.result) if succeeded else None,
        exception=utf8_or_none(task.exception) if failed else None,
        traceback=utf8_or_none(task.traceback) if failed else None,
        runtime_s=event.runtime if succeeded else None,
        retries=task.known_retries if event.uuid else None,
        eta_at=iso(task.eta_at),
        root_id=utf8_or_none(task.root_id),
        parent_id=utf8_or_none(task.parent_id),
        fields=_fields(event, state),
    )


def _fields(event: Event, state: ClusterState) -> dict[str, FieldValue] | None:
    if event.fields is None:
        return None
    return {
        utf8(name): utf8(value) if isinstance(value, str) else value
        for name, value in state.redaction.value(event.fields).items()
    }


def event_line(event: Event, record: EventRecord, state: ClusterState, *, utc: bool) -> Line:
    """Return an event and its record as a line: time, type, task, id, host, details."""
    at = to_local(event.timestamp, event.hostname, state.skews)
    style = _STYLES.get(event.type) or state_style(STATES.get(event.type, ""))
    cells: list[Cell] = [
        (date_time(at, UTC if utc else None)[11:23], "muted"),
        (_column(record.type, _TYPE_WIDTH), style),
    ]
    if record.id is not None:
        cells.append((_column(record.name or UNKNOWN, _NAME_WIDTH), ""))
        cells.append((_column(short_id(record.id), SHORT_ID_LENGTH), "muted"))
    cells.append((_column(record.host, _HOST_WIDTH), ""))
    text, text_style = _detail(record)
    cells.append((visible(text, MAX_CELL_LENGTH, ".."), text_style))
    return [part for cell in cells for part in (cell, ("  ", ""))][:-1]


def _detail(record: EventRecord) -> Cell:
    if record.exception is not None:
        return record.exception, "bad" if record.type == "task-failed" else "state-retry"
    if record.type == "task-succeeded":
        ran = "" if record.runtime_s is None else duration(record.runtime_s)
        return "  ".join(part for part in (ran, record.result) if part), "muted"
    if record.type in ("task-sent", "task-received"):
        call = f"{record.args or '()'} {record.kwargs or ''}".replace(" {}", "").rstrip()
        return "  ".join(part for part in (record.queue, call) if part), "muted"
    if record.fields:
        return " ".join(f"{name}={value}" for name, value in record.fields.items()), "muted"
    return "", ""


def _column(text: str, width: int) -> str:
    """Return a text in a column that grows rather than being cut."""
    shown = visible(text, MAX_CELL_LENGTH, "..")
    return fit(shown, width) if len(shown) < width else shown
