"""Columns of a live table, and which of them fit into a width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from ...model.entities.clock_skew import NO_SKEWS, ClockSkews
from ..glyphs import UNICODE, Glyphs
from .cells import Cell, Justify

R = TypeVar("R")
Row = TypeVar("Row", covariant=True)

GAP = 1
"""Cells between two columns."""
SMALLEST = 4
"""A column is not shrunk below this; it is left out instead."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a cell may need to know of the moment at which it is drawn."""

    now: float
    """Seconds since the epoch."""
    glyphs: Glyphs = UNICODE
    utc: bool = False
    skews: ClockSkews = field(default_factory=lambda: NO_SKEWS, hash=False)
    """Seconds that hosts' clocks are ahead of ours, where that matters."""

    def now_at(self, host: str | None) -> float:
        """Return the time by a host's clock, to compare with what it told."""
        return self.now + self.skews.get(host or "", 0.0)

    def ours(self, at: float, host: str | None) -> float:
        """Return by our clock a time that a host told by its own."""
        return at - self.skews.get(host or "", 0.0)


@dataclass(frozen=True)
class Column(Generic[R]):
    """One column: what it shows of a row, and how it behaves where there is little room."""

    id: str
    title: str
    width: int
    cell: Callable[[R, Frame], Cell | Sequence[Cell]]
    priority: int = 0
    """0 is always shown; of the others the highest goes first."""
    grow: int = 0
    """Share of the room that is left over; 0 keeps the width."""
    justify: Justify = "left"
    wide_only: bool = False
    ticks: Callable[[R], bool] | None = None
    """Whether a row's cell changes by itself each second (an elapsed time)."""
    sort_key: str | None = None
    """What the rows' `set_order` calls it; None cannot be sorted by."""
    narrow_width: int | None = None
    """The width to fall back to before any column is left out."""
    descending: bool = False
    """Whether sorting by it begins with the largest."""
    fill: Callable[[R, Frame, int], Sequence[Cell]] | None = None
    """What it shows in so many cells, where that depends on how many there are; then this is asked
    in place of `cell`."""


class Rows(Protocol[Row]):
    """What a live table shows: a sequence of rows that knows where each id is."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Row: ...

    def index(self, row_id: str, /) -> int | None:
        """Return where the row is, or None if it is not shown."""
        ...

    def set_order(self, key: str, descending: bool, /) -> None:
        """Sort by a column's `sort_key`."""
        ...


@dataclass(frozen=True, slots=True)
class Placed(Generic[R]):
    """A column at its place on a line."""

    column: Column[R]
    x: int
    width: int

    def content(self, row: R, frame: Frame) -> Cell | Sequence[Cell]:
        """Return what it shows of a row."""
        fill = self.column.fill
        return self.column.cell(row, frame) if fill is None else fill(row, frame, self.width)


def arrange(
    columns: Sequence[Column[R]], width: int, *, wide: bool = False, offset: int = 0
) -> list[Placed[R]]:
    """Choose the columns to show within `width` cells and give each its place.

    Narrow: columns fall back to their narrow width, then the highest priorities are left out, then
    the growing ones shrink. Wide, or scrolled by `offset` columns: all in their order, the first
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
    """Return how many columns can be scrolled away: until the last one is seen whole."""
    candidates = [column for column in columns if wide or not column.wide_only]
    if not candidates or _taken([column.width for column in candidates]) <= width:
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


def _taken(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * max(0, len(widths) - 1)


def _chosen(candidates: list[Column[R]], width: int) -> tuple[list[Column[R]], list[int]]:
    chosen = list(candidates)
    widths = [column.width for column in chosen]
    if _taken(widths) > width:
        widths = [
            column.width if column.narrow_width is None else column.narrow_width
            for column in chosen
        ]
    while _taken(widths) > width and len(chosen) > 1:
        worst = max(range(len(chosen)), key=lambda i: (chosen[i].priority, i))
        if chosen[worst].priority == 0:
            break
        del chosen[worst], widths[worst]
    _widen(chosen, widths, width)
    _shrink(chosen, widths, width)
    while _taken(widths) > width and len(chosen) > 1:
        overflow = _taken(widths) - width
        if widths[-1] - overflow >= SMALLEST:
            widths[-1] -= overflow
        else:
            del chosen[-1], widths[-1]
    if widths:
        widths[0] = max(0, min(widths[0], width))
    return chosen, widths


def _widen(chosen: list[Column[R]], widths: list[int], width: int) -> None:
    """Give narrowed columns their width back where the left out ones made room for it."""
    for i, column in enumerate(chosen):
        if column.width > widths[i] and _taken(widths) + column.width - widths[i] <= width:
            widths[i] = column.width


def _shrink(chosen: list[Column[R]], widths: list[int], width: int) -> None:
    while (overflow := _taken(widths) - width) > 0:
        growing = [i for i, column in enumerate(chosen) if column.grow and widths[i] > SMALLEST]
        if not growing:
            return
        widest = max(growing, key=lambda i: widths[i])
        widths[widest] -= min(overflow, max(1, (widths[widest] - SMALLEST) // 2))


def _scrolled(
    candidates: list[Column[R]], width: int, offset: int
) -> tuple[list[Column[R]], list[int]]:
    chosen = candidates[:1]
    widths = [min(column.width, width) for column in chosen]
    for column in candidates[1 + offset :]:
        room = width - _taken(widths) - GAP
        if room < SMALLEST and room < column.width:
            break
        chosen.append(column)
        widths.append(min(column.width, room))
    return chosen, widths


def _grow(chosen: list[Column[R]], widths: list[int], width: int) -> None:
    spare = width - _taken(widths)
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
