"""The thread that reads the history for a screen.

A store object belongs to one thread: this one opens its own, at the first read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

from ..store import HistoryStore, StoreError

R = TypeVar("R")


class _Asked(NamedTuple):
    read: Callable[[HistoryStore], Any]
    answer: Future[Any]


class HistoryReader(threading.Thread):
    """Answers reads one after the other, in the order in which they were asked for.

    Args:
        open_store: Opens the store; called again after an error.
        on_answer: Called in this thread after each answer.
    """

    def __init__(
        self,
        open_store: Callable[[], HistoryStore],
        on_answer: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__(name="celtop-history-reader", daemon=True)
        self.on_answer = on_answer
        self._open_store = open_store
        self._asked: SimpleQueue[_Asked | None] = SimpleQueue()
        self._store: HistoryStore | None = None
        self._stopped = False

    def ask(self, read: Callable[[HistoryStore], R]) -> Future[R]:
        """Have `read` called with the store, in this thread.

        A future that is cancelled before its turn is not answered.

        Raises:
            StoreError: From the future, if the store cannot be opened or read.
        """
        answer: Future[R] = Future()
        if self._stopped:
            answer.cancel()
        else:
            self._asked.put(_Asked(read, answer))
        return answer

    def stop(self) -> None:
        """Ask the thread to end after the read under way; all others are cancelled."""
        self._stopped = True
        self._asked.put(None)

    def run(self) -> None:
        """Answer until stopped."""
        while (asked := self._asked.get()) is not None and not self._stopped:
            if asked.answer.set_running_or_notify_cancel():
                self._answer(asked)
                self.on_answer()
        self._close()
        if asked is not None:
            asked.answer.cancel()
        while not self._asked.empty():
            if (left := self._asked.get()) is not None:
                left.answer.cancel()

    def _answer(self, asked: _Asked) -> None:
        try:
            if self._store is None:
                self._store = self._open_store()
            found = asked.read(self._store)
        except BaseException as error:
            if isinstance(error, StoreError):
                self._close()
            asked.answer.set_exception(error)
        else:
            asked.answer.set_result(found)

    def _close(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            store.close()
