"""The columns of grouped failures."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any, Final

from rich.cells import cell_len

from ..model.health.newness import failures_are_new
from ..model.ingest.tasks.failure_groups import TREND_STEPS, FailureGroup
from ..model.text import units
from ..model.text.phrases import short_worker
from ..widgets.charts.sparkline import spark
from ..widgets.table.cells import Cell, cut_start
from ..widgets.table.column import Column, Frame
from . import numbers
from .numbers import text_of


def _times(group: FailureGroup, frame: Frame) -> Cell:
    """Return the number of tasks, in red if their failures are new or growing."""
    return _count_cell(group.count, group, frame)


def _count_cell(count: int, group: FailureGroup, frame: Frame) -> Cell:
    style = "bad" if failures_are_new(group, frame.now) else "text"
    return f"{units.count(count)} {'x' if frame.glyphs.name == 'ascii' else '×'}", style


def _trend(group: FailureGroup, frame: Frame, width: int = TREND_STEPS // 2) -> Sequence[Cell]:
    """Return a sparkline of the last hour, of two steps in a cell if there is not room for all."""
    counts = group.trend.series(frame.now)
    if width < TREND_STEPS:
        counts = [sum(pair) for pair in zip(counts[::2], counts[1::2], strict=True)]
    return ((spark(counts, width, frame.glyphs), "accent" if any(counts) else "muted"),)


def _place(group: FailureGroup, frame: Frame) -> Cell:
    if group.place is None:
        return numbers.UNKNOWN
    return group.place or "before the task's code", "muted"


def _names(group: FailureGroup, frame: Frame) -> Cell:
    text, style = _one_of(group.names, "names"), "accent"
    return (text, style) if text else numbers.UNKNOWN


def _where(group: FailureGroup, frame: Frame) -> Sequence[Cell]:
    """Return what distinguishes groups of the same exception: the task or the location first."""
    names = (_one_of(group.names, "names") or units.UNKNOWN, "accent")
    if group.place is None:
        return (names,)
    place = (group.file_line or _place(group, frame)[0], "muted")
    first, second = (names, place) if len(group.names) == 1 else (place, names)
    return first, _BETWEEN, second


def _where_within(group: FailureGroup, frame: Frame, width: int) -> Sequence[Cell]:
    """Return the same: of long texts the ends, and of the second one nothing rather than little."""
    first, *rest = _where(group, frame)
    first = _ending(first, width, frame)
    room = width - sum(cell_len(text) for text, _ in (first, *rest[:-1]))
    if not rest or room < min(cell_len(rest[-1][0]), _MIN_SECOND_WIDTH):
        return (first,)
    return first, _BETWEEN, _ending(rest[-1], room, frame)


def _ending(cell: Cell, width: int, frame: Frame) -> Cell:
    """Return a text, a file without its folder, or the end of it."""
    text, style = cell
    if cell_len(text) > width:
        text = text.rpartition("/")[2]
    return text if cell_len(text) <= width else cut_start(text, width, frame.glyphs.ellipsis), style


def _one_of(names: Collection[str], plural: str) -> str:
    """Return the only name, or how many there are; empty without one."""
    if len(names) > 1:
        return f"{units.count(len(names))} {plural}"
    return next(iter(names), "")


def _workers(group: FailureGroup, frame: Frame) -> Cell:
    text = _one_of(group.workers, "workers")
    return (text, "muted") if text else numbers.UNKNOWN


def _time(at: float | None, frame: Frame) -> Cell:
    return numbers.NOTHING if at is None else numbers.time_or_date(at, frame, _TIME_WIDTH)


def _last(group: FailureGroup, frame: Frame) -> Cell:
    return _time(group.last_at, frame)


_TIME_WIDTH: Final = 8
_WHERE_WIDTH: Final = 21
"""Cells that a long exception and the last time leave to the task or the location."""
_SHORT_CLOCK: Final = len("14:02")
_MAX_WHERE_WIDTH: Final = 40
_BETWEEN: Final[Cell] = ("  ", "")
_MIN_SECOND_WIDTH: Final = 8
"""Cells below which the end of a text cannot be recognized."""
_COUNT: Final = numbers.column("count", "Count", 8, _times)
_LAST: Final = Column[FailureGroup](
    "last", "Last", _TIME_WIDTH, _last, 2, sort_key="last", descending=True
)

FAILURES: Final[tuple[Column[FailureGroup], ...]] = (
    _COUNT,
    Column(
        "trend", "Trend", TREND_STEPS // 2, _trend, 5, ticks=numbers.always,
        max_width=TREND_STEPS, fill=_trend,
    ),
    Column(
        "error", "Exception", 16, text_of(lambda each: each.error, missing=numbers.UNKNOWN), grow=2,
        sort_key="error", keeps_end=True,
    ),
    Column("task", "Task", 16, _names, 1, grow=2, sort_key="task", keeps_end=True),
    Column(
        "place", "Location", 26, _place, 3, grow=3, sort_key="place", narrow_width=14,
        keeps_end=True,
    ),
    Column("workers", "Worker", 10, _workers, 6, grow=1, shorten=short_worker),
    Column(
        "first", "First", _TIME_WIDTH, lambda group, frame: _time(group.first_at, frame), 4,
        sort_key="first", descending=True,
    ),
    _LAST,
)  # fmt: skip

_WHERE: Final = Column[FailureGroup](
    "where", "Where", _WHERE_WIDTH, _where, grow=3, max_width=_MAX_WHERE_WIDTH, fill=_where_within
)


def failures_of(seconds: float) -> tuple[Column[FailureGroup], ...]:
    """Return the columns of the overview, which count the failures of so many seconds."""

    def count(group: FailureGroup, frame: Frame) -> Cell:
        return _count_cell(group.count_since(frame.now - seconds), group, frame)

    def last(group: FailureGroup, frame: Frame) -> Cell:
        if group.last_at is None or frame.relative:
            return _last(group, frame)
        clock = units.clock(group.last_at, UTC if frame.utc else None)
        return clock[:_SHORT_CLOCK], "muted"

    times = Column("count", "Count", 8, count, justify="right", ticks=numbers.always)
    return times, FAILURES[2], _WHERE, replace(_LAST, cell=last, priority=1)


FAILURE_KEYS: Final[Mapping[str, Callable[[FailureGroup], Any]]] = {
    "count": lambda group: group.count,
    "error": lambda group: group.error,
    "task": lambda group: next(iter(group.names), None),
    "place": lambda group: group.place,
    "first": lambda group: group.first_at,
    "last": lambda group: group.last_at,
}


def group_title(group: FailureGroup) -> str:
    """Return the title of the list of a group's tasks."""
    place = _one_of(group.names, "names") if len(group.names) == 1 else group.place
    return f"{group.error or 'failed'} in {place or units.UNKNOWN}"


ORDER: Final = ("count", True)
"""The column that the list is sorted by at first, and whether the largest is first."""


def search_text(group: FailureGroup) -> str:
    """Return the text that a filter matches: exception, location, task names and workers."""
    return " ".join(filter(None, (group.error, group.place, *group.names, *group.workers)))
