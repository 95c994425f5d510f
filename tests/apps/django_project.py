"""A Django project of two files, whose tasks keep their results by django-celery-results."""

from __future__ import annotations

import os

# Celery sets Django up when it finds this.
os.environ["DJANGO_SETTINGS_MODULE"] = "django_settings"

from results import app as app  # type: ignore[import-not-found]


def __getattr__(name: str) -> object:
    """Give `Cache`, a backend that keeps pickles."""
    if name == "Cache":
        from django_celery_results.backends.cache import CacheBackend

        return type("Cache", (CacheBackend,), {})
    raise AttributeError(name)
