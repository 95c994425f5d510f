"""Reads the next messages of lists on Redis: the one to be consumed next, and the first due one.

A task with an ETA waits in its queue like any other until a worker receives it. Where the next one
is not due, a few more messages are read to find one that may run now.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ....model.observations import QueueHead
from ...connection.metering import ConnectionMeter
from ...messages.envelope import decode, head_of

MAX_HEADS: Final = 50
"""Lists whose next message is read in one measurement."""
MAX_HEAD_BYTES: Final = 64 << 10
"""Size from which the next message of a list is read only once in `LARGE_HEAD_INTERVAL`."""
LARGE_HEAD_INTERVAL: Final = 120.0
"""Seconds between two reads of large messages."""
MAX_SEARCHED: Final = 50
"""Messages of a list among which a due one is looked for."""
SEARCHED_BYTES: Final = 256 << 10
"""Approximate size of these messages."""
MAX_SEARCHES: Final = 10
"""Lists that are searched in one measurement."""


class ListHead(msgspec.Struct, frozen=True, gc=False):
    """The next messages of a list."""

    next: QueueHead = QueueHead()
    runnable: QueueHead | None = QueueHead()
    """The first message that may run now; None if there is none. It has no id if it was not found
    among those that were read."""
    due_at: float | None = None
    """The earliest ETA, if no message may run now."""


UNREAD: Final = ListHead()


class RedisHeads:
    """Reads the next messages of lists.

    Args:
        redis: A client.
        meter: Counts the commands, of which there may be a budget.
    """

    def __init__(self, redis: Any, meter: ConnectionMeter) -> None:
        self._redis = redis
        self._meter = meter
        self._large: dict[str, float] = {}

    def read(self, sizes: Mapping[str, int]) -> dict[str, ListHead]:
        """Return the next messages of the longest lists, by key; the sizes are not 0."""
        now = time.monotonic()
        self._large = {key: at for key, at in self._large.items() if now - at < LARGE_HEAD_INTERVAL}
        most = int(max(0, min(MAX_HEADS, self._meter.spare)))
        keys = sorted(sizes.keys() - self._large.keys(), key=lambda key: -sizes[key])[:most]
        if not keys:
            return {}
        pipe = self._redis.pipeline(transaction=False)
        for key in keys:
            pipe.lindex(key, -1)
        most_searched = int(max(0, min(MAX_SEARCHES, self._meter.spare - len(keys))))
        heads: dict[str, ListHead] = {}
        early: dict[str, int] = {}
        at = time.time()
        for key, raw in zip(keys, pipe.execute(raise_on_error=False), strict=True):
            if not isinstance(raw, bytes):
                continue
            if len(raw) > MAX_HEAD_BYTES:
                self._large[key] = now
            head = heads[key] = list_head((raw,), complete=False, at=at)
            if head.runnable != head.next and len(early) < most_searched:
                early[key] = max(1, min(MAX_SEARCHED, SEARCHED_BYTES // len(raw)))
        if early:
            heads |= self._search(early, at)
        return heads

    def _search(self, counts: Mapping[str, int], at: float) -> dict[str, ListHead]:
        """Return the same with the first due message of some lists, by the number to read."""
        pipe = self._redis.pipeline(transaction=False)
        for key, count in counts.items():
            pipe.lrange(key, -count, -1)
        found = {}
        for (key, count), block in zip(
            counts.items(), pipe.execute(raise_on_error=False), strict=True
        ):
            if isinstance(block, list) and block:
                found[key] = list_head(block[::-1], complete=len(block) < count, at=at)
        return found


def list_head(messages: Sequence[bytes], *, complete: bool, at: float) -> ListHead:
    """Return the head of a list.

    Args:
        messages: Its next messages, the next one first.
        complete: Whether these are all.
        at: Epoch seconds.
    """
    first, etas = None, []
    for raw in messages:
        head = _head(raw)
        first = first or head
        if head.eta_at is None or head.eta_at <= at:
            return ListHead(first, head)
        etas.append(head.eta_at)
    if first is None:
        return UNREAD
    return ListHead(first, None, min(etas)) if complete else ListHead(first)


def _head(raw: bytes) -> QueueHead:
    message = decode(raw)
    return QueueHead() if message is None else head_of(message)
