"""The child process that reads beat's schedule with the monitored app's own code.

`python -m celtop.cluster.schedule.app_process APP REQUESTS ANSWERS` loads the app and answers each
JSON line on one file descriptor with a line on the other: `{"read": true}` with the setting
`beat_schedule` and the rows of django-celery-beat, `{"enable": NAMES, "enabled": BOOL}` after
changing those rows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, Final

import msgspec

from ..app_child import serve
from ..app_probe import load_app
from .beat_schedule import entries, is_plain, plan_of
from .raw import MAX_ENTRIES, RawEntry

_REDBEAT: Final = ("redbeat_redis_url", "redbeat_key_prefix", "redbeat_lock_key")
_SETTINGS: Final = ("timezone", "enable_utc", "beat_scheduler", "beat_sync_every")


def main(app: str, requests: str, answers: str) -> None:
    """Answer requests until the parent closes the pipe: the whole life of the child."""
    loaded: list[Any] = []

    def answer(request: Mapping[str, Any]) -> dict[str, Any]:
        if not loaded:
            loaded.append(load_app(app))
        if "enable" in request:
            return {"changed": _enable(request["enable"], enabled=request["enabled"])}
        return _read(loaded[0])

    serve(requests, answers, answer)


def _read(app: Any) -> dict[str, Any]:
    conf = app.conf
    rows = _rows()
    return {
        "entries": [_plain(one) for one in entries(dict(conf.beat_schedule or {}))],
        "rows": None if rows is None else [_plain(one) for one in rows],
        "redbeat": {name: conf.get(name) for name in _REDBEAT},
        "settings": {name: _text_or_plain(conf.get(name)) for name in _SETTINGS},
    }


def _text_or_plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _plain(entry: RawEntry) -> Any:
    """Return an entry as JSON values; arguments of other types as their repr."""
    return msgspec.to_builtins(entry, enc_hook=repr)


def _model() -> Any:
    """Return django-celery-beat's model; None if the project does not use it."""
    if "django" not in sys.modules:
        return None
    import django
    from django.apps import apps
    from django.conf import settings

    if not settings.configured:
        return None
    if not apps.ready:
        django.setup()
    if not apps.is_installed("django_celery_beat"):
        return None
    return apps.get_model("django_celery_beat", "PeriodicTask")


def _rows() -> Iterable[RawEntry] | None:
    model = _model()
    if model is None:
        return None
    from django.db import close_old_connections

    # As at the end of a web request: replaces a connection that the server closed.
    close_old_connections()
    rows = model._default_manager.select_related("interval", "crontab", "solar", "clocked")
    return [_entry(row) for row in islice(rows.order_by("name"), MAX_ENTRIES)]


def _entry(row: Any) -> RawEntry:
    import json

    values: dict[str, Any] = {}
    exact = True
    for name, empty in (("args", []), ("kwargs", {}), ("headers", {})):
        try:
            values[name] = json.loads(getattr(row, name) or "null") or empty
        except ValueError:
            values[name], exact = empty, False
    options = {
        name: value
        for name in ("queue", "exchange", "routing_key", "priority")
        if (value := getattr(row, name)) is not None
    }
    if row.expire_seconds is not None:
        options["expires"] = row.expire_seconds
    if values["headers"]:
        options["headers"] = values["headers"]
    try:
        # What the Django admin shows in its column "scheduler".
        plan, definition = plan_of(row.schedule), str(row.scheduler)
    except Exception as error:  # a row without a schedule
        plan, definition = plan_of(f"no schedule: {error}"), ""
    return RawEntry(
        row.name,
        row.task,
        plan,
        values["args"],
        values["kwargs"],
        options,
        exact and is_plain(options),
        definition,
        row.enabled,
        row.one_off,
        _epoch(row.start_time),
        _epoch(row.expires),
        _epoch(row.last_run_at),
        _epoch(row.date_changed),
        row.total_run_count,
    )


def _epoch(at: datetime | None) -> float | None:
    if at is None:
        return None
    from django.utils import timezone

    return (timezone.make_aware(at) if timezone.is_naive(at) else at).timestamp()


def _enable(names: Iterable[str], *, enabled: bool) -> list[str]:
    """Enable or disable rows as the admin does, so that a running beat reads them again."""
    model = _model()
    if model is None:
        raise LookupError("django-celery-beat is not installed in the project")
    changed = []
    for row in model._default_manager.filter(name__in=list(names)):
        row.enabled = enabled
        row.save()
        changed.append(row.name)
    return changed


if __name__ == "__main__":
    main(*sys.argv[1:])
