"""A worker's configuration, from its reply to `inspect conf`.

Workers report the settings that differ from Celery's defaults. They use the names of the
configuration file: today's (`task_acks_late`), those before Celery 4 (`CELERY_ACKS_LATE`), or, from
Django's settings, today's with a namespace (`CELERY_TASK_ACKS_LATE`) among all of Django's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

from ..entities.worker import CONF_DEFAULTS
from ..text.coerce import MAX_FIELD_LENGTH, MAX_NAME_LENGTH, to_text
from ..text.masking import MASK

MAX_SETTINGS: Final = 2_000
"""Settings read from a reply; Celery has about 210, Django about 150."""
MAX_PARTS: Final = 20_000
"""Values kept in one setting, such as `beat_schedule`."""
MAX_LEVELS: Final = 12

_OLD_NAMES: Final[Mapping[str, str]] = {
    "CELERY_ACKS_LATE": "task_acks_late",
    "CELERY_ALWAYS_EAGER": "task_always_eager",
    "CELERY_ANNOTATIONS": "task_annotations",
    "CELERY_CREATE_MISSING_QUEUES": "task_create_missing_queues",
    "CELERY_DEFAULT_QUEUE": "task_default_queue",
    "CELERY_DEFAULT_RATE_LIMIT": "task_default_rate_limit",
    "CELERY_DISABLE_RATE_LIMITS": "worker_disable_rate_limits",
    "CELERY_IGNORE_RESULT": "task_ignore_result",
    "CELERY_QUEUES": "task_queues",
    "CELERY_REJECT_ON_WORKER_LOST": "task_reject_on_worker_lost",
    "CELERY_ROUTES": "task_routes",
    "CELERY_SEND_EVENTS": "worker_send_task_events",
    "CELERY_SEND_TASK_SENT_EVENT": "task_send_sent_event",
    "CELERY_TASK_RESULT_EXPIRES": "result_expires",
    "CELERY_TRACK_STARTED": "task_track_started",
    "CELERYBEAT_MAX_LOOP_INTERVAL": "beat_max_loop_interval",
    "CELERYBEAT_SCHEDULE": "beat_schedule",
    "CELERYBEAT_SCHEDULE_FILENAME": "beat_schedule_filename",
    "CELERYBEAT_SCHEDULER": "beat_scheduler",
    "CELERYBEAT_SYNC_EVERY": "beat_sync_every",
    "CELERYD_CONCURRENCY": "worker_concurrency",
    "CELERYD_MAX_TASKS_PER_CHILD": "worker_max_tasks_per_child",
    "CELERYD_POOL_RESTARTS": "worker_pool_restarts",
    "CELERYD_PREFETCH_MULTIPLIER": "worker_prefetch_multiplier",
    "CELERYD_TASK_SOFT_TIME_LIMIT": "task_soft_time_limit",
    "CELERYD_TASK_TIME_LIMIT": "task_time_limit",
}
"""Names before Celery 4 that are not just today's in capitals, behind `CELERY_` or not
(`celery.app.defaults`)."""


def parse_conf(reply: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the settings by Celery's names, as bounded plain values.

    Of settings with a namespace, those without it are left out: they are Django's.
    """
    keys = [key for key in islice(reply, MAX_SETTINGS) if isinstance(key, str)]
    namespace = _namespace(keys)
    conf: dict[str, Any] = {}
    for key in keys:
        name = _name(key, namespace)
        if name is not None:
            conf[to_text(name, MAX_NAME_LENGTH) or ""] = _Bounded().value(reply[key], 0)
    return conf


def _namespace(keys: Iterable[str]) -> str:
    """Return what most of Celery's settings in capitals begin with: `CELERY_`, or nothing."""
    found: Counter[str] = Counter()
    for key in keys:
        if key.isupper() and key not in _OLD_NAMES:
            low = key.lower()
            end = next((name for name in _TELLING if low.endswith(f"_{name}")), None)
            if end is not None:
                found[key[: -len(end)]] += 1
    return max(found, key=found.__getitem__, default="")


_TELLING: Final = tuple(name for name in CONF_DEFAULTS if "_" in name)
"""Names of settings that are hardly the end of another's."""


def _name(key: str, namespace: str) -> str | None:
    if key in _OLD_NAMES:
        return _OLD_NAMES[key]
    if namespace:
        return key[len(namespace) :].lower() if key.startswith(namespace) else None
    low = key.lower()
    if low in CONF_DEFAULTS:
        return low
    behind = low.removeprefix("celery_")
    return behind if behind in CONF_DEFAULTS else key


class _Bounded:
    """Copies a value of JSON or msgpack, up to `MAX_PARTS` parts."""

    def __init__(self) -> None:
        self._left = MAX_PARTS

    def value(self, value: Any, level: int) -> Any:
        self._left -= 1
        if value is None or isinstance(value, bool | int | float):
            return value
        if level >= MAX_LEVELS or self._left <= 0:
            return MASK
        if isinstance(value, Mapping):
            items = islice(value.items(), self._left)
            return {
                to_text(key, MAX_NAME_LENGTH) or "": self.value(item, level + 1)
                for key, item in items
            }
        if isinstance(value, list | tuple):
            return [self.value(item, level + 1) for item in value[: self._left]]
        return to_text(value if isinstance(value, str) else repr(value), MAX_FIELD_LENGTH)
