"""The demo's Celery app. The supervisor sets its URLs in the environment."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_process_init

from .parent_death import end_with_parent

app = Celery("celtop-demo", include=["celtop.demo.tasks"])

app.conf.update(
    task_send_sent_event=True,
    task_track_started=True,
    result_extended=True,
    # Workers do not report a result backend that only the environment names.
    result_backend=os.environ.get("CELERY_RESULT_BACKEND"),
    result_expires=900,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=True,
    broker_connection_retry_on_startup=True,
    task_routes={
        "images.download": {"queue": "downloads"},
        "images.make_qr": {"queue": "qr"},
        "geo.*": {"queue": "geo_processing"},
        "mail.*": {"queue": "mail"},
        "tags.*": {"queue": "tags"},
        "notifications.*": {"queue": "notifications"},
    },
    beat_schedule={
        "classify feedback": {
            "task": "tags.classify",
            "schedule": 20.0,
            "args": ("Lane 3 is closed again",),
        },
        "lane reminders": {
            "task": "bookings.remind",
            "schedule": crontab(),
            "args": ("Anna", 3),
            "options": {"expires": 50},
        },
        "weekly report": {
            "task": "reports.weekly",
            "schedule": crontab(0, 7, day_of_week="mon"),
            "args": (1, ["board@example.org"]),
        },
    },
)


def task(name: str, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return Celery's task decorator, with a type."""
    decorator: Callable[[Callable[..., Any]], Any] = app.task(name=name, **options)
    return decorator


@worker_process_init.connect  # type: ignore[untyped-decorator]
def _end_pool_with_worker(**_: Any) -> None:
    """End the pool's processes with their worker, which does not do so when it is killed."""
    end_with_parent()
