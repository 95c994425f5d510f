"""The columns of task types: statistics by task name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ...model.entities.distribution import Distribution
from ...model.entities.states import (
    CELERY_STATES,
    FAILURE,
    PENDING,
    RECEIVED,
    RETRY,
    STARTED,
    SUCCESS,
)
from ...model.entities.task_type import TaskType
from ...model.state import ClusterState
from ...widgets.table.cells import Cell, state_style
from ...widgets.table.column import Column, Frame
from ..text.limits import common_limits
from . import numbers


def _name(kind: TaskType, frame: Frame) -> Cell:
    return kind.name, "text"


def _waiting(kind: TaskType) -> int:
    return kind.states.get(PENDING, 0) + kind.states.get(RECEIVED, 0)


def _running(kind: TaskType) -> int:
    """Count the started ones; a state of the app's own is one while it runs."""
    return kind.states.get(STARTED, 0) + sum(
        count for state, count in kind.states.items() if state not in CELERY_STATES
    )


def _in(state: str) -> Callable[[TaskType], int]:
    return lambda kind: kind.states.get(state, 0)


_COUNTS: Final[Mapping[str, Callable[[TaskType], int]]] = {
    RECEIVED: _waiting,
    STARTED: _running,
    SUCCESS: _in(SUCCESS),
    FAILURE: _in(FAILURE),
    RETRY: _in(RETRY),
}


def _held(state: str, title: str, width: int, priority: int) -> Column[TaskType]:
    count = _COUNTS[state]

    def cell(kind: TaskType, frame: Frame) -> Cell:
        return numbers.count(count(kind), state_style(state))

    return Column(
        state.lower(),
        title,
        width,
        cell,
        priority,
        justify="right",
        sort_key=state.lower(),
        descending=True,
    )


def _of(
    column_id: str,
    title: str,
    get: Callable[[TaskType], Distribution],
    value: Callable[[Distribution], float | None],
    priority: int,
) -> Column[TaskType]:
    def cell(kind: TaskType, frame: Frame) -> Cell:
        distribution = get(kind)
        return numbers.seconds(value(distribution)) if distribution.count else numbers.NOTHING

    return Column(
        column_id,
        title,
        9,
        cell,
        priority,
        justify="right",
        sort_key=column_id,
        descending=True,
    )


def _held_tasks(kind: TaskType, frame: Frame) -> Cell:
    return numbers.count(kind.held)


def _failed_share(kind: TaskType, frame: Frame) -> Cell:
    return numbers.percent(kind.failed, kind.failed + kind.succeeded, "bad")


def _last(kind: TaskType, frame: Frame) -> Cell:
    return numbers.time_of_day(kind.last_at, frame)


def _runtime(kind: TaskType) -> Distribution:
    return kind.runtime


def _wait(kind: TaskType) -> Distribution:
    return kind.wait


TYPES: Final[tuple[Column[TaskType], ...]] = (
    Column("name", "Task", 24, _name, grow=3, sort_key="name"),
    Column("tasks", "Tasks", 8, _held_tasks, 1, justify="right", sort_key="tasks", descending=True),
    _held(RECEIVED, "Waiting", 8, 5),
    _held(STARTED, "Running", 8, 3),
    _held(SUCCESS, "Success", 8, 4),
    _held(FAILURE, "Failed", 8, 2),
    _held(RETRY, "Retry", 8, 6),
    Column(
        "failed_share",
        "Fail %",
        7,
        _failed_share,
        2,
        justify="right",
        sort_key="failed_share",
        descending=True,
    ),
    _of("p50", "p50", _runtime, lambda times: times.quantile(0.5), 4),
    _of("p95", "p95", _runtime, lambda times: times.quantile(0.95), 2),
    _of("max", "max", _runtime, lambda times: times.max, 6),
    _of("wait", "Wait", _wait, lambda times: times.mean, 5),
    Column("last", "Last", 8, _last, 6, sort_key="last", descending=True),
)


def type_columns(state: ClusterState) -> tuple[Column[TaskType], ...]:
    """Return the columns; `state` tells what workers limit a type to."""

    def limits(kind: TaskType, frame: Frame) -> Cell:
        text = common_limits(state, kind.name)
        return (text, "accent") if text else numbers.NOTHING

    return (*TYPES, Column("limits", "Limits", 14, limits, 4, grow=1))


TYPE_KEYS: Final[Mapping[str, Callable[[TaskType], Any]]] = {
    "name": lambda kind: kind.name,
    "tasks": lambda kind: kind.held,
    **{state.lower(): count for state, count in _COUNTS.items()},
    "failed_share": lambda kind: kind.failure_rate,
    "p50": lambda kind: kind.runtime.quantile(0.5),
    "p95": lambda kind: kind.runtime.quantile(0.95),
    "max": lambda kind: kind.runtime.max,
    "wait": lambda kind: kind.wait.mean,
    "last": lambda kind: kind.last_at,
}
