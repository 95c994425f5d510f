"""The ids of unfinished tasks, shared between the threads: their results are still of interest.

The receiver updates them with each event, the inspector with workers' replies, the session with the
tasks on the screen; the result backend's threads read them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from ...model.wire.events import Event

MAX_IDS: Final = 100_000
"""Ids of running and of waiting tasks each; beyond that the oldest are dropped."""
_EVICTED_AT_ONCE: Final = MAX_IDS // 20

_WAITING: Final = frozenset({"task-sent", "task-received", "task-retried", "task-rejected"})
_ENDED: Final = frozenset({"task-succeeded", "task-failed", "task-revoked"})
"""Events after which a task waits, or has ended."""


_ABSENT: Final = object()


class OpenTasks:
    """Ids of tasks that run, wait, or are on the screen. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, None] = {}
        self._waiting: dict[str, None] = {}
        self._unread: dict[str, None] = {}
        self.call_on_request: Callable[[], object] = lambda: None
        """Called, from any thread, after results were requested; set by what reads them."""
        self.watched: frozenset[str] = frozenset()
        """Ids of tasks on the screen, in any state; replaced as a whole."""

    def __contains__(self, id_: object) -> bool:
        # With the lock: between two look-ups an id could move from one to the other.
        with self._lock:
            return id_ in self._running or id_ in self._waiting or id_ in self.watched

    @property
    def running(self) -> tuple[str, ...]:
        """Ids of the tasks known to run."""
        with self._lock:
            return tuple(self._running)

    @property
    def waiting(self) -> tuple[str, ...]:
        """Ids of the tasks known to wait, the oldest first."""
        with self._lock:
            return tuple(self._waiting)

    def apply(self, events: Iterable[Event]) -> None:
        """Update from the events of one message."""
        running, waiting = self._running, self._waiting
        with self._lock:
            for event in events:
                kind, id_ = event.type, event.uuid
                if id_ is None:
                    continue
                if kind in _ENDED:
                    if running.pop(id_, _ABSENT) is _ABSENT:  # an id is in one of both
                        waiting.pop(id_, None)
                elif kind == "task-started":
                    running[id_] = None
                    waiting.pop(id_, None)
                elif kind in _WAITING and (kind != "task-sent" or id_ not in running):
                    waiting[id_] = None
                    running.pop(id_, None)
            _evict(running)
            _evict(waiting)

    def apply_reply(self, command: str, reply: Any) -> None:
        """Update from a worker's reply to `active`, `reserved` or `scheduled`.

        A running or scheduled task may be unknown because its events were missed: its result is
        then read once. It shows whether a scheduled task awaits a retry.
        """
        if command not in ("active", "reserved", "scheduled") or not isinstance(reply, list):
            return
        ids = self._running if command == "active" else self._waiting
        with self._lock:
            for entry in reply[:MAX_IDS]:
                if command == "scheduled" and isinstance(entry, dict):
                    entry = entry.get("request")
                id_ = entry.get("id") if isinstance(entry, dict) else None
                if not isinstance(id_, str) or id_ in ids:
                    continue
                if command != "active" and id_ in self._running:
                    continue
                ids[id_] = None
                if command == "active":
                    self._waiting.pop(id_, None)
                if command != "reserved":
                    self._unread[id_] = None
            _evict(ids)

    def mark_waiting(self, id_: str) -> None:
        """Record that a task waits, unless it is known to run."""
        with self._lock:
            if id_ not in self._running:
                self._waiting[id_] = None
                _evict(self._waiting)

    def mark_running(self, id_: str) -> None:
        """Record that a task runs."""
        with self._lock:
            self._running[id_] = None
            self._waiting.pop(id_, None)

    def mark_ended(self, id_: str) -> None:
        """Record that a task has ended."""
        with self._lock:
            self._running.pop(id_, None)
            self._waiting.pop(id_, None)

    def watch(self, ids: Sequence[str]) -> bool:
        """Follow these ids in place of those before; return whether some are new."""
        watched = frozenset(ids)
        added = watched - self.watched
        with self._lock:
            self.watched = watched
            # Running and waiting tasks are followed already.
            for id_ in added:
                if id_ not in self._running and id_ not in self._waiting:
                    self._unread[id_] = None
        if added:
            self.call_on_request()
        return bool(added)

    def request_read(self, ids: Iterable[str]) -> None:
        """Have the results of these ids read as soon as possible."""
        with self._lock:
            self._unread.update(dict.fromkeys(ids))
            requested = bool(self._unread)
        if requested:
            self.call_on_request()

    def take_read_requests(self) -> tuple[str, ...]:
        """Return the ids to read now, and forget them."""
        with self._lock:
            unread, self._unread = self._unread, {}
        return tuple(unread)


def _evict(ids: dict[str, None]) -> None:
    """Drop the oldest ids if there are too many."""
    if len(ids) > MAX_IDS:
        for id_ in list(ids)[:_EVICTED_AT_ONCE]:
            del ids[id_]
