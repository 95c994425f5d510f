"""What callers sent, exactly, kept for the time when neither broker nor worker knows it any more.

No source keeps the arguments of a finished task unless the app turned `result_extended` on, so what
is seen while a task waits or runs is kept here. Written by any I/O thread, read by any.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from ...model.operations.call import Call, SentTask, Source

MAX_BYTES: Final = 16 << 20
"""Bytes of arguments that are kept, about; the oldest go first."""
ENTRY_OVERHEAD: Final = 1_000
"""What an original takes besides its arguments, about."""
SOURCE_RANK: Final[dict[Source, int]] = {
    source: rank for rank, source in enumerate(get_args(Source))
}
"""The trustworthiness of the sources, 0 for the best."""

ONLY_IN_MESSAGE: Final = (
    "callbacks",
    "the rest of its chain",
    "chord and group",
    "its ETA and expiry",
)
"""What of a message only the message itself tells."""
NOT_IN_REPLIES: Final = (*ONLY_IN_MESSAGE, "time limits", "headers of its own")


class SentCache:
    """The originals by task id, within a bound of bytes.

    Args:
        room: How many bytes of arguments to keep, about.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._kept: dict[str, SentTask] = {}
        self._sizes: dict[str, int] = {}
        self._used = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def used(self) -> int:
        """About how many bytes are kept."""
        return self._used

    def add(self, original: SentTask) -> None:
        """Keep an original, unless as good a source told of the same already."""
        if self.has(original.id, original.source):
            return
        size = _size(original)
        if size > self._max_bytes:
            return
        with self._lock:
            if self.has(original.id, original.source):
                return
            self._forget(original.id)
            self._kept[original.id] = original
            self._sizes[original.id] = size
            self._used += size
            while self._used > self._max_bytes:
                self._forget(next(iter(self._kept)))

    def get(self, id_: str) -> SentTask | None:
        """Return what is known exactly of a task."""
        return self._kept.get(id_)

    def has(self, id_: str, source: Source) -> bool:
        """Tell whether a source as good as this, or a better one, told of a task."""
        known = self._kept.get(id_)
        return known is not None and SOURCE_RANK[known.source] <= SOURCE_RANK[source]

    def add_reply(self, command: str, reply: Any, at: float) -> None:
        """Keep what a worker tells of its tasks.

        Args:
            command: `active`, `reserved`, `scheduled` or `query_task`; others tell nothing.
            reply: Its answer.
            at: When it came, by our clock.
        """
        for item in _items(command, reply):
            id_ = item.get("id")
            # What was told before is told again in each round: it must cost next to nothing.
            if isinstance(id_, str) and not self.has(id_, "worker"):
                original = from_worker(item, at)
                if original is not None:
                    self.add(original)

    def _forget(self, id_: str) -> None:
        if self._kept.pop(id_, None) is not None:
            self._used -= self._sizes.pop(id_)


def from_worker(item: Mapping[str, Any], at: float) -> SentTask | None:
    """Return what a worker tells of a task; None if it tells the arguments as text.

    Args:
        item: As `Request.info` in `celery/worker/request.py` makes it. Its arguments are decoded
            from the message apart from those that the task runs with, which it may change.
        at: When it was told, by our clock.
    """
    id_, name = item.get("id"), item.get("name")
    args, kwargs = item.get("args"), item.get("kwargs")
    if not isinstance(id_, str) or not isinstance(name, str) or not name:
        return None
    # `inspect active --safe` and workers before Celery 4 tell a repr, which may be cut.
    if not isinstance(args, list | tuple) or not isinstance(kwargs, dict):
        return None
    info = item.get("delivery_info")
    delivery: Mapping[str, Any] = info if isinstance(info, Mapping) else {}
    priority = delivery.get("priority")
    call = Call(
        name,
        tuple(args),
        kwargs,
        queue=queue_of(delivery),
        priority=priority if type(priority) is int else None,
    )
    return SentTask(id_, call, "worker", at, missing=NOT_IN_REPLIES)


def queue_of(delivery: Mapping[str, Any]) -> str | None:
    """Return the queue that a message was sent to by name; None if an exchange chose it."""
    routing_key = delivery.get("routing_key")
    if delivery.get("exchange") or not isinstance(routing_key, str):
        return None
    return routing_key or None


def _items(command: str, reply: Any) -> Iterator[Mapping[str, Any]]:
    if command in ("active", "reserved") and isinstance(reply, list | tuple):
        found = reply
    elif command == "scheduled" and isinstance(reply, list | tuple):
        found = [entry.get("request") for entry in reply if isinstance(entry, Mapping)]
    elif command == "query_task" and isinstance(reply, Mapping):
        # `{id: [where, item]}`
        found = [one[1] for one in reply.values() if isinstance(one, list | tuple) and len(one) > 1]
    else:
        return
    yield from (item for item in found if isinstance(item, Mapping))


def _size(original: SentTask) -> int:
    message = original.message
    body = 0 if message is None else len(message.body)
    call = original.call
    return ENTRY_OVERHEAD + body + _bytes_of((original.id, call.name, call.args, call.kwargs))


def _bytes_of(value: Any) -> int:
    """Return about what JSON values take in memory, however deep they lie."""
    total = 0
    pending = [value]
    while pending:
        one = pending.pop()
        total += sys.getsizeof(one)
        if isinstance(one, Mapping):
            pending += one.keys()
            pending += one.values()
        elif isinstance(one, list | tuple):
            pending += one
    return total
