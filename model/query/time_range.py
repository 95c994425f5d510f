"""Ranges of time in the filter language: dates and times, or how long ago.

finished:2026-11-01..2026-11-07    from the beginning of the first day to the end of the last
finished:2026-11-01                on that day; a time stands for its whole minute or second
finished:yesterday                 on the day before today; also `today`
finished:"2026-11-01 14:30"..      from then on; 2026-11-01T14:30 needs no quotes
finished:<=2026-11-01              until the end of that day
finished:>1d                       more than a day ago, so at an earlier time
finished:1h..2h                    between one and two hours ago
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import ClassVar, Final

from ..text.parse import ParseError, duration

_DATE: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?P<second>:\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?)?",
    re.IGNORECASE,
)
_RANGE_SIGN: Final = ".."
_DAYS: Final = {"today": 0, "yesterday": -1}
"""Days by name, relative to the present one."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time: epoch seconds, or seconds before the present."""

    seconds: float
    ago: bool = False

    def at(self, now: float) -> float:
        """Return the epoch seconds, given the present time."""
        return now - self.seconds if self.ago else self.seconds


@dataclass(frozen=True, slots=True)
class Midnight:
    """The beginning of a day, counted from the present one."""

    days: int
    zone: tzinfo | None
    ago: ClassVar[bool] = False

    @property
    def seconds(self) -> float:
        """Its place among others."""
        return float(self.days)

    def at(self, now: float) -> float:
        """Return the epoch seconds, given the present time."""
        return _midnight(int(now // 60), self.days, self.zone)


@lru_cache(maxsize=16)
def _midnight(minute: int, days: int, zone: tzinfo | None) -> float:
    """Return when the day begins; no day begins within a minute of the epoch."""
    today = datetime.fromtimestamp(minute * 60, zone).replace(hour=0, minute=0, second=0)
    return (today + timedelta(days=days)).timestamp()


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A span of time from `low` on and before `high`; None is no limit."""

    low: Moment | Midnight | None
    high: Moment | Midnight | None

    @property
    def relative(self) -> bool:
        """Whether it moves with the present time."""
        return any(
            limit is not None and (limit.ago or isinstance(limit, Midnight))
            for limit in (self.low, self.high)
        )

    def bounds(self, now: float) -> tuple[float | None, float | None]:
        """Return both limits in epoch seconds."""
        return (
            None if self.low is None else self.low.at(now),
            None if self.high is None else self.high.at(now),
        )

    def contains(self, at: float, now: float) -> bool:
        """Return whether a time is in the range."""
        if self.low is not None and at < self.low.at(now):
            return False
        return self.high is None or at < self.high.at(now)


def parse_time_range(field: str, sign: str, text: str, zone: tzinfo | None = None) -> TimeRange:
    """Return the range that a comparison, a date or `A..B` stands for.

    Args:
        field: The field's name, for the error.
        sign: `<`, `<=`, `>`, `>=`, `=` or nothing.
        text: The rest of the value.
        zone: The time zone of times without an offset; None is the local one.

    Raises:
        ValueError: The text is no time and no duration, or the range ends before it begins.
    """
    if sign in ("", "="):
        first, dots, last = text.partition(_RANGE_SIGN)
        if dots:
            return _between(first.strip(), last.strip(), zone)
        low, high = _ends(text, zone)
        if low.ago:
            raise ParseError(f"add a comparison: {field}:<{text} or {field}:>{text}")
        return TimeRange(low, high)
    low, high = _ends(text, zone)
    if low.ago:  # the longer ago, the earlier
        return TimeRange(None, low) if sign.startswith(">") else TimeRange(low, None)
    if sign.startswith(">"):
        return TimeRange(high if sign == ">" else low, None)
    return TimeRange(None, low if sign == "<" else high)


def _between(first: str, last: str, zone: tzinfo | None) -> TimeRange:
    low = _ends(first, zone)[0] if first else None
    high = _ends(last, zone)[1] if last else None
    if low is not None and high is not None and type(low) is type(high) and low.ago == high.ago:
        if low.ago and low.seconds < high.seconds:
            low, high = high, low  # `1h..2h` reads as well as `2h..1h`
        elif not low.ago and low.seconds > high.seconds:
            raise ParseError(f"the range ends before it begins: {first}..{last}")
    return TimeRange(low, high)


def _ends(text: str, zone: tzinfo | None) -> tuple[Moment | Midnight, Moment | Midnight]:
    """Return the beginning and the end of a day, minute or second; a duration has no length."""
    day = _DAYS.get(text.lower())
    if day is not None:
        return Midnight(day, zone), Midnight(day + 1, zone)
    found = _DATE.fullmatch(text)
    if found is None:
        try:
            ago = Moment(duration(text), ago=True)
        except ParseError:
            days = ", ".join(_DAYS)
            raise ParseError(
                f"not a time: {text[:40]} (use {days}, 1d, 2026-11-01 or 2026-11-01T14:30)"
            ) from None
        return ago, ago
    if len(text) == len("2026-11-01"):
        length = timedelta(days=1)
    else:
        length = timedelta(seconds=1) if found["second"] else timedelta(minutes=1)
    try:
        begins = datetime.fromisoformat(text.upper())
        if begins.tzinfo is None and zone is not None:
            begins = begins.replace(tzinfo=zone)
        return Moment(begins.timestamp()), Moment((begins + length).timestamp())
    except (ValueError, OverflowError, OSError):
        raise ParseError(f"no such date or time: {text}") from None
