"""Lookups in threads of their own: on the broker, or in the result backend."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from ...model.ingest.redaction import Redaction
from ...settings import Settings
from ..connection.metering import ConnectionMeter

if TYPE_CHECKING:
    from ...model.entities.result import ResultMeta
    from ...model.observations import HistorySearched
    from ...model.operations.commands import PurgeResults
    from ...model.query.language import Query
    from ..inbox import Inbox
    from .backends.base import ResultReader

T = TypeVar("T")


def run_in_thread(work: Callable[[], T]) -> Future[T]:
    """Call `work` in a daemon thread of its own."""
    future: Future[T] = Future()

    def run() -> None:
        if future.set_running_or_notify_cancel():
            try:
                found = work()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(found)

    threading.Thread(target=run, name="celtop-lookup", daemon=True).start()
    return future


class ResultLookup:
    """Reads single results; requests at about the same time are read together.

    One reader serves all of them, so that its connection, or the child process with the app, stays.
    """

    def __init__(
        self,
        settings: Settings,
        meter: ConnectionMeter,
        redaction: Redaction | None = None,
    ) -> None:
        self._settings = settings
        self._meter = meter
        self._redaction = redaction or Redaction()
        self._lock = threading.Lock()
        self._asked: list[tuple[str, Future[ResultMeta | None]]] = []
        self._conf: Mapping[str, Any] | None = None
        self._reading = False
        self._readers: list[ResultReader] = []
        """All opened readers; the last one is in use, the others may still finish a read."""
        self._opened_with: Mapping[str, Any] | None = None
        self._search = threading.Event()

    def reader(self, conf: Mapping[str, Any] | None) -> ResultReader:
        """Return the reader of the result backend, given a worker's configuration if known."""
        from .open import open_results

        with self._lock:
            if not self._readers or (self._opened_with is not conf and self._opened_with != conf):
                reader = open_results(self._settings, conf, self._meter)
                if (
                    not self._readers
                    or reader.location != self._readers[-1].location
                    or reader.unavailable
                ):
                    self._readers.append(reader)
                self._opened_with = conf
            return self._readers[-1]

    def begin_search(self) -> threading.Event:
        """Stop the search under way, and return the event that stops the next one."""
        self._search.set()
        self._search = threading.Event()
        return self._search

    def close(self) -> None:
        """Close all readers; a lookup under way fails."""
        with self._lock:
            readers, self._readers = self._readers, []
        for reader in readers:
            reader.close()

    def result(self, id_: str, conf: Mapping[str, Any] | None) -> Future[ResultMeta | None]:
        """Read a task's entry in the result backend; None if there is none.

        Raises:
            ResultsError: From the future, if the backend cannot be read.
        """
        future: Future[ResultMeta | None] = Future()
        with self._lock:
            self._asked.append((id_, future))
            self._conf = conf
            if not self._reading:
                self._reading = True
                threading.Thread(target=self._run, name="celtop-results", daemon=True).start()
        return future

    def search(
        self,
        query: Query,
        filter_text: str,
        limit: int,
        timeout: float,
        conf: Mapping[str, Any] | None,
        inbox: Inbox,
    ) -> Future[HistorySearched]:
        """Load finished tasks that match a filter; see `Session.search_history`."""
        from .history import search_history
        from .search import ResultSearch

        search = ResultSearch(time.time(), query, limit, timeout, redaction=self._redaction)
        reader, stop = self.reader(conf), self.begin_search()
        return run_in_thread(lambda: search_history(reader, search, filter_text, inbox, stop))

    def plan_purge(
        self, filter_text: str, conf: Mapping[str, Any] | None, *, utc: bool
    ) -> Future[PurgeResults]:
        """Plan the deletion of results that match a filter; see `Session.plan_results_purge`."""
        from .purge_plan import plan_purge

        reader, stop = self.reader(conf), self.begin_search()
        return run_in_thread(lambda: plan_purge(reader, filter_text, utc, self._redaction, stop))

    def _run(self) -> None:
        while asked := self._take():
            try:
                found = self.reader(self._conf).read([id_ for id_, _ in asked])
                found = {id_: self._redaction.meta(meta) for id_, meta in found.items()}
            except Exception as error:
                for _, future in asked:
                    future.set_exception(error)
            else:
                for id_, future in asked:
                    future.set_result(found.get(id_))

    def _take(self) -> list[tuple[str, Future[ResultMeta | None]]]:
        with self._lock:
            asked, self._asked = self._asked, []
            self._reading = bool(asked)
        return [one for one in asked if one[1].set_running_or_notify_cancel()] or (
            self._take() if asked else []
        )
