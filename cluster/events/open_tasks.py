"""Ids of the tasks that have yet to end, as far as the threads know: their results matter.

Fed by the receiver with each event, by the inspector with what workers answer, and by whoever looks
at a task; read by the threads of the result backend. Each call is one step under the interpreter's
own lock, or a few of which any order will do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from ...model.wire.events import Event

MOST: Final = 100_000
"""Ids of each kind; the oldest go first."""
_ROOM_MADE: Final = MOST // 20

_WAITS: Final = 1
_RUNS: Final = 2
_ENDED: Final = 3
_AFTER: Final = {
    "task-sent": _WAITS,
    "task-received": _WAITS,
    "task-retried": _WAITS,
    "task-rejected": _WAITS,
    "task-started": _RUNS,
    "task-succeeded": _ENDED,
    "task-failed": _ENDED,
    "task-revoked": _ENDED,
}


class OpenTasks:
    """Ids by what their tasks do: run, wait, or be looked at."""

    def __init__(self) -> None:
        self._running: dict[str, None] = {}
        self._waiting: dict[str, None] = {}
        self._unread: dict[str, None] = {}
        self.watched: frozenset[str] = frozenset()
        """Ids of tasks that somebody looks at, whatever they do."""

    def __contains__(self, id_: object) -> bool:
        return id_ in self._running or id_ in self._waiting or id_ in self.watched

    @property
    def running(self) -> tuple[str, ...]:
        """The ids of tasks that run, as far as is known."""
        return tuple(self._running)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The ids of tasks that wait, as far as is known; the oldest first."""
        return tuple(self._waiting)

    def heard(self, events: Iterable[Event]) -> None:
        """Follow the events of one message."""
        running, waiting = self._running, self._waiting
        for event in events:
            after = _AFTER.get(event.type)
            id_ = event.uuid
            if after is None or id_ is None:
                continue
            if after == _ENDED:
                running.pop(id_, None)
                waiting.pop(id_, None)
            elif after == _RUNS:
                waiting.pop(id_, None)
                running[id_] = None
            elif event.type != "task-sent" or id_ not in running:
                running.pop(id_, None)
                waiting[id_] = None
        for kind in (running, waiting):
            if len(kind) > MOST:
                _forget(kind)

    def answered(self, command: str, reply: Any) -> None:
        """Learn from a worker's answer to `active` or `reserved`.

        No event may ever tell of what it runs: what is new here is to be read once.
        """
        if command not in ("active", "reserved") or not isinstance(reply, list):
            return
        kind = self._running if command == "active" else self._waiting
        for entry in reply[:MOST]:
            id_ = entry.get("id") if isinstance(entry, dict) else None
            if not isinstance(id_, str) or id_ in kind:
                continue
            if command == "active":
                self._waiting.pop(id_, None)
                self._unread[id_] = None
            elif id_ in self._running:
                continue
            kind[id_] = None
        if len(kind) > MOST:
            _forget(kind)

    def waits(self, id_: str) -> None:
        """Note that a task waits, unless it is known to run."""
        if id_ not in self._running:
            self._waiting[id_] = None
            if len(self._waiting) > MOST:
                _forget(self._waiting)

    def runs(self, id_: str) -> None:
        """Note that a task runs."""
        self._waiting.pop(id_, None)
        self._running[id_] = None

    def ended(self, id_: str) -> None:
        """Note that a task has ended."""
        self._running.pop(id_, None)
        self._waiting.pop(id_, None)

    def watch(self, ids: Sequence[str]) -> bool:
        """Have these ids followed, in place of those before; True if some are new."""
        watched = frozenset(ids)
        added = watched - self.watched
        self.watched = watched
        # What is known otherwise is followed already.
        self.doubt(id_ for id_ in added if id_ not in self._running and id_ not in self._waiting)
        return bool(added)

    def doubt(self, ids: Iterable[str]) -> None:
        """Have these ids read as soon as may be."""
        self._unread.update(dict.fromkeys(ids))

    def take_unread(self) -> tuple[str, ...]:
        """Return the ids that are to be read now, once."""
        unread, self._unread = self._unread, {}
        return tuple(unread)


def _forget(kind: dict[str, None]) -> None:
    for id_ in list(kind)[:_ROOM_MADE]:
        kind.pop(id_, None)
