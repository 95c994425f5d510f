"""Looking something up that nobody else waits for: on the broker, or in the result backend."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from ...settings import Settings
from ..connection.metering import ConnectionMeter

if TYPE_CHECKING:
    from ...model.entities.result import ResultMeta
    from .backends.base import ResultReader

T = TypeVar("T")


def run_in_thread(work: Callable[[], T]) -> Future[T]:
    """Do something in a thread of its own, which does not keep the process from ending."""
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
    """Reads results, all that are asked for at about the same time at once.

    One reader serves all: its connection, or the process that an app is loaded in, stays.

    Args:
        settings: Which result backend, if they say so.
        meter: Counts what is sent.
        shown: Masks what must not be seen in a result that is on its way to be shown.
    """

    def __init__(
        self,
        settings: Settings,
        meter: ConnectionMeter,
        shown: Callable[[ResultMeta], ResultMeta] = lambda meta: meta,
    ) -> None:
        self._settings = settings
        self._meter = meter
        self._shown = shown
        self._lock = threading.Lock()
        self._asked: list[tuple[str, Future[ResultMeta | None]]] = []
        self._conf: Mapping[str, Any] | None = None
        self._reading = False
        self._readers: list[ResultReader] = []
        """All that were opened; the last is in use, the others may be in the middle of a read."""
        self._opened_with: Mapping[str, Any] | None = None

    def reader(self, conf: Mapping[str, Any] | None) -> ResultReader:
        """Return what reads results, which `close` here closes.

        Args:
            conf: What a worker told of its configuration, if any did.
        """
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

    def close(self) -> None:
        """Let go of whatever is open; a lookup under way fails."""
        with self._lock:
            readers, self._readers = self._readers, []
        for reader in readers:
            reader.close()

    def result(self, id_: str, conf: Mapping[str, Any] | None) -> Future[ResultMeta | None]:
        """Return what the result backend keeps of a task; None if it keeps nothing.

        Args:
            id_: The task's.
            conf: What a worker told of its configuration, if any did.

        Raises:
            ResultsError: From the future, if there is nothing to read from.
        """
        future: Future[ResultMeta | None] = Future()
        with self._lock:
            self._asked.append((id_, future))
            self._conf = conf
            if not self._reading:
                self._reading = True
                threading.Thread(target=self._run, name="celtop-results", daemon=True).start()
        return future

    def _run(self) -> None:
        while asked := self._take():
            try:
                found = self.reader(self._conf).read([id_ for id_, _ in asked])
                found = {id_: self._shown(meta) for id_, meta in found.items()}
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
