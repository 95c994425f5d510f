"""Caches what tasks were sent with, for retries after broker and worker have forgotten it.

No source keeps the arguments of a finished task unless the app turned `result_extended` on, so the
call is cached while a task waits or runs. Safe to use from any thread.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from ...model.operations.call import Call, SentTask, Source

MAX_BYTES: Final = 16 << 20
"""Approximate bytes of cached arguments; beyond that the oldest are dropped."""
ENTRY_OVERHEAD: Final = 1_000
"""Approximate bytes of an entry besides its arguments."""
SOURCE_RANK: Final[dict[Source, int]] = {
    source: rank for rank, source in enumerate(get_args(Source))
}
"""The rank of each source by reliability; 0 is the best."""

ONLY_IN_MESSAGE: Final = (
    "callbacks",
    "the rest of the chain",
    "chord and group",
    "ETA and expiry",
)
"""Parts of a call that only the message has, as shown in the retry dialog."""
NOT_IN_REPLIES: Final = (*ONLY_IN_MESSAGE, "time limits", "custom headers")


class SentCache:
    """Calls by task id, within a limit of bytes."""

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
        """Approximate bytes in use."""
        return self._used

    def add(self, original: SentTask) -> None:
        """Add a call, unless one from an equal or better source is cached."""
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
        """Return the call of a task, if it is cached."""
        return self._kept.get(id_)

    def has(self, id_: str, source: Source) -> bool:
        """Return whether a call from this source, or from a better one, is cached."""
        known = self._kept.get(id_)
        return known is not None and SOURCE_RANK[known.source] <= SOURCE_RANK[source]

    def add_reply(self, command: str, reply: Any, at: float) -> None:
        """Add the calls in a reply to `active`, `reserved`, `scheduled` or `query_task`."""
        for item in _items(command, reply):
            id_ = item.get("id")
            # Every round repeats the same tasks: a known one must cost next to nothing.
            if isinstance(id_, str) and not self.has(id_, "worker"):
                original = from_worker(item, at)
                if original is not None:
                    self.add(original)

    def _forget(self, id_: str) -> None:
        if self._kept.pop(id_, None) is not None:
            self._used -= self._sizes.pop(id_)


def from_worker(item: Mapping[str, Any], at: float) -> SentTask | None:
    """Return the call of a task from a worker's reply; None if the arguments are only a repr.

    Args:
        item: A `Request.info` of `celery/worker/request.py`. Its arguments are decoded from the
            message separately from those of the running task, which may modify its own.
        at: When it was received, epoch seconds.
    """
    id_, name = item.get("id"), item.get("name")
    args, kwargs = item.get("args"), item.get("kwargs")
    if not isinstance(id_, str) or not isinstance(name, str) or not name:
        return None
    # `inspect active --safe` and workers before Celery 4 send a repr, which may be truncated.
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
    """Return the queue that a message was sent to by name; None if an exchange routed it."""
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
    """Return the approximate size of JSON values in memory, at any depth."""
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
