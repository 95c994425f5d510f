"""Schedules in words: `every 30 seconds`, `weekdays at 09:00 Europe/Berlin`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from typing import Final

from .phrases import counted

MAX_TIMES: Final = 4
"""Times of a day that are listed."""

_DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def interval(seconds: float) -> str:
    """Return `every 30 seconds`, `every hour`, `every 0.5 seconds` or `every 90 minutes`."""
    for size, unit in _UNITS:
        if seconds >= size and seconds % size == 0:
            number = int(seconds // size)
            return f"every {unit}" if number == 1 else f"every {counted(number, unit)}"
    return f"every {seconds:g} seconds"


def solar(event: str, latitude: float, longitude: float) -> str:
    """Return `sunset at 48.2, 16.4`."""
    return f"{event.replace('_', ' ')} at {latitude:g}, {longitude:g}"


def crontab(
    minute: str, hour: str, day_of_month: str, month: str, day_of_week: str, zone: str = ""
) -> str:
    """Return a crontab in words, or in its own notation if there are no simple ones.

    Args:
        minute: As in `celery.schedules.crontab`, like the other fields.
        hour: 0 to 23.
        day_of_month: 1 to 31.
        month: 1 to 12, or names.
        day_of_week: 0 (Sunday) to 6, or names.
        zone: The name of its time zone; empty if unknown.
    """
    days = _days(day_of_month, month, day_of_week)
    times = _times(minute, hour)
    if days is None or times is None:
        words = f"crontab {minute} {hour} {day_of_month} {month} {day_of_week}"
    elif days or times.startswith("at "):
        words = f"{days or 'daily'} {times}"
    else:
        words = times
    return f"{words} {zone}" if zone else words


def _times(minute: str, hour: str) -> str | None:
    """Return the times of a day: `at 09:00 and 17:30`, `every 5 minutes`; None if too complex."""
    minutes, hours = _numbers(minute, 60), _numbers(hour, 24)
    step = _step(minute, 60)
    if minutes and hours and len(minutes) * len(hours) <= MAX_TIMES:
        return "at " + _listed([f"{h:02}:{m:02}" for h, m in product(hours, minutes)])
    if step is not None:
        every = "every minute" if step == 1 else f"every {step} minutes"
        if hour == "*":
            return every
        span = re.fullmatch(r"(\d+)-(\d+)", hour)
        if span:
            return f"{every} from {int(span[1]):02}:00 to {int(span[2]):02}:59"
        if hours and len(hours) == 1:
            return f"{every} from {hours[0]:02}:00 to {hours[0]:02}:59"
        return None
    if minutes is None or len(minutes) > MAX_TIMES:
        return None
    at = "" if minutes == [0] else " at " + _listed([f":{m:02}" for m in minutes])
    hourly = _step(hour, 24)
    if hourly is not None:
        return ("every hour" if hourly == 1 else f"every {hourly} hours") + at
    span = re.fullmatch(r"(\d+)-(\d+)", hour)
    if span and len(minutes) == 1:
        first, last = (f"{int(one):02}:{minutes[0]:02}" for one in span.groups())
        return f"every hour from {first} to {last}"
    return None


def _days(day_of_month: str, month: str, day_of_week: str) -> str | None:
    """Return the days: `weekdays`, `Mondays`, `on day 1 of the month`, or nothing for all."""
    parts = []
    if day_of_week != "*":
        weekdays = _weekdays(day_of_week)
        if weekdays is None:
            return None
        parts.append(weekdays)
    if day_of_month != "*":
        days = _numbers(day_of_month, 32)
        if not days or len(days) > MAX_TIMES:
            return None
        plural = "day" if len(days) == 1 else "days"
        parts.append(f"on {plural} {_listed([str(one) for one in days])} of the month")
    if month != "*":
        months = _named(month, _MONTHS, 1)
        if months is None:
            return None
        parts.append("in " + _listed(months))
    return " ".join(parts)


def _weekdays(text: str) -> str | None:
    days = _named(text, _DAYS, 0)
    if days is None:
        return None
    if set(days) == set(_DAYS[1:6]):
        return "weekdays"
    if set(days) == {"Saturday", "Sunday"}:
        return "weekends"
    if len(days) == len(_DAYS):
        return ""
    if len(days) > MAX_TIMES:
        return f"{days[0]}s to {days[-1]}s" if "," not in text else None
    return _listed([f"{day}s" for day in days])


def _named(text: str, names: Sequence[str], first: int) -> list[str] | None:
    """Return the names of days or months in a field; None if it has steps or other words."""
    found: list[str] = []
    for part in text.split(","):
        ends = [_index(one, names, first) for one in part.strip().split("-")]
        if len(ends) > 2 or any(end is None for end in ends):
            return None
        start, end = ends[0] or 0, ends[-1] or 0
        last = end if end >= start else end + len(names)
        found += [names[at % len(names)] for at in range(start, last + 1)]
    return list(dict.fromkeys(found))


def _index(word: str, names: Sequence[str], first: int) -> int | None:
    if word.isdecimal():
        return int(word) - first if first <= int(word) < first + len(names) else None
    letters = word.lower()
    return next(
        (at for at, name in enumerate(names) if letters in (name.lower(), name[:3].lower())), None
    )


def _numbers(text: str, limit: int) -> list[int] | None:
    """Return the numbers of a list such as `0,30`; None for anything else."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) < limit for part in parts):
        return None
    return sorted({int(part) for part in parts})


def _step(text: str, size: int) -> int | None:
    """Return the step of `*` or `*/5` if it divides the size; otherwise None."""
    if text == "*":
        return 1
    found = re.fullmatch(r"\*/(\d+)", text)
    step = int(found[1]) if found else 0
    return step if step and size % step == 0 else None


def _listed(parts: Sequence[str]) -> str:
    """Return `a`, `a and b` or `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
