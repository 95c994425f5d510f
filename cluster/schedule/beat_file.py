"""The file of beat's default scheduler, read without unpickling it.

`celery.beat.PersistentScheduler` keeps a shelve: a database of `dbm` with pickled values. Its key
`entries` has a dict of `celery.beat.ScheduleEntry`, each pickled with its arguments:
(name, task, last_run_at, total_run_count, schedule, args, kwargs, options). Beat writes it
every three minutes and when it exits (`beat_sync_every`).
"""

from __future__ import annotations

import contextlib
import dbm
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from ..results.backends.plain_pickle import Inert, NotPlain, read
from .beat_schedule import crontab_plan, is_plain
from .raw import MAX_ENTRIES, Plan, RawEntry

MAX_BYTES: Final = 8 << 20
"""Size of the pickled entries that are read."""
_SUFFIXES: Final = (".db", ".dat", ".dir", ".bak", ".pag")
_FIELDS: Final = 8


class UnreadableFile(Exception):
    """The file is missing, of an unknown format, or being written; the text is the reason."""


def read_file(path: str) -> list[RawEntry]:
    """Return the entries of a schedule file.

    Args:
        path: As in `celery beat -s`, with or without the suffix that the database adds.

    Raises:
        UnreadableFile: It cannot be read.
    """
    data = _value(path, b"entries")
    if len(data) > MAX_BYTES:
        raise UnreadableFile(f"its entries have {len(data):,} bytes")
    try:
        entries = read(data, objects=True)
    except NotPlain as error:
        raise UnreadableFile(f"its entries cannot be read without unpickling ({error})") from None
    if not isinstance(entries, dict):
        raise UnreadableFile("it has no entries")
    found = [_entry(entry) for entry in list(entries.values())[:MAX_ENTRIES]]
    return [entry for entry in found if entry is not None]


def _value(path: str, key: bytes) -> bytes:
    base = next((path[: -len(end)] for end in _SUFFIXES if path.endswith(end)), path)
    name, kind = path, dbm.whichdb(path)
    if not kind and base != path:
        name, kind = base, dbm.whichdb(base)
    if kind is None:
        missing = not any(Path(path + end).exists() for end in ("", *_SUFFIXES))
        raise UnreadableFile("there is no such file" if missing else "it cannot be opened")
    if not kind:
        raise UnreadableFile("it is not a database of Python's dbm")
    # A running beat has locked a database of gdbm; `u` reads it nevertheless.
    flag: Any = "ru" if kind == "dbm.gnu" else "r"
    try:
        with contextlib.closing(dbm.open(name, flag)) as database:
            return bytes(database[key])
    except KeyError:
        raise UnreadableFile("it has no entries") from None
    except Exception as error:  # each format has errors of its own
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise UnreadableFile(reason) from None


def _entry(entry: Any) -> RawEntry | None:
    if not isinstance(entry, Inert) or len(entry.args) < _FIELDS:
        return None
    name, task, last_run, runs, schedule, args, kwargs, options = entry.args[:_FIELDS]
    at = _epoch(last_run)
    total = runs if isinstance(runs, int) else None
    plain = [_plain(args or ()), _plain(kwargs or {}), _plain(options or {})]
    return RawEntry(
        str(name),
        str(task),
        _plan(schedule),
        plain[0],
        plain[1],
        plain[2] if isinstance(plain[2], dict) else {},
        exact=plain == [args or (), kwargs or {}, options or {}] and is_plain(plain),
        # Of an entry that has not run yet, it is the time when beat first saw it.
        last_run_at=at if total else None,
        changed_at=at,
        total_runs=total,
    )


def _plain(value: Any) -> Any:
    """Return a value with descriptions of objects as text."""
    if isinstance(value, Inert):
        return f"<{value.of if isinstance(value.of, str) else 'object'}>"
    if isinstance(value, list | tuple):
        return type(value)(_plain(one) for one in value)
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    return value


def _plan(schedule: Any) -> Plan:
    if not isinstance(schedule, Inert):
        return Plan(text="unknown schedule")
    name, args = str(schedule.of), schedule.args
    if name == "celery.schedules.schedule" and args and (every := _delta(args[0])) is not None:
        return Plan("interval", every.total_seconds())
    if name == "celery.schedules.crontab" and len(args) == 5:
        minute, hour, day_of_week, day_of_month, month_of_year = (_plain(one) for one in args)
        return crontab_plan(minute, hour, day_of_month, month_of_year, day_of_week)
    if name == "celery.schedules.solar" and len(args) >= 3:
        event, latitude, longitude = args[:3]
        if isinstance(latitude, int | float) and isinstance(longitude, int | float):
            return Plan("solar", event=str(event), latitude=latitude, longitude=longitude)
    return Plan(text=name)


def _delta(value: Any) -> timedelta | None:
    if isinstance(value, Inert) and value.of == "datetime.timedelta" and len(value.args) == 3:
        return timedelta(*value.args)
    return None


def _epoch(value: Any) -> float | None:
    """Return the time of a `datetime`: ten bytes, and a time zone unless it is naive."""
    if not isinstance(value, Inert) or value.of != "datetime.datetime" or not value.args:
        return None
    state = value.args[0]
    if not isinstance(state, bytes) or len(state) != 10:
        return None
    year, month = state[0] * 256 + state[1], state[2] & 0x7F
    microsecond = int.from_bytes(state[7:], "big")
    zone = _zone(value.args[1]) if len(value.args) > 1 else UTC
    try:
        day, hour, minute, second = state[3:7]
        at = datetime(year, month, day, hour, minute, second, microsecond, zone)
        return at.replace(fold=state[2] >> 7).timestamp()
    except (ValueError, OverflowError):
        return None


def _zone(value: Any) -> tzinfo:
    """Return a time zone; UTC if its class is unknown."""
    if not isinstance(value, Inert):
        return UTC
    if value.of == "datetime.timezone" and value.args:
        return timezone(_delta(value.args[0]) or timedelta())
    # `zoneinfo.ZoneInfo._unpickle(key, from_cache)`.
    if value.args and isinstance(value.args[0], str):
        with contextlib.suppress(KeyError, OSError, ValueError):
            return ZoneInfo(value.args[0])
    return UTC
