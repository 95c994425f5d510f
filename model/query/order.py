"""What rows can be ordered by, and the sort keys that this makes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from ..entities.task import Task, first_seen_at

SortValue: TypeAlias = Any
"""Values of one sort key compare with each other; None is unknown and comes last."""

Key: TypeAlias = Any
"""A task's cached sort key; no two tasks have the same."""


def _age(task: Task, now: float) -> float | None:
    born = first_seen_at(task)
    return None if born is None else -born


def _progress(task: Task, now: float) -> float | None:
    return None if task.progress is None else task.progress.fraction


def _field(name: str) -> Callable[[Task, float], SortValue]:
    get = operator.attrgetter(name)
    return lambda task, now: get(task)


SORT_KEYS: Final[Mapping[str, Callable[[Task, float], SortValue]]] = {
    **{
        name: _field(name)
        for name in (
            *("arrival", "id", "name", "state", "worker", "queue", "args", "kwargs", "result"),
            *("exception", "retries"),
        )
    },
    "age": _age,
    "sent": _field("sent_at"),
    "received": _field("received_at"),
    "started": _field("started_at"),
    "finished": _field("finished_at"),
    "eta": _field("eta_at"),
    "runtime": lambda task, now: task.elapsed(now),
    "waited": lambda task, now: task.waited(),
    "progress": _progress,
}
"""What tasks can be ordered by. Age is the time since they were sent, the youngest lowest."""


@dataclass(frozen=True, slots=True)
class Order:
    """A sort key's name and a direction; equals come newest first in both."""

    key: str = "arrival"
    descending: bool = True


NEWEST_FIRST: Final = Order()


def key_maker(order: Order) -> Callable[[Task, float], Key]:
    """Return what makes keys that sort unknown values last and equals newest first.

    A descending order is read from the end, hence the signs.
    """
    value_of = SORT_KEYS[order.key]
    if order.key == "arrival":
        return value_of
    if order.descending:

        def key(task: Task, now: float) -> Key:
            value = value_of(task, now)
            return (value is not None, value, task.arrival)
    else:

        def key(task: Task, now: float) -> Key:
            value = value_of(task, now)
            return (value is None, value, -task.arrival)

    return key
