"""Reads the unacknowledged messages on Redis, and counts them by queue.

kombu keeps those of all queues together: a hash of the messages by delivery tag (`unacked`), and a
sorted set of the tags by the time when a worker received them (`unacked_index`). The number of each
queue follows from the routing keys of the messages. A message is read only once
while it stays unacknowledged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from ....model.observations import UnackedMessage, UnackedRead
from ...connection.redis.keys import QueueKeys
from ...messages.envelope import decode, waiting_message
from ...messages.unacked import decode_unacked

MAX_UNACKED_READ: Final = 1_000
"""Unacknowledged messages that are read, the oldest first."""
MAX_BYTES: Final = 8 << 20
"""Size of the messages that one measurement reads; further ones are read by the next."""
BLOCK_BYTES: Final = 1 << 20
"""Target size of one reply."""
FIRST_BLOCK: Final = 100
"""Messages in the first reply, when their size is still unknown."""


class RedisUnacked:
    """The unacknowledged messages of a broker.

    Args:
        redis: A client.
        keys: The keys of the broker.
        queue_of: Returns the queue for an exchange and a routing key.
    """

    def __init__(
        self, redis: Any, keys: QueueKeys, queue_of: Callable[[str, str], str | None]
    ) -> None:
        self.by_queue: Mapping[str, int] = {}
        """The messages that were read, by queue."""
        self.complete = False
        """Whether these are all: otherwise each queue may have more."""
        self._redis = redis
        self._keys = keys
        self._queue_of = queue_of
        self._read: dict[tuple[bytes, float], UnackedMessage | None] = {}
        self._message_bytes = 0.0

    def ask(self, pipe: Any) -> None:
        """Add the question for the oldest delivery tags to a pipeline that counts the messages."""
        pipe.zrange(self._keys.unacked_index, 0, MAX_UNACKED_READ - 1, withscores=True)

    def read(self, total: int, tags: Any, at: float) -> UnackedRead | None:
        """Read new messages, and count all by queue.

        Args:
            total: The size of the hash.
            tags: The reply to `ask`.
            at: Epoch seconds.

        Returns:
            What was read; None if Redis refused to list the tags, or to read the messages.
        """
        self.by_queue, self.complete = {}, not total
        if not isinstance(tags, list):
            self._read.clear()
            return UnackedRead((), 0, at) if not total else None
        tags = [(tag, taken_at) for tag, taken_at in tags]
        known = self._read
        self._read = {tag: known[tag] for tag in tags if tag in known}
        if not self._read_new([tag for tag in tags if tag not in known]):
            return None
        # Those that were acknowledged since they were counted are not there any more.
        found = [one for tag in tags if (one := self._read.get(tag)) is not None]
        gone = sum(tag in self._read and self._read[tag] is None for tag in tags)
        self.by_queue = Counter(one.queue for one in found if one.queue is not None)
        self.complete = sum(self.by_queue.values()) + gone >= total
        return UnackedRead(tuple(found), max(len(found), total - gone), at)

    def _read_new(self, tags: list[tuple[bytes, float]]) -> bool:
        """Read messages up to `MAX_BYTES`, those of the first tags; return False if refused."""
        size, left = FIRST_BLOCK, MAX_BYTES
        if self._message_bytes:
            size = max(1, min(MAX_UNACKED_READ, int(BLOCK_BYTES / self._message_bytes)))
        while tags and left > 0:
            block, tags = tags[:size], tags[size:]
            pipe = self._redis.pipeline(transaction=False)
            pipe.hmget(self._keys.unacked, [tag for tag, _ in block])
            (values,) = pipe.execute(raise_on_error=False)
            if isinstance(values, Exception):
                return False
            for tag, value in zip(block, values, strict=True):
                self._read[tag] = None if value is None else self._message(value, tag[1])
            read = sum(len(value) for value in values if value is not None)
            left -= read
            self._message_bytes = max(1.0, read / len(block))
            size = max(1, min(MAX_UNACKED_READ, int(BLOCK_BYTES / self._message_bytes)))
        return True

    def _message(self, value: bytes, taken_at: float) -> UnackedMessage:
        """Return a message; if it cannot be read, only what is known about it."""
        parts = decode_unacked(value)
        if parts is None:
            return UnackedMessage(taken_at)
        queue = self._queue_of(parts.exchange, parts.routing_key)
        message = decode(parts.message)
        if message is None:
            return UnackedMessage(taken_at, queue)
        its = waiting_message(message, queue or "")
        return UnackedMessage(taken_at, queue, its.id, its.name, its.eta_at, its.redelivered)
