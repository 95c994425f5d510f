"""Reads the setting `beat_schedule`: from the app as objects, from workers' replies as text."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import islice
from typing import Any, Final

from .raw import MAX_ENTRIES, Plan, RawEntry

_CRONTAB: Final = re.compile(
    r"<crontab: (\S+) (\S+) (\S+) (\S+) (\S+) \((m/h/d(?:M/MY/d|/dM/MY))\)>"
)
"""The repr of `celery.schedules.crontab`; before Celery 5.4 the day of the week comes third."""
_FREQUENCY: Final = re.compile(r"<freq: ([\d.]+) (second|minute|hour|day)s?>")
_DELTA: Final = re.compile(r"(?:(\d+) days?, )?(\d+):(\d\d):(\d\d(?:\.\d+)?)")
_SOLAR: Final = re.compile(r"<solar: (\w+) at latitude (-?[\d.]+), longitude: (-?[\d.]+)>")
_SECONDS: Final = {"second": 1.0, "minute": 60.0, "hour": 3_600.0, "day": 86_400.0}


def entries(schedule: Mapping[str, Any]) -> Iterable[RawEntry]:
    """Yield the entries of a `beat_schedule`; values may be objects, or text in a reply."""
    for name, fields in islice(schedule.items(), MAX_ENTRIES):
        if not isinstance(fields, Mapping):
            continue
        options = dict(fields.get("options") or {})
        args, kwargs = fields.get("args") or (), fields.get("kwargs") or {}
        yield RawEntry(
            str(name),
            str(fields.get("task", "")),
            plan_of(fields.get("schedule")),
            args,
            kwargs,
            options,
            exact=is_plain([args, kwargs, options]),
        )


def plan_of(schedule: Any) -> Plan:
    """Return the plan of a schedule: one of Celery's objects, a number, or its repr."""
    if isinstance(schedule, timedelta):
        return Plan("interval", schedule.total_seconds())
    if isinstance(schedule, int | float) and math.isfinite(schedule):
        return Plan("interval", float(schedule))
    if isinstance(schedule, str):
        return _from_text(schedule)
    if hasattr(schedule, "_orig_minute"):
        zone = vars(schedule).get("tz")
        return crontab_plan(
            schedule._orig_minute,
            schedule._orig_hour,
            schedule._orig_day_of_month,
            schedule._orig_month_of_year,
            schedule._orig_day_of_week,
            None if zone is None else str(zone),
        )
    if hasattr(schedule, "event") and hasattr(schedule, "lat"):
        latitude, longitude = float(schedule.lat), float(schedule.lon)
        return Plan("solar", event=schedule.event, latitude=latitude, longitude=longitude)
    if hasattr(schedule, "clocked_time"):
        return Plan("clocked", at=schedule.clocked_time.timestamp())
    if hasattr(schedule, "run_every"):
        return plan_of(schedule.run_every)
    return Plan(text=str(schedule))


def crontab_plan(
    minute: Any,
    hour: Any,
    day_of_month: Any,
    month_of_year: Any,
    day_of_week: Any,
    zone: str | None = None,
) -> Plan:
    """Return the plan of a crontab, whose fields may be numbers, texts or lists."""
    return Plan(
        "crontab",
        minute=_field(minute),
        hour=_field(hour),
        day_of_month=_field(day_of_month),
        month_of_year=_field(month_of_year),
        day_of_week=_field(day_of_week),
        zone=zone,
    )


def is_plain(value: Any) -> bool:
    """Return whether a value is JSON as it stands, so that it can be sent as an argument."""
    try:
        return bool(_lists(value) == json.loads(json.dumps(value)))
    except (TypeError, ValueError, RecursionError):
        return False


def _lists(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_lists(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _lists(one) for key, one in value.items()}
    return value


def _field(value: Any) -> str:
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(map(str, sorted(value, key=str) if isinstance(value, set) else value))
    return "".join(str(value).split())


def _from_text(text: str) -> Plan:
    if found := _CRONTAB.fullmatch(text):
        fields = list(found.groups()[:5])
        if found[6] == "m/h/d/dM/MY":
            fields = [*fields[:2], *fields[3:], fields[2]]
        return crontab_plan(*fields)
    if found := _FREQUENCY.fullmatch(text):
        return Plan("interval", float(found[1]) * _SECONDS[found[2]])
    if found := _DELTA.fullmatch(text):
        days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
        return Plan("interval", days * 86_400 + hours * 3_600 + minutes * 60 + seconds)
    if found := _SOLAR.fullmatch(text):
        return Plan("solar", event=found[1], latitude=float(found[2]), longitude=float(found[3]))
    return Plan(text=text)
