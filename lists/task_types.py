"""The columns of task types: statistics per task name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, cast

from ..model.entities.states import (
    CELERY_STATES,
    FAILURE,
    PENDING,
    RECEIVED,
    RETRY,
    STARTED,
    SUCCESS,
)
from ..model.entities.styles import state_style
from ..model.entities.task_type import TaskType
from ..model.health.newness import newly_failing
from ..model.ingest.tasks.rate_limited import held_by_type
from ..model.state import ClusterState
from ..model.text import units
from ..widgets.table.cells import Cell
from ..widgets.table.column import Column, Frame
from . import numbers
from .limits import common_limits

HIGH_SHARE: Final = 0.1
"""Share of failed tasks above which it is marked, also if it is not new."""


def waiting_count(task_type: TaskType) -> int | None:
    """Count the tasks that have not started and are not lost; None if that is unknown."""
    if task_type.is_recorded:
        return None
    return task_type.held_in(PENDING) + task_type.held_in(RECEIVED)


def running_count(task_type: TaskType) -> int | None:
    """Count the running tasks, or return None: a custom state also means running, unless lost."""
    if task_type.is_recorded:
        return None
    custom = (state for state in task_type.states if state not in CELERY_STATES)
    return task_type.held_in(STARTED) + sum(map(task_type.held_in, custom))


def _retry_count(task_type: TaskType) -> int | None:
    return None if task_type.is_recorded else task_type.held_in(RETRY)


def _count_in(state: str) -> Callable[[TaskType], int]:
    return lambda task_type: task_type.held_in(state)


_COUNTS: Final[Mapping[str, Callable[[TaskType], int | None]]] = {
    RECEIVED: waiting_count,
    STARTED: running_count,
    SUCCESS: _count_in(SUCCESS),
    FAILURE: _count_in(FAILURE),
    RETRY: _retry_count,
}


def _count_column(state: str, title: str, priority: int) -> Column[TaskType]:
    count = _COUNTS[state]

    def cell(task_type: TaskType, frame: Frame) -> Cell:
        return numbers.count(count(task_type), "text" if state == FAILURE else state_style(state))

    return numbers.column(state.lower(), title, 8, cell, priority)


_DURATIONS: Final[Mapping[str, Callable[[TaskType], float | None]]] = {
    "p50": lambda task_type: task_type.runtime.quantile(0.5),
    "p95": lambda task_type: task_type.runtime.quantile(0.95),
    "max": lambda task_type: task_type.runtime.max,
    "wait": lambda task_type: task_type.wait.mean,
}


def _duration_column(id_: str, title: str, priority: int) -> Column[TaskType]:
    duration = _DURATIONS[id_]

    def cell(task_type: TaskType, frame: Frame) -> Cell:
        seconds = duration(task_type)
        return numbers.NOTHING if seconds is None else numbers.seconds(seconds)

    return numbers.column(id_, title, 9, cell, priority)


def _failed_share(task_type: TaskType, frame: Frame) -> Cell:
    share = task_type.failure_rate
    if share is None:
        return numbers.NOTHING
    return units.percent(share), "warn" if share > HIGH_SHARE else "text" if share else "muted"


def _last(task_type: TaskType, frame: Frame) -> Cell:
    return numbers.time_of_day(task_type.last_at, frame)


_FAILURES: Final = frozenset({FAILURE.lower(), "failed_share"})
TYPES: Final[tuple[Column[TaskType], ...]] = (
    Column(
        "name",
        "Task",
        24,
        lambda row, frame: (row.name, "text"),
        grow=3,
        sort_key="name",
        keeps_end=True,
    ),
    numbers.column("tasks", "Tasks", 8, lambda row, frame: numbers.count(row.held), 1),
    _count_column(RECEIVED, "Waiting", 5),
    _count_column(STARTED, "Running", 3),
    _count_column(SUCCESS, "Success", 4),
    _count_column(FAILURE, "Failed", 2),
    _count_column(RETRY, "Retry", 6),
    numbers.column("failed_share", "Fail %", 7, _failed_share, 2),
    _duration_column("p50", "Run p50", 4),
    _duration_column("p95", "Run p95", 2),
    _duration_column("max", "Run max", 6),
    _duration_column("wait", "Avg wait", 5),
    Column("last", "Last", 8, _last, 6, sort_key="last", descending=True),
)


def type_columns(state: ClusterState) -> tuple[Column[TaskType], ...]:
    """Return the columns; `state` provides the limits set on the workers, and new failures."""
    failing: tuple[int, frozenset[str]] = (-1, frozenset())

    def red_if_new(column: Column[TaskType]) -> Column[TaskType]:
        def cell(task_type: TaskType, frame: Frame) -> Cell:
            nonlocal failing
            if failing[0] != int(frame.now):
                failing = int(frame.now), newly_failing(state, frame.now)
            text, style = cast(Cell, column.cell(task_type, frame))
            return text, "bad" if style != "muted" and task_type.name in failing[1] else style

        return replace(column, cell=cell)

    def limits(task_type: TaskType, frame: Frame) -> Cell:
        text = common_limits(state, task_type.name)
        if not text:
            return numbers.NOTHING
        held = held_by_type(state.workers.values())[task_type.name]
        return f"{text}, {units.count(held)} held" if held else text, "accent"

    types = (red_if_new(one) if one.id in _FAILURES else one for one in TYPES)
    return (*types, Column("limits", "Limits", 14, limits, 4, grow=1))


TYPE_KEYS: Final[Mapping[str, Callable[[TaskType], Any]]] = {
    "name": lambda task_type: task_type.name,
    "tasks": lambda task_type: task_type.held,
    **{state.lower(): count for state, count in _COUNTS.items()},
    "failed_share": lambda task_type: task_type.failure_rate,
    **_DURATIONS,
    "last": lambda task_type: task_type.last_at,
}


ORDER: Final = ("tasks", True)
"""The column that the list is sorted by at first, and whether the largest is first."""


def search_text(task_type: TaskType) -> str:
    """Return the text that a filter matches: the name."""
    return task_type.name
