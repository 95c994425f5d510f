"""What people type into forms, read exactly or refused with the reason: nothing is guessed."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from .sanitize import visible

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_PART: Final = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*(ms|s|m|h|d|w)", re.IGNORECASE)
_RATE: Final = re.compile(r"(\d+(?:\.\d+)?)(?:/([smh]))?")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
MAX_DURATION: Final = 366 * 86_400.0
"""Seconds in a leap year: a longer one is a slip of the finger, and overflows dates elsewhere."""
_LONGEST: Final = 40


class ParseError(ValueError):
    """What is wrong with a text, in words for who types it."""


def integer(text: str, least: int | None = None, most: int | None = None) -> int:
    """Return a whole number.

    Raises:
        Mistyped: It is none, or not within the bounds.
    """
    if not text.strip():
        raise ParseError("needed: a whole number")
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip()):
        raise ParseError("not a whole number")
    value = int(text)
    if least is not None and value < least:
        raise ParseError(f"at least {least:,}")
    if most is not None and value > most:
        raise ParseError(f"at most {most:,}")
    return value


def duration(text: str) -> float:
    """Return the seconds of `30s`, `5m`, `1h30m`, `250ms` or a number of seconds.

    Raises:
        Mistyped: It is no duration, or longer than a year.
    """
    text = text.strip()
    try:
        seconds = float(text) if re.fullmatch(r"\d+(\.\d+)?|\.\d+", text) else _sum(text)
    except OverflowError:
        seconds = math.inf
    if seconds > MAX_DURATION:
        raise ParseError("longer than a year")
    return seconds


def _sum(text: str) -> float:
    position, seconds = 0, 0.0
    while position < len(text):
        found = _PART.match(text, position)
        if found is None:
            raise ParseError("as 30s, 5m, 1h30m")
        seconds += float(found[1]) * _UNITS[found[2].lower()]
        position = found.end()
    if not text:
        raise ParseError("as 30s, 5m, 1h30m")
    return seconds


def seconds_text(seconds: float | None) -> str:
    """Return a duration as it is typed and read back the same: `90`, `5m`, `1h`; `` for None."""
    if seconds is None:
        return ""
    for unit in ("h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{int(seconds // _UNITS[unit])}{unit}"
    return f"{seconds!r}".removesuffix(".0") + "s"


def rate(text: str) -> str:
    """Return a rate limit as Celery reads it: `10/m`, `5/s`, `100/h`; `0` is no limit.

    A number alone is by the second (`celery.utils.time.rate`).

    Raises:
        Mistyped: It is none.
    """
    text = text.strip().lower()
    if text in ("", "none", "no limit"):
        return "0"
    found = _RATE.fullmatch(text)
    if found is None:
        raise ParseError("as 10/m, 5/s or 100/h; 0 is no limit")
    if not float(found[1]):
        return "0"
    return f"{float(found[1]):.12g}/{found[2] or 's'}"


def moment(text: str, now: float, zone: tzinfo | None = None) -> float:
    """Return a time as epoch seconds.

    Args:
        text: ISO 8601, with or without an offset, or a time of day: the next one.
        now: Our clock, in epoch seconds.
        zone: Of a time without an offset; None is the machine's own.

    Raises:
        Mistyped: It is no time, or one that the clocks of the zone skip.
    """
    text = text.strip()
    here = datetime.fromtimestamp(now, UTC).astimezone(zone).replace(tzinfo=None)
    clock = _CLOCK.fullmatch(text)
    try:
        if clock is not None:
            hour, minute, second = (int(part or 0) for part in clock.groups())
            found = here.replace(hour=hour, minute=minute, second=second, microsecond=0)
            if found <= here:
                found += timedelta(days=1)
        else:
            found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.timestamp()
        at = (found.replace(tzinfo=zone) if zone is not None else found).timestamp()
        back = datetime.fromtimestamp(at, UTC).astimezone(zone).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        raise ParseError("as 14:30, 2027-01-15 08:00 or 2027-01-15T08:00:00Z") from None
    if back != found:
        raise ParseError(f"the clocks skip {visible(text, _LONGEST)} that day")
    return at
