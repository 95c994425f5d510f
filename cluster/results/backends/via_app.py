"""Results that only the app's code can read: `django-db` and the app's own backend classes.

The app runs in a child process (`app_process`), which returns the stored data still encoded.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ....model.entities.fault import Fault
from ....model.entities.result import ResultMeta
from ....settings import Settings
from ...app_child import AppChild, ChildFailed
from ...app_probe import LOAD_TIMEOUT
from ...connection.broker import hide
from ..search import MAX_COUNTED, MAX_EXAMINED, Found, Put, ResultSearch
from . import app_process
from .base import NOT_LISTED, ONLY_NEWEST, Collector, ResultReader, ResultsError
from .decode import NOT_DECODABLE, Undecoded, from_mapping, from_payload, load

_BLOCK_SIZE: Final = 200
"""Ids of one request, which must fit into the pipe even if the child does not read it."""
_SEARCH_BLOCK_SIZE: Final = 500
"""Entries in one answer to a search."""
_MAX_ID_BYTES: Final = 255
"""The length of the column in django-celery-results."""
_PLAIN_COLUMNS: Final = (
    *("status", "traceback", "worker", "periodic_task_name"),
    *("date_created", "date_started", "date_done"),
)
"""Columns of django-celery-results that are not encoded."""
_ANSWER_TIMEOUT: Final = 10.0
"""Seconds for an answer once the app is loaded."""
_COUNT_TIMEOUT: Final = 60.0
"""Seconds for the database to count the entries that match."""
_MAX_REASON_LENGTH: Final = 300


class AppResults(ResultReader):
    """Reads through the app that `settings` names; its process ends with the reader."""

    def __init__(self, url: str, settings: Settings) -> None:
        assert settings.app is not None
        self._url = url
        self._settings = settings
        self._app = settings.app
        self._lock = threading.Lock()
        self._child: AppChild | None = None

    def read(self, ids: Sequence[str]) -> dict[str, ResultMeta]:
        """Return the entries of tasks, by id."""
        found: dict[str, ResultMeta] = {}
        ids = [id_ for id_ in ids if len(id_.encode()) <= _MAX_ID_BYTES]
        for start in range(0, len(ids), _BLOCK_SIZE):
            answer = self._ask({"ids": ids[start : start + _BLOCK_SIZE]})
            found |= {id_: _meta(id_, entry) for id_, entry in answer["found"].items()}
        return found

    def search(self, search: ResultSearch, put: Put, stop: threading.Event | None = None) -> Found:
        """Hand over the entries that match a query, the newest first; only for `django-db`."""
        columns = self._ask({"columns": True})["columns"]
        if columns is None:
            return Found(0, True, NOT_LISTED)
        criteria = search.criteria(columns)
        if criteria is None:
            return Found(0)
        request = {"clauses": criteria.clauses, "limit": _SEARCH_BLOCK_SIZE, "by_key": True}
        limit = search.limit
        if criteria.exact and limit is not None and not search.thorough:
            request |= {"limit": limit, "by_key": False}
        collector = Collector(search, put, counts=search.thorough and not criteria.exact)
        ended = self._collect(request, collector, search, stop)
        if ended and (limit is None or request["by_key"] or collector.total < limit):
            return Found(collector.total)
        if collector.full and criteria.exact:
            most = None if search.thorough else MAX_COUNTED + 1
            count = self._ask({"clauses": criteria.clauses, "count": most}, _COUNT_TIMEOUT)["count"]
            more = most is not None and count == most
            return Found(MAX_COUNTED if more else count, more)
        return Found(collector.total, more=True, note="" if collector.full else ONLY_NEWEST)

    def _collect(
        self,
        request: dict[str, Any],
        collector: Collector,
        search: ResultSearch,
        stop: threading.Event | None,
    ) -> bool:
        """Search block by block; return whether all entries were searched."""
        examined, deadline, before = 0, time.monotonic() + search.timeout, None
        while True:
            answer = self._ask({**request, "before": before})
            collector.add([_meta(id_, entry) for id_, entry in answer["found"].items()])
            examined += len(answer["found"])
            before = answer.get("last")
            if before is None:
                return True
            if collector.full or (stop is not None and stop.is_set()):
                return False
            if not search.thorough and (examined >= MAX_EXAMINED or time.monotonic() > deadline):
                return False

    def delete(self, metas: Sequence[ResultMeta]) -> int:
        """Delete entries, in short transactions."""
        deleted = 0
        for start in range(0, len(metas), _BLOCK_SIZE):
            states: dict[str | None, list[str]] = {}
            for meta in metas[start : start + _BLOCK_SIZE]:
                states.setdefault(meta.status, []).append(meta.id)
            for state, ids in states.items():
                deleted += self._ask({"delete": ids, "status": state})["deleted"]
        return deleted

    def close(self) -> None:
        """End the app's process; a read under way fails."""
        child = self._child
        if child is not None:
            child.kill()
        with self._lock:
            self._end()

    def _ask(self, request: Mapping[str, Any], timeout: float = _ANSWER_TIMEOUT) -> dict[str, Any]:
        """Return the answer of the app's process, which is started with the first request."""
        with self._lock:
            try:
                if self._child is None:
                    self._child = AppChild(app_process.__name__, self._app, self._settings.workdir)
                    self._checked(self._child.ask({"backend": self._url}, LOAD_TIMEOUT))
                return self._checked(self._child.ask(request, timeout))
            except ResultsError:
                self._end()
                raise
            except ChildFailed as error:
                self._end()
                raise self._fault(str(error)) from error

    def _checked(self, answer: dict[str, Any]) -> dict[str, Any]:
        if "error" in answer:
            raise self._fault(str(answer["error"]))
        return answer

    def _fault(self, error: str) -> ResultsError:
        reason = " ".join(hide(error, self._url).split())[:_MAX_REASON_LENGTH]
        advice = "celtop runs the app in a child process to read this backend"
        return ResultsError(
            Fault("app", f"The app {self._app} cannot read its results: {reason}", advice)
        )

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close()


def _meta(id_: str, entry: Mapping[str, Any]) -> ResultMeta:
    if "payload" in entry:
        return from_payload(id_, base64.b64decode(entry["payload"]))
    row = entry["row"]
    undecoded, result = None, None
    try:
        result = _column(row, "result")
    except Undecoded as reason:
        undecoded = str(reason)
    meta = _or_none(row, "meta")
    fields = {
        **(meta if isinstance(meta, Mapping) else {}),
        **{name: row.get(name) for name in _PLAIN_COLUMNS},
        "result": result,
        "name": row.get("task_name"),
        "args": _or_none(row, "task_args"),
        "kwargs": _or_none(row, "task_kwargs"),
    }
    # The table has the repr of the arguments (`argsrepr`), not their values.
    return from_mapping(id_, fields, undecoded=undecoded, exact=False)


def _column(row: Mapping[str, Any], name: str) -> Any:
    """Return the value of a column encoded by `encode_content` of django-celery-results.

    Raises:
        Undecoded: It is a pickle of other objects, or an unknown format.
    """
    content = row.get(name)
    if not content:
        return None
    if row.get("content_encoding") == "binary":
        try:
            content = base64.b64decode(content)
        except ValueError:
            raise Undecoded(NOT_DECODABLE) from None
    return load(content)


def _or_none(row: Mapping[str, Any], name: str) -> Any:
    try:
        return _column(row, name)
    except Undecoded:
        return None
