"""The settings of `django_project`."""

from __future__ import annotations

import os

SECRET_KEY = "for tests"
INSTALLED_APPS = ["django_celery_results"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["TEST_DATABASE"],
        "PASSWORD": "hunter2secret",
    }
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
TIME_ZONE = "Asia/Tokyo"
USE_TZ = os.environ.get("TEST_USE_TZ", "1") == "1"
