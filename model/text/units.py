"""Formats durations, counts, sizes, rates and times for people."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, tzinfo
from typing import Final

UNKNOWN: Final = "?"
"""Shown for an unknown number; never 0."""

NEVER: Final = "never"

_LARGEST_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"))
_SIZES: Final = ("KiB", "MiB", "GiB", "TiB", "PiB")

_LARGEST_FRACTIONAL: Final = 1e5
"""A larger number is shown without its fraction."""
_LARGEST_WHOLE: Final = 1e15
"""A larger number is shown with an exponent."""

_MAX_VALUE_PART: Final = 8
"""Characters of a number below 60 with its unit, or of a unit."""
_UNIT: Final = re.compile(r"(?:ms|[smhd]|[KMGTP]i?B|B)(?!\w)|%")
_LARGE_UNIT: Final = re.compile(r"(?:^|\W)[mhd]$")
_SMALL_PART: Final = re.compile(r"\d{1,2} [smh](?!\w)")


def duration(seconds: float | None) -> str:
    """Return `4 ms`, `0.1 s`, `41 s`, `2 m 4 s`, `3 h 12 m` or `5 d 2 h`."""
    if seconds is None or math.isnan(seconds):
        return UNKNOWN
    if seconds < 0:
        return "-" + duration(-seconds)
    if math.isinf(seconds):
        return NEVER
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.0005 else "0 s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _pair(whole, 60, "m", 1, "s")
    if whole < 86_400:
        return _pair(whole, 3600, "h", 60, "m")
    return _pair(whole, 86_400, "d", 3600, "h")


def age(at: float | None, now: float) -> str:
    """Return how long ago a time was, or `in 5 s` for a future one."""
    if at is None:
        return UNKNOWN
    seconds = now - at
    return f"in {duration(-seconds)}" if seconds < -0.5 else duration(max(0.0, seconds))


def elapsed(at: float | None, now: float) -> str:
    """Return how long ago a past time was: `0 s` if a clock was set back since then."""
    return UNKNOWN if at is None else duration(max(0.0, now - at))


def ago(at: float | None, now: float) -> str:
    """Return `41 s ago`, `12 m ago`, `3 h ago` or `5 d ago`, or `in 5 s` for a future time."""
    if at is None or not math.isfinite(at):
        return UNKNOWN
    whole = round(abs(now - at))
    size, unit = next((one for one in _LARGEST_UNITS if whole >= one[0]), (1, "s"))
    text = f"{whole // size} {unit}"
    return f"in {text}" if at > now and whole else f"{text} ago"


def within(seconds: float) -> str:
    """Return `within 45 s`, `within 2 h`: rounded up to a whole unit."""
    whole = math.ceil(seconds)
    size, unit = next((one for one in _LARGEST_UNITS if whole >= one[0]), (1, "s"))
    return f"within {-(-whole // size)} {unit}"


def count(number: int | None) -> str:
    """Return `1,204`."""
    return UNKNOWN if number is None else f"{number:,}"


def amount(number: float) -> str:
    """Return a finite number of any unit: `3`, `123,456,789`, `0.25`."""
    if abs(number) >= _LARGEST_WHOLE:
        return f"{number:.6g}"
    is_whole = number == round(number) or abs(number) >= _LARGEST_FRACTIONAL
    return f"{number:,.0f}" if is_whole else f"{number:,.6g}"


def steps(current: float | None, total: float | None) -> str:
    """Return how far a task has come, as it reports it: `3 of 10`, `42`; empty if it does not."""
    if current is None:
        return ""
    return f"{amount(current)} of {amount(total)}" if total else amount(current)


def size(bytes_: float | None) -> str:
    """Return `512 B`, `12.3 MiB`."""
    if bytes_ is None or not math.isfinite(bytes_):
        return UNKNOWN
    if abs(bytes_) < 1024:
        return f"{bytes_:.0f} B"
    amount = bytes_
    for unit in _SIZES:
        amount /= 1024
        if abs(amount) < 1023.95 or unit == _SIZES[-1]:
            break
    return f"{amount:,.1f} {unit}"


def rate(per_second: float | None) -> str:
    """Return `0/s`, `1,204/s`, `12.3/s`, or a rate per minute or hour if that reads better."""
    if per_second is None or not math.isfinite(per_second):
        return UNKNOWN
    if per_second >= 99.5:
        return f"{per_second:,.0f}/s"
    for factor, unit in ((1, "s"), (60, "min"), (3600, "h")):
        amount = per_second * factor
        if amount >= 0.95 or unit == "h":
            break
    text = f"{amount:.1f}"
    return f"{text.removesuffix('.0')}/{unit if amount else 's'}"


def percent(share: float | None) -> str:
    """Return `0.8 %` or `54 %` for a share of 0 to 1."""
    if share is None or not math.isfinite(share):
        return UNKNOWN
    amount = share * 100
    return f"{amount:.1f} %" if 0 < abs(amount) < 9.95 else f"{amount:.0f} %"


def clock(epoch: float | None, tz: tzinfo | None = None) -> str:
    """Return `14:02:11` in a time zone; None is the local one."""
    moment = _moment(epoch, tz)
    return UNKNOWN if moment is None else moment.isoformat("T", "seconds")[11:19]


def date_time(epoch: float | None, tz: tzinfo | None = None) -> str:
    """Return `2026-11-21 14:02:11.250` in a time zone; None is the local one."""
    moment = _moment(epoch, tz)
    if moment is None:
        return UNKNOWN
    return moment.replace(tzinfo=None).isoformat(" ", "milliseconds")


def zone_name(epoch: float, *, utc: bool) -> str:
    """Return the zone of a displayed time, `CET` or `UTC`; empty if local time is UTC anyway."""
    moment = _moment(epoch, None)
    local = None if moment is None else moment.astimezone()
    if local is None or not local.utcoffset():
        return ""
    return "UTC" if utc else local.tzname() or ""


def iso(epoch: float | None) -> str | None:
    """Return `2026-11-21T01:02:03.456Z`, or None if it is unknown or out of range."""
    moment = _moment(epoch, UTC)
    if moment is None:
        return None
    return moment.replace(tzinfo=None).isoformat("T", "milliseconds") + "Z"


def _moment(epoch: float | None, tz: tzinfo | None) -> datetime | None:
    """Return a time in a zone; in the local one, which is None, it has no offset."""
    if epoch is None or not math.isfinite(epoch):
        return None
    try:
        return datetime.fromtimestamp(round(epoch, 3), tz)
    except (OverflowError, ValueError, OSError):
        return None


def is_within_value(text: str, blank: int) -> bool:
    """Return whether a blank is between a number and its unit, or within `2 m 4 s`.

    Args:
        text: A text with values as this module writes them.
        blank: The index of the blank.
    """
    before, after = text[max(0, blank - 2) : blank], text[blank + 1 : blank + 1 + _MAX_VALUE_PART]
    if before[-1:].isdecimal():
        return _UNIT.match(after) is not None
    return _LARGE_UNIT.search(before) is not None and _SMALL_PART.match(after) is not None


def _pair(whole: int, big: int, big_unit: str, small: int, small_unit: str) -> str:
    major, rest = divmod(whole, big)
    minor = rest // small
    return f"{major} {big_unit} {minor} {small_unit}" if minor else f"{major} {big_unit}"
