"""The columns of task types: statistics per task name."""

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
from ...model.entities.styles import state_style
from ...model.entities.task_type import TaskType
from ...model.state import ClusterState
from ...widgets.table.cells import Cell
from ...widgets.table.column import Column, Frame
from ..text.limits import common_limits
from . import numbers


def _name(task_type: TaskType, frame: Frame) -> Cell:
    return task_type.name, "text"


def _waiting(task_type: TaskType) -> int:
    return task_type.states.get(PENDING, 0) + task_type.states.get(RECEIVED, 0)


def _running(task_type: TaskType) -> int:
    """Count the running tasks: a custom state also means running."""
    return task_type.states.get(STARTED, 0) + sum(
        count for state, count in task_type.states.items() if state not in CELERY_STATES
    )


def _count_in(state: str) -> Callable[[TaskType], int]:
    return lambda task_type: task_type.states.get(state, 0)


_COUNTS: Final[Mapping[str, Callable[[TaskType], int]]] = {
    RECEIVED: _waiting,
    STARTED: _running,
    SUCCESS: _count_in(SUCCESS),
    FAILURE: _count_in(FAILURE),
    RETRY: _count_in(RETRY),
}


def _count_column(state: str, title: str, width: int, priority: int) -> Column[TaskType]:
    count = _COUNTS[state]

    def cell(task_type: TaskType, frame: Frame) -> Cell:
        return numbers.count(count(task_type), state_style(state))

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


def _duration_column(
    column_id: str,
    title: str,
    get: Callable[[TaskType], Distribution],
    value: Callable[[Distribution], float | None],
    priority: int,
) -> Column[TaskType]:
    def cell(task_type: TaskType, frame: Frame) -> Cell:
        distribution = get(task_type)
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


def _held_tasks(task_type: TaskType, frame: Frame) -> Cell:
    return numbers.count(task_type.held)


def _failed_share(task_type: TaskType, frame: Frame) -> Cell:
    return numbers.percent(task_type.failed, task_type.failed + task_type.succeeded, "bad")


def _last(task_type: TaskType, frame: Frame) -> Cell:
    return numbers.time_of_day(task_type.last_at, frame)


def _runtime(task_type: TaskType) -> Distribution:
    return task_type.runtime


def _wait(task_type: TaskType) -> Distribution:
    return task_type.wait


TYPES: Final[tuple[Column[TaskType], ...]] = (
    Column("name", "Task", 24, _name, grow=3, sort_key="name"),
    Column("tasks", "Tasks", 8, _held_tasks, 1, justify="right", sort_key="tasks", descending=True),
    _count_column(RECEIVED, "Waiting", 8, 5),
    _count_column(STARTED, "Running", 8, 3),
    _count_column(SUCCESS, "Success", 8, 4),
    _count_column(FAILURE, "Failed", 8, 2),
    _count_column(RETRY, "Retry", 8, 6),
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
    _duration_column("p50", "Run p50", _runtime, lambda times: times.quantile(0.5), 4),
    _duration_column("p95", "Run p95", _runtime, lambda times: times.quantile(0.95), 2),
    _duration_column("max", "Run max", _runtime, lambda times: times.max, 6),
    _duration_column("wait", "Avg wait", _wait, lambda times: times.mean, 5),
    Column("last", "Last", 8, _last, 6, sort_key="last", descending=True),
)


def type_columns(state: ClusterState) -> tuple[Column[TaskType], ...]:
    """Return the columns; `state` provides the limits set on the workers."""

    def limits(task_type: TaskType, frame: Frame) -> Cell:
        text = common_limits(state, task_type.name)
        return (text, "accent") if text else numbers.NOTHING

    return (*TYPES, Column("limits", "Limits", 14, limits, 4, grow=1))


TYPE_KEYS: Final[Mapping[str, Callable[[TaskType], Any]]] = {
    "name": lambda task_type: task_type.name,
    "tasks": lambda task_type: task_type.held,
    **{state.lower(): count for state, count in _COUNTS.items()},
    "failed_share": lambda task_type: task_type.failure_rate,
    "p50": lambda task_type: task_type.runtime.quantile(0.5),
    "p95": lambda task_type: task_type.runtime.quantile(0.95),
    "max": lambda task_type: task_type.runtime.max,
    "wait": lambda task_type: task_type.wait.mean,
    "last": lambda task_type: task_type.last_at,
}
