"""Reads the numbers, durations, rates and times that people type, exactly or not at all."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from .sanitize import visible

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_NUMBER: Final = r"\d+(?:\.\d*)?|\.\d+"
_DURATION_PART: Final = re.compile(rf"\s*({_NUMBER})\s*(ms|[smhdw])", re.IGNORECASE)
_SIZE: Final = re.compile(rf"({_NUMBER})\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_RATE: Final = re.compile(r"(\d+(?:\.\d+)?)(?:/([smh]))?")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
MAX_DURATION: Final = 36_525 * 86_400.0
"""Seconds in a hundred years; dates further in the future overflow."""
_MAX_SHOWN: Final = 40


class ParseError(ValueError):
    """States what is wrong with a typed text."""


def integer(text: str, least: int | None = None, most: int | None = None) -> int:
    """Return a whole number.

    Raises:
        ParseError: The text is not a whole number, or out of bounds.
    """
    if not text.strip():
        raise ParseError("enter a whole number")
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip()):
        raise ParseError(f"not a whole number: {visible(text, _MAX_SHOWN)}")
    value = int(text)
    if least is not None and value < least:
        raise ParseError(f"must be at least {least:,}")
    if most is not None and value > most:
        raise ParseError(f"must be at most {most:,}")
    return value


def duration(text: str) -> float:
    """Return the seconds of `30s`, `5m`, `1h30m`, `1h 30m`, `250ms` or a plain number of seconds.

    Raises:
        ParseError: The text is not a duration, or one of more than a hundred years.
    """
    stripped = text.strip()
    if re.fullmatch(_NUMBER, stripped):
        seconds = float(stripped)
    elif stripped and not _DURATION_PART.sub("", stripped):
        parts = _DURATION_PART.findall(stripped)
        seconds = sum(float(amount) * _UNITS[unit.lower()] for amount, unit in parts)
    else:
        shown = visible(text, _MAX_SHOWN)
        raise ParseError(f"not a duration: {shown} (use 300ms, 5s, 2m, 1h30m or 1d)")
    if seconds > MAX_DURATION:
        raise ParseError("longer than a hundred years")
    return seconds


def size(text: str) -> int:
    """Return the bytes of `100MB`, `1.5 GiB`, `64k` or a plain number of bytes; k is 1024.

    Raises:
        ParseError: The text is not a size.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ParseError(f"not a size: {visible(text, _MAX_SHOWN)} (use 500KB, 100MB or 1GB)")
    power = " kmgt".index(found[2].lower() or " ")
    return int(float(found[1]) * 1024**power)


def seconds_text(seconds: float | None) -> str:
    """Return a duration in the form that `duration` reads: `90s`, `5m`, `1h`; `` for None."""
    if seconds is None:
        return ""
    for unit in ("h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{int(seconds // _UNITS[unit])}{unit}"
    return f"{seconds!r}".removesuffix(".0") + "s"


def rate(text: str) -> str:
    """Return a rate limit in Celery's form: `10/m`, `5/s`, `100/h`; `0` is no limit.

    A number alone is per second (`celery.utils.time.rate`).

    Raises:
        ParseError: The text is not a rate.
    """
    text = text.strip().lower()
    if text in ("", "none", "no limit"):
        return "0"
    found = _RATE.fullmatch(text)
    if found is None:
        raise ParseError("not a rate limit: use 10/m, 5/s or 100/h, or 0 for no limit")
    if not float(found[1]):
        return "0"
    return f"{float(found[1]):.12g}/{found[2] or 's'}"


def reported_rate(rate: str) -> str | None:
    """Return a rate limit as workers report it: None for the `0`, `0/m` or `None` of no limit."""
    return None if rate == "None" or not rate.partition("/")[0].strip("0.") else rate


def moment(text: str, now: float, zone: tzinfo | None = None) -> float:
    """Return the epoch seconds of an ISO 8601 time, or of the next time of a day, such as 14:30.

    A time without an offset is in `zone`; None is the local one.

    Raises:
        ParseError: The text is not a time, or one that a daylight saving change skips.
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
        raise ParseError(
            "not a time: use 14:30, 2027-01-15 08:00 or 2027-01-15T08:00:00Z"
        ) from None
    if back != found:
        shown = visible(text, _MAX_SHOWN)
        raise ParseError(f"{shown} does not exist: the clocks are set forward then")
    return at
