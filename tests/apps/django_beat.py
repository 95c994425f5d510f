# mypy: disable-error-code="untyped-decorator"
"""A Django project of two files, whose periodic tasks are in its database."""

from __future__ import annotations

import os

# Celery sets Django up when it finds this.
os.environ["DJANGO_SETTINGS_MODULE"] = "django_beat_settings"

from celery import Celery

app = Celery("django_beat", broker=os.environ.get("TEST_BROKER_URL", "memory://"))
app.conf.beat_scheduler = "django_celery_beat.schedulers:DatabaseScheduler"
app.conf.timezone = "Europe/Vienna"


@app.task
def tick(*args: object) -> None:
    """Do nothing."""
