"""Numbers and texts as cells, in human units; `?` where a value is unknown."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, tzinfo
from functools import lru_cache
from typing import Final, TypeVar

from ..model.text import units
from ..widgets.table.cells import Cell
from ..widgets.table.column import Column, Frame

R = TypeVar("R")

UNKNOWN: Final[Cell] = ("?", "muted")
NOTHING: Final[Cell] = ("", "text")


def column(
    id_: str,
    title: str,
    width: int,
    cell: Callable[[R, Frame], Cell],
    priority: int = 0,
    *,
    wide_only: bool = False,
) -> Column[R]:
    """Return a right-aligned column that sorts by the key of its own id, the largest first."""
    return Column(
        id_, title, width, cell, priority,
        justify="right", wide_only=wide_only, sort_key=id_, descending=True,
    )  # fmt: skip


def always(row: object) -> bool:
    """Return True, for a column whose cells change each second."""
    return True


def text_of(
    get: Callable[[R], str | None], style: str = "text", missing: Cell = NOTHING
) -> Callable[[R, Frame], Cell]:
    """Return the function of a column that shows a row's text."""

    def cell(row: R, frame: Frame) -> Cell:
        value = get(row)
        return (value, style) if value else missing

    return cell


def number(
    value: float | None, text: Callable[[float], str], style: str = "text", zero: str = "muted"
) -> Cell:
    """Return a number's cell; zero is muted, so that the rest stands out."""
    if value is None:
        return UNKNOWN
    return text(value), style if value else zero


def count(value: int | None, style: str = "text") -> Cell:
    """Return a whole number's cell."""
    return UNKNOWN if value is None else (units.count(value), style if value else "muted")


def seconds(value: float | None, style: str = "text") -> Cell:
    """Return a duration's cell."""
    return number(value, units.duration, style, zero=style)


def bytes_of(value: int | None) -> Cell:
    """Return a size's cell."""
    return UNKNOWN if value is None else (units.size(value), "text")


def per_second(value: float | None) -> Cell:
    """Return a rate's cell, in at most seven characters."""
    if value is not None and 0.1 <= value < 0.95:
        return f"{value:.1f}/s", "text"
    return number(value, units.rate)


def time_of_day(at: float | None, frame: Frame) -> Cell:
    """Return the cell of a time of day, or of how long ago it was; empty for None."""
    if at is None:
        return NOTHING
    if frame.relative:
        return units.ago(at, frame.now), "muted"
    return units.clock(at, UTC if frame.utc else None), "muted"


def time_or_date(at: float, frame: Frame, width: int) -> Cell:
    """Return the cell of a time of today, or of another day's date, with the time if it fits.

    If times are relative, it is how long ago that was.
    """
    if frame.relative:
        return units.ago(at, frame.now), "muted"
    zone = UTC if frame.utc else None
    begins, ends = frame.today
    if begins <= at < ends:
        return _clock(int(round(at, 3)), zone, time.tzname), "muted"
    then, today = units.date_time(at, zone), units.date_time(frame.now, zone)
    if then[:4] == today[:4] and width >= len("11-21 14:02"):
        return then[5:16], "muted"
    return (then[:10] if width >= len("2026-11-21") else then[2:10]), "muted"


@lru_cache(maxsize=2_048)
def _clock(second: int, zone: tzinfo | None, local: tuple[str, str]) -> str:
    """Return a time of day. Each change of a row draws its times again.

    `local` is the local zone, which `zone` None stands for.
    """
    return units.clock(second, zone)
