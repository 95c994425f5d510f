"""The child process that reads a result backend with the monitored app's own code.

`python -m celtop.cluster.results.backends.app_process APP REQUESTS ANSWERS` loads the app and
answers each JSON line on one file descriptor with a line on the other, until the input ends. The
first request names the backend; the others read ids, search for entries, or delete them.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from ...app_child import Answer, serve
from ...app_probe import load_app

_COLUMNS: Final = (
    "task_id", "status", "result", "traceback", "meta", "date_created", "date_started",
    "date_done", "worker", "task_name", "periodic_task_name", "task_args", "task_kwargs",
    "content_type", "content_encoding",
)  # fmt: skip
"""Columns of `django_celery_results.models.TaskResult`, if the installed version has them."""

_TIMES: Final = ("date_created", "date_started", "date_done")

_FIELDS: Final = {
    "status": "status",
    "id": "task_id",
    "name": "task_name",
    "worker": "worker",
    "periodic": "periodic_task_name",
    "finished": "date_done",
    "started": "date_started",
    "created": "date_created",
}
"""The model's fields by the columns of `criteria`."""
_LOOKUPS: Final = {
    "in": "in",
    "equals": "exact",
    "contains": "icontains",
    "startswith": "istartswith",
    "endswith": "iendswith",
    "from": "gte",
    "before": "lt",
}
"""Django's lookups by the operators of `criteria`."""


def main(app: str, requests: str, answers: str) -> None:
    """Answer requests until the parent closes the pipe: the whole life of the child."""
    reply: Answer | None = None

    def answer(request: Mapping[str, Any]) -> dict[str, Any]:
        nonlocal reply
        if reply is None:
            reply = _open(app, request["backend"])
            return {}
        return reply(request)

    serve(requests, answers, answer)


def _open(name: str, url: str) -> Answer:
    from celery.app import backends
    from celery.backends.base import BaseKeyValueStoreBackend

    app = load_app(name)
    found, place = backends.by_url(url, app.loader)
    backend = found(app=app, url=place)
    if hasattr(backend, "TaskModel"):
        return _Django(backend.TaskModel)
    pickles = any(one.__module__ == "django_celery_results.backends.cache" for one in found.__mro__)
    if pickles or not isinstance(backend, BaseKeyValueStoreBackend):
        raise TypeError(f"celtop cannot read results of {found.__module__}.{found.__qualname__}")
    return lambda request: _read_keys(backend, request.get("ids"))


class _Django:
    """Reads, searches and deletes rows of `TaskResult`."""

    def __init__(self, model: Any) -> None:
        self._rows = model._default_manager
        present = {field.name for field in model._meta.get_fields()}
        self._columns = [name for name in _COLUMNS if name in present]
        self._fields = {column: name for column, name in _FIELDS.items() if name in present}

    def __call__(self, request: Mapping[str, Any]) -> dict[str, Any]:
        from django.db import close_old_connections

        # As at the end of a web request: replaces a connection that the server closed.
        close_old_connections()
        if "ids" in request:
            return {"found": self._entries(self._rows.filter(task_id__in=request["ids"]))}
        if "columns" in request:
            return {"columns": list(self._fields)}
        if "delete" in request:
            unchanged = self._rows.filter(task_id__in=request["delete"], status=request["status"])
            return {"deleted": unchanged.delete()[1].get(self._rows.model._meta.label, 0)}
        rows = self._rows.filter(*map(self._clause, request["clauses"]))
        if "count" in request:
            most = request["count"]
            return {"count": (rows if most is None else rows[:most]).count()}
        return self._search(rows, request)

    def _search(self, rows: Any, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return one block of rows, the latest first; or by key, those below `before`."""
        limit = request["limit"]
        if not request["by_key"]:
            return {"found": self._entries(rows.order_by("-date_done")[:limit])}
        if request["before"] is not None:
            rows = rows.filter(pk__lt=request["before"])
        keys = list(rows.order_by("-pk").values_list("pk", flat=True)[:limit])
        found = self._entries(self._rows.filter(pk__in=keys).order_by("-pk"))
        return {"found": found, "last": keys[-1] if len(keys) == limit else None}

    def _entries(self, rows: Any) -> dict[str, Any]:
        found = rows.values(*self._columns)
        return {row["task_id"]: {"row": {**row, **_times(row)}} for row in found}

    def _clause(self, clause: Mapping[str, Any]) -> Any:
        from django.db.models import Q

        found = Q()
        # An empty `Q` is no test, but is left out of an "or".
        for alternative in clause["alternatives"] if all(clause["alternatives"]) else ():
            tests = Q()
            for one in alternative:
                field, lookup = self._fields[one["column"]], _LOOKUPS[one["operator"]]
                value = _moment(one["value"]) if lookup in ("gte", "lt") else one["value"]
                tests &= Q(**{f"{field}__{lookup}": value})
            found |= tests
        return ~found if clause["negated"] else found


def _moment(epoch: float) -> datetime:
    """Return a time as Django's fields take it."""
    from django.conf import settings
    from django.utils import timezone

    at = datetime.fromtimestamp(epoch, UTC)
    return at if settings.USE_TZ else timezone.make_naive(at)


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


def _read_keys(backend: Any, ids: Sequence[str] | None) -> dict[str, Any]:
    if ids is None:
        return {"columns": None}  # it cannot be searched
    found = {}
    for id_ in ids:
        payload = backend.get(backend.get_key_for_task(id_))
        if payload:
            data = payload.encode() if isinstance(payload, str) else bytes(payload)
            found[id_] = {"payload": base64.b64encode(data).decode()}
    return {"found": found}


if __name__ == "__main__":
    main(*sys.argv[1:])
