"""RedBeat's schedule in Redis, read with two commands and one for each entry that has run.

`<prefix>:schedule` is a sorted set of the entries' keys by when they are due, `<prefix><name>` a
hash of `definition` and `meta`, both JSON, `<prefix>:lock` the lock of the beat that is running
(`redbeat/schedulers.py`). Disabled entries stay in the set with the time at which they were due.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from .beat_schedule import crontab_plan
from .raw import MAX_ENTRIES, Plan, RawEntry

PREFIX: Final = "redbeat:"
FEW_ENTRIES: Final = 20
"""Entries that are all read each time: a change of one that is not due moves nothing."""
ROUNDS: Final = 10
"""Each time of so many, all entries are read."""


class RedBeat(NamedTuple):
    """The entries that were read."""

    entries: list[RawEntry]
    left_out: int
    """Entries beyond `MAX_ENTRIES`."""
    lock_s: float | None
    """Seconds for which the running beat still holds the lock; None if there is no lock."""


class RedBeatReader:
    """Reads the entries, and again only those whose due time has changed.

    Args:
        prefix: `redbeat_key_prefix`.
        lock: `redbeat_lock_key` as set in the app.
    """

    def __init__(self, prefix: str = PREFIX, lock: str | None = None) -> None:
        self._prefix = prefix
        lock = lock or f"{prefix}:lock"
        self._lock = lock if lock.startswith(prefix) else prefix + lock
        self._rounds = 0
        self._known: dict[bytes, tuple[float, RawEntry | None]] = {}

    def read(self, client: Any) -> RedBeat | None:
        """Return the schedule; None if there is none."""
        key = f"{self._prefix}:schedule"
        with client.pipeline(transaction=False) as pipe:
            pipe.zrange(key, 0, MAX_ENTRIES - 1, withscores=True)
            pipe.zcard(key)
            pipe.pttl(self._lock)
            members, count, ttl = pipe.execute()
        if not members:
            self._known = {}
            return None
        self._rounds += 1
        if len(members) <= FEW_ENTRIES or self._rounds % ROUNDS == 0:
            self._known = {}
        changed = [
            (member, score)
            for member, score in members
            if member not in self._known or self._known[member][0] != score
        ]
        with client.pipeline(transaction=False) as pipe:
            for member, _ in changed:
                pipe.hmget(member, "definition", "meta")
            found = pipe.execute() if changed else []
        for (member, score), (definition, meta) in zip(changed, found, strict=True):
            self._known[member] = score, _entry(definition, meta)
        self._known = {member: self._known[member] for member, _ in members}
        entries = [entry for _, entry in self._known.values() if entry is not None]
        return RedBeat(entries, max(0, count - len(members)), ttl / 1000 if ttl >= 0 else None)


def _entry(definition: Any, meta: Any) -> RawEntry | None:
    """Return an entry; None if it is not one, or was deleted."""
    try:
        fields, state = json.loads(definition or "null"), json.loads(meta or "{}")
    except ValueError:
        return None
    if not isinstance(fields, Mapping) or not isinstance(state, Mapping):
        return None
    options, at = fields.get("options"), _epoch(state.get("last_run_at"))
    # Of an entry that has not run yet, it is the time when it was added.
    total = _number(state.get("total_run_count")) or 0
    return RawEntry(
        str(fields.get("name", "")),
        str(fields.get("task", "")),
        _plan(fields.get("schedule")),
        fields.get("args") or (),
        fields.get("kwargs") or {},
        dict(options) if isinstance(options, Mapping) else {},
        enabled=bool(fields.get("enabled", True)),
        last_run_at=at if total else None,
        changed_at=at,
        total_runs=total,
    )


def _plan(schedule: Any) -> Plan:
    kind = schedule.get("__type__") if isinstance(schedule, Mapping) else None
    if kind == "interval" and isinstance(schedule["every"], int | float):
        return Plan("interval", float(schedule["every"]))
    if kind == "crontab":
        names = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
        return crontab_plan(*(schedule.get(name, "*") for name in names))
    if kind == "rrule":
        shown = {key: value for key, value in schedule.items() if value and key != "__type__"}
        return Plan(text=f"rrule {shown}")
    return Plan(text=json.dumps(schedule))


def _epoch(value: Any) -> float | None:
    """Return the time of RedBeat's JSON of a `datetime`."""
    if not isinstance(value, Mapping):
        return None
    names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    zone = value.get("timezone", "UTC")
    try:
        offset = timezone(timedelta(seconds=zone)) if isinstance(zone, int | float) else None
        year, month, day, hour, minute, second, fraction = (
            int(value.get(name, 0)) for name in names
        )
        tz = offset or (ZoneInfo(zone) if zone != "UTC" else UTC)
        return datetime(year, month, day, hour, minute, second, fraction, tz).timestamp()
    except (KeyError, OSError, TypeError, ValueError, OverflowError):
        return None


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else None
