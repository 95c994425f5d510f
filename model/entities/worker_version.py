"""The version of the code in a worker: a difference is a deploy."""

from __future__ import annotations

import msgspec


class WorkerVersion(msgspec.Struct, frozen=True, gc=False):
    """The software and the tasks of a worker."""

    software: str | None
    """Celery's name and version, such as `py-celery 5.4.0`."""
    tasks: tuple[str, ...]
    """The names of the registered tasks, sorted."""
