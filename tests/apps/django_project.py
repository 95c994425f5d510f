"""A Django project of one file, whose tasks keep their results by django-celery-results."""

from __future__ import annotations

import os

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="for tests",
    INSTALLED_APPS=["django_celery_results"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["TEST_DATABASE"],
            "PASSWORD": "hunter2secret",
        }
    },
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    TIME_ZONE="Asia/Tokyo",
    USE_TZ=os.environ.get("TEST_USE_TZ", "1") == "1",
)
django.setup()

from results import app as app  # type: ignore[import-not-found]  # noqa: E402
