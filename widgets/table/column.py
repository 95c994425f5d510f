"""Columns of a live table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from ...model.entities.clock_skew import NO_SKEWS, ClockSkews
from ..glyphs import UNICODE, Glyphs

if TYPE_CHECKING:
    # Commands that print data need no `rich`, which cells are measured with.
    from .cells import Cell, Justify

R = TypeVar("R")
Row = TypeVar("Row", covariant=True)

GAP = 1
"""Cells between columns."""


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
    observed_until: float | None = None
    """Up to when the cluster is known, if that is not `now`: since then, nothing is received."""

    @property
    def look(self) -> tuple[object, ...]:
        """How all cells are drawn: they are drawn again when it changes."""
        return self.glyphs, self.utc, self.relative, self.today

    @property
    def today(self) -> tuple[float, float]:
        """When the day begins and ends, in epoch seconds."""
        return _day(int(self.now // 60), self.utc)

    def now_at(self, host: str | None) -> float:
        """Return the current time by a host's clock, to compare with its timestamps."""
        return self.now + self.skews.get(host or "", 0.0)

    def running_at(self, host: str | None) -> float:
        """Return the time by a host's clock up to which its running tasks are known to run."""
        until = self.now if self.observed_until is None else self.observed_until
        return until + self.skews.get(host or "", 0.0)

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
    """The width to use before it is left out."""
    brief: bool = False
    """Whether its narrow width is enough to recognize a value, as of an id: it takes more only if
    no other text is cut."""
    max_width: int | None = None
    """The width up to which a graph takes cells that no text needs; see `fill`."""
    keeps_end: bool = False
    """Whether the start of a long text is cut, as of a dotted name."""
    shorten: Callable[[str, int, str], str] | None = None
    """Returns a short form of a text for a width, with an ellipsis; used if the text is wider."""
    descending: bool = False
    """Whether sorting starts with the largest."""
    remark: bool = False
    """Whether it is of use only if its texts differ from row to row."""
    equal: bool = False
    """Whether it is as wide as the other columns of this kind, to compare their texts."""
    fixed: bool = False
    """Whether its width is the user's choice, and stays."""
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
