"""Looking something up that nobody else waits for: on the broker, or in the result backend."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from ..settings import Settings
from .transports import Wire

if TYPE_CHECKING:
    from ..model.result_meta import ResultMeta

T = TypeVar("T")


def look_up(work: Callable[[], T]) -> Future[T]:
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

    Args:
        settings: Which result backend, if they say so.
        wire: Counts what is sent.
    """

    def __init__(self, settings: Settings, wire: Wire) -> None:
        self._settings = settings
        self._wire = wire
        self._lock = threading.Lock()
        self._asked: list[tuple[str, Future[ResultMeta | None]]] = []
        self._conf: Mapping[str, Any] | None = None
        self._reading = False

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
        from .results.opening import open_results

        try:
            reader = open_results(self._settings, self._conf, self._wire)
        except Exception as error:
            self._fail(error)
            return
        try:
            while asked := self._take():
                try:
                    found = reader.read([id_ for id_, _ in asked])
                except Exception as error:
                    for _, future in asked:
                        future.set_exception(error)
                else:
                    for id_, future in asked:
                        future.set_result(found.get(id_))
        finally:
            reader.close()

    def _take(self) -> list[tuple[str, Future[ResultMeta | None]]]:
        with self._lock:
            asked, self._asked = self._asked, []
            self._reading = bool(asked)
        return [one for one in asked if one[1].set_running_or_notify_cancel()] or (
            self._take() if asked else []
        )

    def _fail(self, error: Exception) -> None:
        while asked := self._take():
            for _, future in asked:
                future.set_exception(error)
