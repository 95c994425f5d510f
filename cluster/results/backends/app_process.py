"""The child process that reads a result backend with the monitored app's own code.

`python -m celtop.cluster.results.backends.app_process APP REQUESTS ANSWERS` loads the app and
answers each JSON line on one file descriptor with a line on the other, until the input ends. The
first request names the backend, the others contain task ids.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from ...app_probe import load_app

_COLUMNS: Final = (
    "task_id", "status", "result", "traceback", "meta", "date_created", "date_started",
    "date_done", "worker", "task_name", "periodic_task_name", "task_args", "task_kwargs",
    "content_type", "content_encoding",
)  # fmt: skip
"""Columns of `django_celery_results.models.TaskResult`, if the installed version has them."""

_TIMES: Final = ("date_created", "date_started", "date_done")

_READY_STATES: Final = ("SUCCESS", "FAILURE", "REVOKED")

Read: TypeAlias = Callable[[Sequence[str] | int], Mapping[str, Any]]
"""Returns the entries of the given ids, or the given number of the newest entries."""


def main(app: str, requests: str, answers: str) -> None:
    """Answer requests until the parent closes the pipe: the whole life of the child."""
    read: Read | None = None
    with os.fdopen(int(requests), "rb") as pipe, os.fdopen(int(answers), "wb") as out:
        for line in pipe:
            request = json.loads(line)
            try:
                if read is None:
                    read = _open(app, request["backend"])
                    found: Mapping[str, Any] = {}
                else:
                    found = read(request.get("ids", request.get("limit")))
                answer: dict[str, Any] = {"found": found}
            except BaseException as error:  # an app may call sys.exit() while it is imported
                lines = traceback.format_exception(error, chain=False)
                answer = {"error": "".join(lines).strip().splitlines()[-1]}
            out.write(json.dumps(answer).encode() + b"\n")
            out.flush()
    # Skip the app's threads and exit handlers, which may wait forever.
    os._exit(0)


def _open(name: str, url: str) -> Read:
    from celery.app import backends
    from celery.backends.base import BaseKeyValueStoreBackend

    app = load_app(name)
    found, place = backends.by_url(url, app.loader)
    backend = found(app=app, url=place)
    if hasattr(backend, "TaskModel"):
        return _django(backend)
    pickles = any(one.__module__ == "django_celery_results.backends.cache" for one in found.__mro__)
    if pickles or not isinstance(backend, BaseKeyValueStoreBackend):
        raise TypeError(f"celtop cannot read results of {found.__module__}.{found.__qualname__}")
    return _key_value(backend)


def _django(backend: Any) -> Read:
    from django.db import close_old_connections

    model = backend.TaskModel
    present = {field.name for field in model._meta.get_fields()}
    columns = [name for name in _COLUMNS if name in present]

    def read(ids: Sequence[str] | int) -> dict[str, Any]:
        # As at the end of a web request: replaces a connection that the server closed.
        close_old_connections()
        kept = model._default_manager
        if isinstance(ids, int):
            rows = (
                kept.filter(status__in=_READY_STATES).order_by("-date_done").values(*columns)[:ids]
            )
        else:
            rows = kept.filter(task_id__in=ids).values(*columns)
        return {row["task_id"]: {"row": {**row, **_times(row)}} for row in rows}

    return read


def _times(row: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the times of a row as epoch seconds; Django's are in its own time zone if naive."""
    from django.utils import timezone

    times: dict[str, float | None] = {}
    for name in _TIMES:
        at = row.get(name)
        if at is not None:
            at = (timezone.make_aware(at) if timezone.is_naive(at) else at).timestamp()
        times[name] = at
    return times


def _key_value(backend: Any) -> Read:
    def read(ids: Sequence[str] | int) -> dict[str, Any]:
        if isinstance(ids, int):
            return {}
        found = {}
        for id_ in ids:
            payload = backend.get(backend.get_key_for_task(id_))
            if payload:
                data = payload.encode() if isinstance(payload, str) else bytes(payload)
                found[id_] = {"payload": base64.b64encode(data).decode()}
        return found

    return read


if __name__ == "__main__":
    main(*sys.argv[1:])
