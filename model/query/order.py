"""The orders of rows, and their sort keys."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from ..entities.clock_skew import skews_at, time_at
from ..entities.task import Task, first_seen_at

SortValue: TypeAlias = Any
"""Values of one sort key are comparable; None is unknown and comes last."""

Key: TypeAlias = Any
"""A task's cached sort key, unique among tasks."""


def _age(task: Task, now: float) -> float | None:
    first_seen = first_seen_at(task)
    return None if first_seen is None else -first_seen


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
            "exception",
        )
    },
    "retries": _field("known_retries"),
    "age": _age,
    "sent": _field("sent_at"),
    "received": _field("received_at"),
    "started": _field("started_at"),
    "finished": _field("finished_at"),
    "eta": _field("eta_at"),
    "runtime": lambda task, now: task.elapsed(time_at(task.worker, now)),
    "waited": lambda task, now: task.waited(skews_at(now)),
    "progress": _progress,
}
"""The sort keys of tasks. Age is the time since a task was sent; the youngest comes first."""


@dataclass(frozen=True, slots=True)
class Order:
    """A sort key's name and a direction; equal rows come newest first in both."""

    key: str = "arrival"
    descending: bool = True


NEWEST_FIRST: Final = Order()


def key_maker(order: Order) -> Callable[[Task, float], Key]:
    """Return the function for keys that sort unknown values last and equal ones newest first.

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
