"""The columns of the Tasks and Scheduled screens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ..model.entities.states import FAILURE, RETRY, REVOKED, SUCCESS
from ..model.entities.styles import state_style
from ..model.entities.task import Task, first_seen_at
from ..model.ingest.tasks.lost_tasks import loss_text
from ..model.ingest.tasks.rate_limited import held_text
from ..model.text import units
from ..model.text.phrases import short_worker
from ..widgets.table.cells import Cell
from ..widgets.table.column import Column, Frame
from . import numbers
from .attempts import countdown, next_attempt
from .numbers import text_of

REVOKE_REQUESTED: Final = "revoke requested"
"""Shown until a worker's event confirms that the task was revoked."""
REVOKING: Final = "revoking"
"""Shown in place of the state; lowercase, as it is not a Celery state."""


def state(task: Task, frame: Frame) -> Cell:
    """Return a task's state: glyph, word and colour."""
    if task.revoking:
        return f"{frame.glyphs.state(REVOKED)} {REVOKING}", "warn"
    if task.lost_at is not None:
        return f"{units.UNKNOWN} {task.state}", "warn"
    return f"{frame.glyphs.state(task.state)} {task.state}", state_style(task.state)


def name(task: Task, frame: Frame) -> Cell:
    """Return a task's name; it is unknown if the events with the name were missed."""
    return (task.name, "text") if task.name else numbers.UNKNOWN


def elapsed(task: Task, frame: Frame) -> Cell:
    """Return how long a task ran or has been running, or when it is retried."""
    value = task.elapsed(frame.running_at(task.worker))
    if value is None:
        due = next_attempt(task, frame.now_at(task.worker), frame.running_at(task.worker))
        if due is not None:
            return due, "state-retry"
        return numbers.NOTHING if task.lost_at is None else numbers.UNKNOWN
    return numbers.seconds(value, "state-started" if task.running else "text")


def outcome(task: Task, frame: Frame) -> Cell:
    """Return a task's result or exception."""
    if task.exception is not None and task.state != SUCCESS:
        return task.exception, "bad" if task.state == FAILURE else state_style(task.state)
    if task.result is not None:
        return task.result, "muted"
    if task.revoking:
        return REVOKE_REQUESTED, "warn"
    if task.lost_at is not None:
        return loss_text(task), "warn"
    if task.held_by is not None:
        return held_text(task.held_by), "muted"
    return numbers.NOTHING


def _first_seen(task: Task, frame: Frame) -> float | None:
    """Return the time that agrees with the order of arrival: a retry is received again, later."""
    at = first_seen_at(task)
    if at is None or at == task.sent_at:  # the client's clock is uncorrected
        return at
    return frame.to_local(at, (task.attempts[0].worker if task.attempts else None) or task.worker)


_FIRST_SEEN_WIDTH: Final = 11


def _received(task: Task, frame: Frame) -> Cell:
    at = _first_seen(task, frame)
    return numbers.NOTHING if at is None else numbers.time_or_date(at, frame, _FIRST_SEEN_WIDTH)


def _age(task: Task, frame: Frame) -> Cell:
    at = _first_seen(task, frame)
    if at is None:
        return numbers.UNKNOWN
    return numbers.seconds(max(0.0, frame.now - at), "muted")


def _finished(task: Task, frame: Frame, width: int = 11) -> Cell:
    at = task.finished_at
    if at is None:
        return numbers.NOTHING
    return numbers.time_or_date(frame.to_local(at, task.worker), frame, width)


def _finished_within(task: Task, frame: Frame, width: int) -> Sequence[Cell]:
    return (_finished(task, frame, width),)


def retries(task: Task, frame: Frame) -> Cell:
    """Return how often a task was retried; nothing for 0."""
    if task.retries:
        return str(task.retries), "state-retry"
    return numbers.UNKNOWN if task.known_retries is None else numbers.NOTHING


def _ticking(task: Task) -> bool:
    return task.running or (task.waiting and task.eta_at is not None)


STATE: Final = Column[Task]("state", "State", 10, state, sort_key="state")
NAME: Final = Column[Task](
    "name",
    "Task",
    22,
    name,
    grow=3,
    narrow_width=16,
    sort_key="name",
    keeps_end=True,
)
ID: Final = Column[Task](
    "id",
    "ID",
    36,
    text_of(lambda task: task.id, "muted"),
    6,
    narrow_width=9,
    sort_key="id",
    brief=True,
)
WORKER: Final = Column[Task](
    "worker",
    "Worker",
    18,
    text_of(lambda task: task.worker),
    4,
    narrow_width=12,
    sort_key="worker",
    shorten=short_worker,
)
QUEUE: Final = Column[Task](
    "queue", "Queue", 14, text_of(lambda task: task.queue), 5, narrow_width=10, sort_key="queue"
)
RETRIES: Final = replace(numbers.column("retries", "Retry", 7, retries, 7), narrow_width=5)
RUNNING_TIME: Final = Column[Task](
    "elapsed", "Runtime", 9, elapsed, 1, justify="right", ticks=lambda task: task.running
)
"""For small tables, which cannot be sorted."""
ARGS: Final = Column[Task]("args", "Args", 14, text_of(lambda task: task.args), 8, grow=2)
KWARGS: Final = Column[Task]("kwargs", "Kwargs", 14, text_of(lambda task: task.kwargs), 9, grow=2)

TASKS: Final[tuple[Column[Task], ...]] = (
    STATE,
    NAME,
    ID,
    WORKER,
    QUEUE,
    Column(
        "received",
        "First seen",
        _FIRST_SEEN_WIDTH,
        _received,
        3,
        sort_key="arrival",
        descending=True,
        fixed=True,
    ),
    Column(
        "finished",
        "Finished",
        11,
        _finished,
        7,
        narrow_width=9,
        sort_key="finished",
        descending=True,
        fill=_finished_within,
    ),
    replace(numbers.column("age", "Age", 9, _age, 10, wide_only=True), ticks=numbers.always),
    replace(numbers.column("runtime", "Runtime", 9, elapsed, 1), ticks=_ticking),
    RETRIES,
    ARGS,
    KWARGS,
    Column("outcome", "Outcome", 18, outcome, 2, grow=4, narrow_width=10, sort_key="exception"),
)


def _countdown(task: Task, frame: Frame) -> Cell:
    if task.eta_at is None:
        return numbers.UNKNOWN
    # The worker waits by its own clock.
    now, known_until = frame.now_at(task.worker), frame.running_at(task.worker)
    style = "warn" if known_until > task.eta_at else "accent"
    return countdown(task.eta_at, now, known_until), style


def _due(task: Task, frame: Frame) -> Cell:
    return numbers.time_of_day(task.eta_at, frame)


def _reason(task: Task, frame: Frame) -> Cell:
    number = task.pending_retry if task.state == RETRY else task.retries
    return (f"retry {number}", "state-retry") if number else ("ETA", "text")


def _expires(task: Task, frame: Frame) -> Cell:
    return numbers.time_of_day(task.expires_at, frame)


SCHEDULED: Final[tuple[Column[Task], ...]] = (
    Column("countdown", "Due", 15, _countdown, ticks=numbers.always, sort_key="eta"),
    Column("due", "At", 8, _due, 1),
    Column("reason", "Reason", 8, _reason, 2),
    NAME,
    ID,
    WORKER,
    QUEUE,
    STATE,
    Column("expires", "Expires", 8, _expires, 6),
    RETRIES,
    ARGS,
    KWARGS,
    Column("outcome", "Exception", 18, outcome, 5, grow=4),
)
