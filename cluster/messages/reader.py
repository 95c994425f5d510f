"""The messages that wait in a queue or that workers hold, read where they lie; nothing is changed.

Redis keeps each waiting message as JSON in a list, the next one at its right end, and what workers
have not acknowledged in one hash for all queues, by delivery tag. RabbitMQ shows a message only to
who takes it: it would be marked as redelivered, and on a quorum queue one step nearer to being
dropped, because somebody looked.

Names and times are in a message's headers (Celery's protocol 2, since 4.0). Protocol 1 has them in
the body, together with the arguments: such messages are counted and told, never guessed at.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...model.observations import QueuePeeked, WaitingMessage
from ...model.operations.call import SentTask, Source
from ..connection.broker import BrokerConnection
from .envelope import Envelope, decode, sent_task, waiting_message

if TYPE_CHECKING:
    from kombu.connection import Connection

MAX_MESSAGES_READ: Final = 200_000
"""Messages that one call looks at, at most."""
BLOCK_MESSAGES: Final = 256
"""Messages in one answer, at most."""
FIRST_BLOCK_MESSAGES: Final = 16
"""As long as nobody knows how large they are."""
BLOCK_BYTES: Final = 4 << 20
"""About how large an answer should be."""
BLOCK_OVERLAP: Final = 8
"""Messages that are read again with the next block, to see how far the list has moved on."""
NOT_READABLE_OVER_AMQP: Final = (
    "RabbitMQ shows waiting messages only to who takes them, which marks them as redelivered"
)

_holder = msgspec.json.Decoder(tuple[msgspec.Raw, str | None, str | None])


class MessageReader:
    """Reads messages over a connection; not to be shared between threads.

    Args:
        connection: Established, and the caller's to close.
        broker: What it leads to.
        clock: Our clock, in epoch seconds.
    """

    def __init__(
        self,
        connection: Connection,
        broker: BrokerConnection,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.unavailable: str | None = None
        """Why messages cannot be read on this broker; None if they can."""
        self._clock = clock
        self._reset()
        if not broker.is_redis:
            kombus = f"kombu cannot look into queues of {broker.scheme}://"
            self.unavailable = NOT_READABLE_OVER_AMQP if broker.is_amqp else kombus
            return
        from redis import Redis

        channel = connection.default_channel
        self.redis = Redis(connection_pool=channel.pool)
        self._prefix = broker.key_prefix
        self._sep: str = channel.sep
        self._steps: Sequence[int] = channel.priority_steps
        self._unacked_key = self._prefix + channel.unacked_key
        self._binding_key: str = self._prefix + channel.keyprefix_queue
        self._bindings: dict[tuple[str, str], str | None] = {}

    def keys(self, queue: str) -> tuple[str, ...]:
        """Return the lists of a queue, one for each priority step, in the order of serving."""
        return tuple(
            f"{self._prefix}{queue}{self._sep}{step}" if step else self._prefix + queue
            for step in self._steps
        )

    def key_type(self, key: str) -> str:
        """Return the type of what is at a key: `list`, or `none` for an empty queue."""
        key_type: Any = self.redis.type(key)
        return str(key_type.decode())

    def waiting(self, queue: str, most: int, task: str | None = None) -> QueuePeeked:
        """Return the messages that wait in a queue, the next one first.

        Args:
            queue: Its name.
            most: How many to return at most.
            task: Only messages of this task name.

        Raises:
            redis.RedisError: If the broker is lost meanwhile, or the name is not a queue's.
        """
        at = self._clock()
        if self.unavailable is not None:
            return QueuePeeked(queue, (), at, complete=False, notes=(self.unavailable,))
        self._reset()
        found: list[WaitingMessage] = []
        for raw in self._waiting(queue):
            message = self.read(raw)
            if message is None or (task is not None and message.task != task):
                continue
            if len(found) == most:
                return QueuePeeked(queue, tuple(found), at, complete=False, notes=self.notes)
            found.append(waiting_message(message, queue))
        return QueuePeeked(queue, tuple(found), at, complete=self._remaining > 0, notes=self.notes)

    def find(self, ids: Collection[str], queues: Iterable[str]) -> dict[str, SentTask]:
        """Return the messages of tasks, by id, as far as they wait or are held by workers.

        Args:
            ids: Whose.
            queues: Where to look, besides at what workers hold.

        Raises:
            redis.RedisError: If the broker is lost meanwhile.
        """
        found: dict[str, SentTask] = {}
        if self.unavailable is not None:
            return found
        self._reset()
        wanted = set(ids)
        # The queues first: what a worker takes meanwhile is then among what workers hold.
        for queue in queues:
            if wanted:
                for raw in self._waiting(queue):
                    self._match(raw, queue, "queue", wanted, found)
                    if not wanted:
                        break
        if wanted and self.key_type(self._unacked_key) == "hash":
            self._find_unacked(wanted, found)
        return found

    @property
    def notes(self) -> tuple[str, ...]:
        """What the last call could not tell, in words."""
        notes = [] if self._not_a_queue is None else [self._not_a_queue]
        if self.unreadable:
            notes.append(f"cannot be read: {self.unreadable:,} of the messages")
        if self.protocol_1:
            notes.append(
                f"of Celery 3, whose headers name no task: {self.protocol_1:,} of the messages"
            )
        if self._remaining <= 0:
            notes.append(f"only the first {MAX_MESSAGES_READ:,} messages were looked at")
        return tuple(notes)

    def read(self, raw: bytes) -> Envelope | None:
        """Decode a task's message; None, and counted, if it is none or is of protocol 1."""
        message = decode(raw)
        if message is None:
            self.unreadable += 1
        elif message.task is None or message.id is None:
            # Protocol 1 has headers too, but no task in them.
            self.protocol_1 += "task" not in message.headers
            self.unreadable += "task" in message.headers
            message = None
        return message

    def blocks(self, key: str) -> Iterator[list[bytes]]:
        """Yield the messages of a list in blocks, the next one to be served first.

        Workers take from the end that is read first: each block begins with messages of the block
        before it, which tells how far the list has moved. None is left out, none comes twice.
        """
        read, overlap, size = 0, 0, FIRST_BLOCK_MESSAGES
        last: bytes | None = None
        while True:
            block: list[Any] = self.redis.lrange(key, -(read + size), -(read - overlap) - 1)
            block.reverse()
            if last is not None:
                if last in block:
                    known = block.index(last) + 1
                    read, block = read - overlap + known, block[known:]
                elif overlap < read:
                    overlap = min(read, overlap * 8)
                    continue
                else:
                    read = 0
            if not block:
                return
            yield block
            read += len(block)
            last = block[-1]
            overlap = min(read, BLOCK_OVERLAP)
            size = max(
                1, min(BLOCK_MESSAGES, BLOCK_BYTES * len(block) // (1 + sum(map(len, block))))
            )

    def _reset(self) -> None:
        self.unreadable = 0
        """How many messages the last call could not read."""
        self.protocol_1 = 0
        """How many messages of protocol 1 the last call came upon."""
        self._remaining = MAX_MESSAGES_READ
        self._not_a_queue: str | None = None

    def _waiting(self, queue: str) -> Iterator[bytes]:
        for key in self.keys(queue):
            key_type = self.key_type(key)
            if key_type not in ("list", "none"):
                self._not_a_queue = f"{queue} is no queue, but a {key_type}"
                continue
            for block in self.blocks(key):
                for raw in block:
                    if self._remaining <= 0:
                        return
                    self._remaining -= 1
                    yield raw

    def _find_unacked(self, wanted: set[str], found: dict[str, SentTask]) -> None:
        """Look at what workers hold: `[message, exchange, routing key]` by delivery tag."""
        for raw in self.redis.hscan_iter(self._unacked_key, count=BLOCK_MESSAGES):
            if not wanted or self._remaining <= 0:
                return
            self._remaining -= 1
            try:
                inner, exchange, routing_key = _holder.decode(raw[1])
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                self.unreadable += 1
                continue

            queue = self._bound(exchange or "", routing_key or "")
            self._match(bytes(inner), queue, "unacked", wanted, found)

    def _match(
        self,
        raw: bytes,
        queue: str | None,
        source: Source,
        wanted: set[str],
        found: dict[str, SentTask],
    ) -> None:
        """Move a message's id from those wanted to those found, if it is one of them."""
        message = self.read(raw)
        if message is None or message.id not in wanted:
            return
        its = sent_task(message, queue, source, self._clock())
        if its is None:
            self.unreadable += 1
            return
        wanted.discard(its.id)
        found[its.id] = its

    def _bound(self, exchange: str, routing_key: str) -> str | None:
        """Return the queue that a message went to; None if that is not certain.

        A binding is `routing key SEP pattern SEP queue`, in one set for each exchange.
        """
        if not exchange:
            return routing_key or None
        known = (exchange, routing_key)
        if known not in self._bindings:
            members: Iterable[Any] = self.redis.smembers(self._binding_key % exchange)
            parts = [bytes(member).decode(errors="replace").split(self._sep) for member in members]
            queues = {part[-1] for part in parts if part[0] == routing_key}
            self._bindings[known] = queues.pop() if len(queues) == 1 else None
        return self._bindings[known]
