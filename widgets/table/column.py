"""Columns of a live table, and which of them fit into a width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Generic, Protocol, TypeVar

from ...model.entities.clock_skew import NO_SKEWS, ClockSkews
from ..glyphs import UNICODE, Glyphs
from .cells import Cell, Justify

R = TypeVar("R")
Row = TypeVar("Row", covariant=True)

GAP = 1
"""Cells between columns."""
MIN_WIDTH = 4
"""A column that would be narrower is left out instead."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The moment at which a cell is drawn, and how to draw it."""

    now: float
    """Seconds since the epoch."""
    glyphs: Glyphs = UNICODE
    utc: bool = False
    relative: bool = False
    """Whether times are drawn as `41 s ago`; they then change each second."""
    skews: ClockSkews = field(default_factory=lambda: NO_SKEWS, hash=False)
    """Seconds by which hosts' clocks are ahead of this host's."""

    @property
    def today(self) -> tuple[float, float]:
        """When the day begins and ends, in epoch seconds."""
        return _day(int(self.now // 60), self.utc)

    def now_at(self, host: str | None) -> float:
        """Return the current time by a host's clock, to compare with its timestamps."""
        return self.now + self.skews.get(host or "", 0.0)

    def to_local(self, at: float, host: str | None) -> float:
        """Return a host's timestamp by this host's clock."""
        return at - self.skews.get(host or "", 0.0)


@lru_cache(maxsize=8)
def _day(minute: int, utc: bool) -> tuple[float, float]:
    """Return when the day of a minute begins and ends, in epoch seconds."""
    day = datetime.fromtimestamp(minute * 60, UTC if utc else None)
    midnight = day.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.timestamp(), (midnight + timedelta(days=1)).timestamp()


@dataclass(frozen=True)
class Column(Generic[R]):
    """A column: its cell function, and how it adapts to the available width."""

    id: str
    title: str
    width: int
    cell: Callable[[R, Frame], Cell | Sequence[Cell]]
    priority: int = 0
    """0 is always shown; of the others the highest is left out first."""
    grow: int = 0
    """Its share of the remaining width; 0 keeps the column's width."""
    justify: Justify = "left"
    wide_only: bool = False
    ticks: Callable[[R], bool] | None = None
    """Returns whether a row's cell changes each second, as an elapsed time does."""
    sort_key: str | None = None
    """Its key for the rows' `set_order`; None if it cannot be sorted."""
    narrow_width: int | None = None
    """The width to use before any column is left out."""
    descending: bool = False
    """Whether sorting starts with the largest."""
    fill: Callable[[R, Frame, int], Sequence[Cell]] | None = None
    """Returns the cells for a width; used instead of `cell` if the content depends on it."""


class Rows(Protocol[Row]):
    """The rows of a live table: a sequence that can find the index of an id."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Row: ...

    def index(self, row_id: str, /) -> int | None:
        """Return the index of a row, or None."""
        ...

    def set_order(self, key: str, descending: bool, /) -> None:
        """Sort by a column's `sort_key`."""
        ...


@dataclass(frozen=True, slots=True)
class Placed(Generic[R]):
    """A column with its position on a line."""

    column: Column[R]
    x: int
    width: int

    def content(self, row: R, frame: Frame) -> Cell | Sequence[Cell]:
        """Return the content of a row's cell."""
        fill = self.column.fill
        return self.column.cell(row, frame) if fill is None else fill(row, frame, self.width)


def arrange(
    columns: Sequence[Column[R]], width: int, *, wide: bool = False, offset: int = 0
) -> list[Placed[R]]:
    """Choose the columns that fit in `width` cells, and place them.

    Normally columns take their narrow width, then the highest priorities are left out, then the
    growing ones shrink. If wide, or scrolled by `offset` columns: all in their order, the first
    always shown, the last one cut.
    """
    candidates = [column for column in columns if wide or not column.wide_only]
    if offset or wide:
        chosen, widths = _scrolled(candidates, width, offset)
    else:
        chosen, widths = _chosen(candidates, width)
    _grow(chosen, widths, width)
    placed: list[Placed[R]] = []
    x = 0
    for column, column_width in zip(chosen, widths, strict=True):
        placed.append(Placed(column, x, column_width))
        x += column_width + GAP
    return placed


def last_offset(columns: Sequence[Column[R]], width: int, *, wide: bool) -> int:
    """Return how many columns can be scrolled away until the last one is fully visible."""
    candidates = [column for column in columns if wide or not column.wide_only]
    if not candidates or _total([column.width for column in candidates]) <= width:
        return 0
    room = width - candidates[0].width - GAP
    shown = 0
    for column in reversed(candidates[1:]):
        room -= column.width
        if room < 0:
            break
        room -= GAP
        shown += 1
    return max(0, len(candidates) - 1 - max(1, shown))


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * max(0, len(widths) - 1)


def _chosen(candidates: list[Column[R]], width: int) -> tuple[list[Column[R]], list[int]]:
    chosen = list(candidates)
    widths = [column.width for column in chosen]
    if _total(widths) > width:
        widths = [
            column.width if column.narrow_width is None else column.narrow_width
            for column in chosen
        ]
    while _total(widths) > width and len(chosen) > 1:
        least = max(range(len(chosen)), key=lambda i: (chosen[i].priority, i))
        if chosen[least].priority == 0:
            break
        del chosen[least], widths[least]
    _widen(chosen, widths, width)
    _shrink(chosen, widths, width)
    while _total(widths) > width and len(chosen) > 1:
        overflow = _total(widths) - width
        if widths[-1] - overflow >= MIN_WIDTH:
            widths[-1] -= overflow
        else:
            del chosen[-1], widths[-1]
    if widths:
        widths[0] = max(0, min(widths[0], width))
    return chosen, widths


def _widen(chosen: list[Column[R]], widths: list[int], width: int) -> None:
    """Restore the width of narrowed columns if the columns left out made enough room."""
    for i, column in enumerate(chosen):
        if column.width > widths[i] and _total(widths) + column.width - widths[i] <= width:
            widths[i] = column.width


def _shrink(chosen: list[Column[R]], widths: list[int], width: int) -> None:
    while (overflow := _total(widths) - width) > 0:
        growing = [i for i, column in enumerate(chosen) if column.grow and widths[i] > MIN_WIDTH]
        if not growing:
            return
        widest = max(growing, key=lambda i: widths[i])
        widths[widest] -= min(overflow, max(1, (widths[widest] - MIN_WIDTH) // 2))


def _scrolled(
    candidates: list[Column[R]], width: int, offset: int
) -> tuple[list[Column[R]], list[int]]:
    chosen = candidates[:1]
    widths = [min(column.width, width) for column in chosen]
    for column in candidates[1 + offset :]:
        room = width - _total(widths) - GAP
        if room < MIN_WIDTH and room < column.width:
            break
        chosen.append(column)
        widths.append(min(column.width, room))
    return chosen, widths


def _grow(chosen: list[Column[R]], widths: list[int], width: int) -> None:
    spare = width - _total(widths)
    shares = sum(column.grow for column in chosen)
    if spare <= 0 or not shares:
        return
    given = 0
    last = max(i for i, column in enumerate(chosen) if column.grow)
    for i, column in enumerate(chosen):
        if column.grow:
            part = spare - given if i == last else spare * column.grow // shares
            widths[i] += part
            given += part
