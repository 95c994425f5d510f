"""Entries as their sources have them, in plain values, and the entries of the model made of them.

Celery's own schedules compute the times, so that they are those at which beat sends.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice, pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from ...model.entities.schedule import UPCOMING, ScheduleEntry, ScheduleKind, ScheduleSource
from ...model.text import schedules as words
from ...model.text.coerce import MAX_FIELD_LENGTH, MAX_NAME_LENGTH, to_text
from ...model.text.masking import MASK

MAX_ENTRIES: Final = 1_000
"""Entries read from one source."""
MAX_ARGUMENTS: Final = 20_000
"""Characters of the arguments of an entry."""
_CALL_OPTIONS: Final = frozenset({"queue", "priority", "expires", "headers", "periodic_task_name"})
"""Options with a field of their own."""


class Plan(msgspec.Struct, frozen=True):
    """When an entry is due, as text and numbers."""

    kind: ScheduleKind = "other"
    every: float | None = None
    """Seconds."""
    minute: str = "*"
    hour: str = "*"
    day_of_month: str = "*"
    month_of_year: str = "*"
    day_of_week: str = "*"
    zone: str | None = None
    """The time zone of a crontab, by its name; None is the app's."""
    event: str = ""
    latitude: float = 0.0
    longitude: float = 0.0
    at: float | None = None
    """The only time of a `clocked` schedule."""
    text: str = ""
    """The text of an unknown schedule."""


class RawEntry(msgspec.Struct, frozen=True):
    """One entry; times are epoch seconds."""

    name: str
    task: str = ""
    plan: Plan = Plan()
    args: Any = ()
    kwargs: Any = {}
    options: dict[str, Any] = {}
    exact: bool = True
    """Whether arguments and options are plain JSON values."""
    definition: str = ""
    """The schedule in the notation of the source; empty: that of its kind."""
    enabled: bool = True
    one_off: bool = False
    starts_at: float | None = None
    expires_at: float | None = None
    last_run_at: float | None = None
    changed_at: float | None = None
    total_runs: int | None = None


def entry_of(raw: RawEntry, source: ScheduleSource, zone: tzinfo, now: float) -> ScheduleEntry:
    """Return the entry of the model.

    Args:
        raw: The entry as its source has it.
        source: The source.
        zone: The time zone of the app.
        now: From when on the next times are computed, epoch seconds.
    """
    plan, options = raw.plan, raw.options
    note, upcoming, due = "", [], None
    since = raw.last_run_at if raw.last_run_at is not None else raw.changed_at
    try:
        own_zone = ZoneInfo(plan.zone) if plan.zone else zone
        due = None if since is None else next(times_after(plan, since, own_zone), None)
        if due is not None and raw.starts_at is not None and raw.last_run_at is None:
            due = max(due, raw.starts_at)
        upcoming = _upcoming(raw, own_zone, due, now)
    except Exception as error:  # a schedule that never occurs, an unknown zone, a missing library
        note = f"next time unknown: {' '.join(str(error).split())[:200] or type(error).__name__}"
    gaps = [later - earlier for earlier, later in pairwise(upcoming)]
    args = tuple(raw.args) if isinstance(raw.args, list | tuple) else ()
    kwargs = dict(raw.kwargs) if isinstance(raw.kwargs, Mapping) else {}
    size = len(repr((args, kwargs)))
    if size > MAX_ARGUMENTS:
        args, kwargs = (), {}
        note = note or f"arguments not read: {size:,} characters"
    expires = options.get("expires")
    return ScheduleEntry(
        name=_name(raw.name),
        task=_name(raw.task),
        source=source,
        schedule=in_words(plan, zone),
        kind=plan.kind,
        definition=_text(raw.definition or _definition(plan)),
        every=plan.every if plan.kind == "interval" else None,
        zone=(plan.zone or str(zone)) if plan.kind == "crontab" else None,
        args=args,
        kwargs=kwargs,
        exact=raw.exact and size <= MAX_ARGUMENTS and MASK not in repr((args, kwargs)),
        queue=_name(options["queue"]) if isinstance(options.get("queue"), str) else None,
        priority=options["priority"] if isinstance(options.get("priority"), int) else None,
        expires_in=float(expires) if isinstance(expires, int | float) else None,
        headers=dict(options["headers"]) if isinstance(options.get("headers"), Mapping) else {},
        options={key: value for key, value in options.items() if key not in _CALL_OPTIONS},
        enabled=raw.enabled,
        one_off=raw.one_off,
        starts_at=raw.starts_at,
        expires_at=raw.expires_at,
        last_run_at=raw.last_run_at,
        changed_at=raw.changed_at,
        total_runs=raw.total_runs,
        due_at=due,
        upcoming=tuple(upcoming),
        spacing=plan.every if plan.kind == "interval" else min(gaps, default=None),
        note=note,
    )


def in_words(plan: Plan, zone: tzinfo) -> str:
    """Return a schedule in words."""
    if plan.kind == "interval":
        return words.interval(plan.every or 0.0)
    if plan.kind == "crontab":
        fields = (plan.minute, plan.hour, plan.day_of_month, plan.month_of_year, plan.day_of_week)
        return _text(words.crontab(*fields, plan.zone or str(zone)))
    if plan.kind == "solar":
        return _text(words.solar(plan.event, plan.latitude, plan.longitude))
    if plan.kind == "clocked" and plan.at is not None:
        return f"once at {datetime.fromtimestamp(plan.at, zone):%Y-%m-%d %H:%M:%S %Z}"
    return _text(plan.text) or "unknown schedule"


def _definition(plan: Plan) -> str:
    if plan.kind == "crontab":
        fields = (plan.minute, plan.hour, plan.day_of_month, plan.month_of_year, plan.day_of_week)
        return " ".join(fields)
    if plan.kind == "interval":
        return f"{plan.every:g} s"
    if plan.kind == "solar":
        return f"{plan.event} {plan.latitude:g} {plan.longitude:g}"
    return plan.text


def _upcoming(raw: RawEntry, zone: tzinfo, due: float | None, now: float) -> list[float]:
    plan, after = raw.plan, now
    if raw.starts_at is not None and raw.starts_at > now:
        # A time in the same minute counts.
        after = raw.starts_at - 1.0
    if plan.kind == "interval" and plan.every:
        if due is None:
            return []
        # An overdue entry is sent at once.
        times = iter([max(due, after) + number * plan.every for number in range(UPCOMING)])
    else:
        times = times_after(plan, after, zone)
    most = 1 if raw.one_off else UPCOMING
    return [at for at in islice(times, most) if raw.expires_at is None or at < raw.expires_at]


def times_after(plan: Plan, after: float, zone: tzinfo) -> Iterator[float]:
    """Yield the times after a run at `after`, one after the other; none for unknown schedules.

    Raises:
        Exception: The schedule never occurs, or needs a library that is not installed.
    """
    if plan.kind == "interval" and plan.every is not None and plan.every > 0:
        for number in range(1, UPCOMING + 1):
            yield after + number * plan.every
    elif plan.kind == "crontab":
        yield from _crontab_times(plan, after, zone)
    elif plan.kind == "solar":
        yield from _solar_times(plan, after)
    elif plan.kind == "clocked" and plan.at is not None and plan.at > after:
        yield plan.at


def _crontab_times(plan: Plan, after: float, zone: tzinfo) -> Iterator[float]:
    from celery.schedules import crontab

    at = datetime.fromtimestamp(after, zone)
    schedule = crontab(
        plan.minute,
        plan.hour,
        plan.day_of_week,
        plan.day_of_month,
        plan.month_of_year,
        nowfun=lambda: at,
    )
    # They are properties that ask the current app, which this process does not have.
    schedule.tz, schedule.utc_enabled = zone, True
    for _ in range(UPCOMING):
        last, delta, _now = schedule.remaining_delta(at)
        # By local time, as beat counts; in UTC a time that daylight saving time skips
        # becomes one that exists.
        at = (last + delta).astimezone(UTC).astimezone(zone)
        yield at.timestamp()


def _solar_times(plan: Plan, after: float) -> Iterator[float]:
    from celery.schedules import solar

    at = datetime.fromtimestamp(after, UTC)
    schedule = solar(plan.event, plan.latitude, plan.longitude, nowfun=lambda: at)
    schedule.tz, schedule.utc_enabled = UTC, True
    for _ in range(UPCOMING):
        at = at + schedule.remaining_estimate(at) + timedelta(seconds=1)
        yield math.floor(at.timestamp() - 1)


def zone_of(name: object, *, utc: bool = True) -> tzinfo:
    """Return the time zone of an app by its settings `timezone` and `enable_utc`."""
    if isinstance(name, str) and name:
        try:
            return ZoneInfo(name)
        except (KeyError, OSError, ValueError):
            return UTC
    if utc:
        return ZoneInfo("UTC")
    from celery.utils.time import timezone

    local: tzinfo = timezone.local
    return local


def _name(value: object) -> str:
    return to_text(value if isinstance(value, str) else str(value), MAX_NAME_LENGTH) or ""


def _text(value: str) -> str:
    return to_text(value, MAX_FIELD_LENGTH) or ""
