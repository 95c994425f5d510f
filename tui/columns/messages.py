"""The columns of the messages that wait in a queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ...lists import numbers, tasks
from ...lists.numbers import text_of
from ...model.entities.task import Task, first_seen_at
from ...model.observations import WaitingMessage
from ...model.state import ClusterState
from ...model.text import units
from ...widgets.table.cells import Cell
from ...widgets.table.column import Column, Frame

_JSON: Final = "application/json"


def _position(message: WaitingMessage, frame: Frame) -> Cell:
    return numbers.UNKNOWN if message.before is None else numbers.count(message.before + 1)


def _due(message: WaitingMessage, frame: Frame) -> Cell:
    if message.eta_at is None:
        return numbers.NOTHING
    left = message.eta_at - frame.now
    return (f"in {units.duration(left)}", "accent") if left > 0 else ("now", "muted")


def _expires(message: WaitingMessage, frame: Frame) -> Cell:
    if message.expires_at is None:
        return numbers.NOTHING
    if message.expires_at <= frame.now:
        return "expired", "warn"
    return numbers.time_of_day(message.expires_at, frame)


def _priority(message: WaitingMessage, frame: Frame) -> Cell:
    return numbers.NOTHING if message.priority is None else (str(message.priority), "text")


def _retries(message: WaitingMessage, frame: Frame) -> Cell:
    return (str(message.retries), "state-retry") if message.retries else numbers.NOTHING


def _serializer(message: WaitingMessage, frame: Frame) -> Cell:
    if message.content_type == _JSON:
        return "json", "muted"
    return message.content_type.rpartition("/")[2] or units.UNKNOWN, "warn"


def message_columns(state: ClusterState) -> tuple[Column[WaitingMessage], ...]:
    """Return the columns; `state` provides what is known of the tasks."""

    def of_task(get: Callable[[Task, Frame], Cell]) -> Callable[[WaitingMessage, Frame], Cell]:
        def cell(message: WaitingMessage, frame: Frame) -> Cell:
            task = state.tasks.get(message.id)
            return numbers.NOTHING if task is None else get(task, frame)

        return cell

    def age(message: WaitingMessage, frame: Frame) -> Cell:
        task = state.tasks.get(message.id)
        at = message.sent_at if task is None or task.sent_at is None else task.sent_at
        if at is not None:
            return numbers.seconds(max(0.0, frame.now - at))
        seen = None if task is None else first_seen_at(task)
        if seen is None:
            return numbers.UNKNOWN
        return f"{units.duration(max(0.0, frame.now - seen))}+", "muted"

    return (
        Column("before", "Next", 6, _position, justify="right", sort_key="before"),
        Column(
            "name",
            "Task",
            22,
            text_of(lambda one: one.name),
            grow=2,
            sort_key="name",
            keeps_end=True,
        ),
        Column("state", "State", 10, of_task(tasks.state), 1),
        Column("id", "ID", 36, text_of(lambda one: one.id, "muted"), 4, narrow_width=9, brief=True),
        Column("args", "Args", 14, text_of(lambda one: one.args), 2, grow=2),
        Column("kwargs", "Kwargs", 14, text_of(lambda one: one.kwargs), 2, grow=2),
        Column("age", "Age", 9, age, 1, justify="right", ticks=numbers.always, sort_key="age"),
        Column("eta", "ETA", 9, _due, 3, ticks=numbers.always, sort_key="eta"),
        Column("priority", "Priority", 8, _priority, 5, justify="right", sort_key="priority"),
        Column("retries", "Retry", 5, _retries, 6, justify="right", sort_key="retries"),
        Column(
            "sender", "Sender", 16, text_of(lambda one: one.sender, "muted"), 7, sort_key="sender"
        ),
        Column("expires", "Expires", 8, _expires, 8, sort_key="expires"),
        Column("serializer", "Body", 6, _serializer, 7, sort_key="serializer"),
    )


def _age_key(message: WaitingMessage) -> float | None:
    return None if message.sent_at is None else -message.sent_at


MESSAGE_KEYS: Final[Mapping[str, Callable[[WaitingMessage], Any]]] = {
    "before": lambda one: one.before,
    "name": lambda one: one.name,
    "age": _age_key,
    "eta": lambda one: one.eta_at,
    "priority": lambda one: one.priority,
    "retries": lambda one: one.retries,
    "sender": lambda one: one.sender,
    "expires": lambda one: one.expires_at,
    "serializer": lambda one: one.content_type,
}
