"""Reads messages that wait in a queue or are unacknowledged, without changing anything.

Redis keeps each waiting message as JSON in a list, the next one at its right end, and all
unacknowledged messages in one hash for all queues, by delivery tag. RabbitMQ only lets a client
take a message, which marks it as redelivered and counts towards a quorum queue's delivery limit.

Messages of protocol 1, of Celery 3, have no readable header: they are only counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...model.observations import QueuePeeked, WaitingMessage
from ...model.operations.call import SentTask, Source
from ...model.text.phrases import counted
from ..connection.broker import BrokerConnection
from ..connection.redis.keys import QueueKeys, bound_queue
from ..connection.redis.lists import EMPTY_LIST, ReadList, read_lists
from .envelope import Envelope, decode, sent_task, waiting_message
from .unacked import decode_unacked

if TYPE_CHECKING:
    from kombu.connection import Connection

MAX_MESSAGES_READ: Final = 200_000
"""Messages that one call reads."""
BLOCK_MESSAGES: Final = 512
"""Messages in one reply."""
FIRST_BLOCK_MESSAGES: Final = 16
"""Messages in the first reply, when their size is still unknown."""
BLOCK_BYTES: Final = 4 << 20
"""Target size of one reply."""
BLOCK_OVERLAP: Final = 8
"""Messages that are read again with the next block, to find out how far the list has moved."""
NOT_READABLE_OVER_AMQP: Final = (
    "RabbitMQ cannot show waiting messages without marking them as redelivered"
)


class MessageReader:
    """Reads messages over a connection, which the caller closes; not to be shared by threads."""

    def __init__(
        self,
        connection: Connection,
        broker: BrokerConnection,
    ) -> None:
        self._ahead: dict[str, ReadList] = {}
        self.unavailable: str | None = None
        """Why messages cannot be read on this broker; None if they can."""
        self._reset()
        if not broker.is_redis:
            other = f"the messages of a {broker.scheme}:// broker cannot be read"
            self.unavailable = NOT_READABLE_OVER_AMQP if broker.is_amqp else other
            return
        from redis import Redis

        channel = connection.default_channel
        self.redis = Redis(connection_pool=channel.pool)
        self._keys = QueueKeys(channel, broker.key_prefix)
        self._bindings: dict[tuple[str, str], str | None] = {}

    def keys(self, queue: str) -> tuple[str, ...]:
        """Return the keys of a queue's lists, one for each priority step, highest first."""
        return tuple(self._keys.list_of(queue, step) for step in self._keys.steps)

    def key_type(self, key: str) -> str:
        """Return the type of a key: `list`, or `none` for an empty queue."""
        key_type: Any = self.redis.type(key)
        return str(key_type.decode())

    def read_ahead(self, queues: Iterable[str], messages: int, max_bytes: int) -> bool:
        """Read the next messages of several queues with one command, before `waiting` is called.

        Args:
            queues: The queues.
            messages: The most messages of a list.
            max_bytes: Approximate size of all of them.

        Returns:
            Whether Redis allows this.

        Raises:
            redis.RedisError: The connection was lost.
        """
        keys = [key for queue in queues for key in self.keys(queue)]
        lists = read_lists(self.redis, keys, messages, max_bytes)
        if lists is None:
            return False
        self._ahead = {key: lists.get(key, EMPTY_LIST) for key in keys}
        return True

    def waiting(
        self,
        queue: str,
        limit: int,
        task: str | None = None,
        skip: int = 0,
        progress: Callable[[int], object] | None = None,
    ) -> QueuePeeked:
        """Return the messages waiting in a queue, or those of one task name, the next one first.

        Args:
            queue: The queue.
            limit: The most messages to return.
            task: Only messages of this task name.
            skip: The messages to leave out at the beginning.
            progress: Called with the number of messages read so far, now and then.

        Raises:
            redis.RedisError: The connection was lost, or the key is not a queue.
        """
        at = time.time()
        if self.unavailable is not None:
            return QueuePeeked(queue, (), at, complete=False, notes=(self.unavailable,))
        self._reset()
        found: list[WaitingMessage] = []
        read, complete = skip, True
        for raw in self._waiting(queue, skip):
            message = self.read(raw)
            if message is not None and task in (None, message.task):
                if len(found) == limit:
                    complete = False
                    break
                found.append(waiting_message(message, queue, before=read))
            read += 1
            if progress is not None and read % BLOCK_MESSAGES == 0:
                progress(read)
        return QueuePeeked(
            queue,
            tuple(found),
            at,
            complete=complete and self._remaining > 0 and not self._is_cut,
            notes=self.notes,
            read=read if task is None else 0,
            skipped=skip,
            is_listing=task is None,
        )

    def held(self, limit: int) -> QueuePeeked:
        """Return messages that workers have received and not acknowledged, from all queues.

        Raises:
            redis.RedisError: The connection was lost.
        """
        if self.unavailable is not None:
            notes = (self.unavailable,)
            return QueuePeeked("", (), time.time(), complete=False, notes=notes, held=True)
        self._reset()
        return self._held(limit)

    def locate(self, ids: Collection[str], queues: Iterable[str], limit: int) -> list[QueuePeeked]:
        """Return which of these tasks' messages wait in the queues, or are unacknowledged.

        Up to `limit` messages of each queue are read, and as many unacknowledged ones.

        Raises:
            redis.RedisError: The connection was lost.
        """
        found = []
        for queue in queues if self.unavailable is None else ():
            at = time.time()
            self._reset(limit)
            messages = [
                waiting_message(message, queue, before=number)
                for number, raw in enumerate(self._waiting(queue))
                if (message := self.read(raw)) is not None and message.id in ids
            ]
            if messages:
                found.append(QueuePeeked(queue, tuple(messages), at, complete=False))
        if self.unavailable is None:
            self._reset(limit)
            if (held := self._held(MAX_MESSAGES_READ, ids)).messages:
                found.append(held)
        return found

    def find(self, ids: Collection[str], queues: Iterable[str]) -> dict[str, SentTask]:
        """Return the messages of tasks, by id, that wait in these queues or are unacknowledged.

        Raises:
            redis.RedisError: The connection was lost.
        """
        found: dict[str, SentTask] = {}
        if self.unavailable is not None:
            return found
        self._reset()
        wanted = set(ids)
        # The queues first: a message that a worker takes meanwhile is then found unacknowledged.
        for queue in queues:
            if wanted:
                for raw in self._waiting(queue):
                    self._match(raw, queue, "queue", wanted, found)
                    if not wanted:
                        break
        if wanted and self.key_type(self._keys.unacked) == "hash":
            self._find_unacked(wanted, found)
        return found

    @property
    def notes(self) -> tuple[str, ...]:
        """The reasons why the last call could not read everything."""
        notes = [] if self._not_a_queue is None else [self._not_a_queue]
        if self.unreadable:
            notes.append(counted(self.unreadable, "unreadable message"))
        if self.protocol_1:
            notes.append(
                f"{counted(self.protocol_1, 'message')} of Celery 3, without a readable header"
            )
        if self._remaining <= 0:
            notes.append(f"only the first {MAX_MESSAGES_READ:,} messages were read")
        return tuple(notes)

    def read(self, raw: bytes) -> Envelope | None:
        """Decode a message; None, and counted, if it is not a task message of protocol 2."""
        message = decode(raw)
        if message is None:
            self.unreadable += 1
        elif message.task is None or message.id is None:
            # Protocol 1 has headers too, but no task in them.
            self.protocol_1 += "task" not in message.headers
            self.unreadable += "task" in message.headers
            message = None
        return message

    def blocks(self, key: str, skip: int = 0) -> Iterator[list[bytes]]:
        """Yield the messages of a list in blocks, the next one to be consumed first.

        `skip` messages are left out at the beginning.

        Workers consume from the end that is read first. Each read overlaps the block before it,
        which shows how far the list has moved, so that no message is missed or repeated.
        """
        read, overlap, size = skip, 0, FIRST_BLOCK_MESSAGES
        last: bytes | None = None
        while True:
            block: list[Any] = self.redis.lrange(key, -(read + size), -(read - overlap) - 1)
            is_last = len(block) < size + overlap
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
            if is_last:
                return
            read += len(block)
            last = block[-1]
            overlap = min(read, BLOCK_OVERLAP)
            size = max(
                1, min(BLOCK_MESSAGES, BLOCK_BYTES * len(block) // (1 + sum(map(len, block))))
            )

    def _reset(self, limit: int = MAX_MESSAGES_READ) -> None:
        self.unreadable = 0
        """Number of messages that the last call could not decode."""
        self.protocol_1 = 0
        """Number of messages of protocol 1 in the last call."""
        self._remaining = limit
        self._not_a_queue: str | None = None
        self._is_cut = False

    def _waiting(self, queue: str, skip: int = 0) -> Iterator[bytes]:
        from redis.exceptions import ResponseError

        first, *others = self.keys(queue)
        for key in (first, *others):
            if (ahead := self._ahead.get(key)) is not None:
                yield from ahead.messages
                if isinstance(ahead.size, str):
                    self._not_a_queue = f"the messages of {queue} cannot be read: {ahead.size}"
                elif len(ahead.messages) < ahead.size:
                    self._is_cut = True
                    return
                continue
            if others and key == others[0] and not self.redis.exists(*others):
                return  # few queues use several priorities
            try:
                if skip:
                    length: Any = self.redis.llen(key)
                    if length <= skip:
                        skip -= length
                        continue
                skipped, skip = skip, 0
                for block in self.blocks(key, skipped):
                    for raw in block:
                        if self._remaining <= 0:
                            return
                        self._remaining -= 1
                        yield raw
            except ResponseError as error:
                if not str(error).startswith("WRONGTYPE"):
                    raise
                self._not_a_queue = f"{queue} is not a queue but a Redis {self.key_type(key)}"

    def _held(self, limit: int, ids: Collection[str] | None = None) -> QueuePeeked:
        at = time.time()
        found: dict[str, WaitingMessage] = {}
        complete = True
        if self.key_type(self._keys.unacked) == "hash":
            for tag, raw, queue in self._unacked():
                message = self.read(raw)
                if message is None or (ids is not None and message.id not in ids):
                    continue
                if len(found) == limit:
                    complete = False
                    break
                found[tag] = waiting_message(message, queue or "")
        taken = self._taken_at(list(found))
        messages = tuple(
            msgspec.structs.replace(message, taken_at=taken_at)
            for message, taken_at in zip(found.values(), taken, strict=True)
        )
        return QueuePeeked("", messages, at, complete, self.notes, held=True)

    def _find_unacked(self, wanted: set[str], found: dict[str, SentTask]) -> None:
        for _, raw, queue in self._unacked():
            self._match(raw, queue, "unacked", wanted, found)
            if not wanted:
                return

    def _unacked(self) -> Iterator[tuple[str, bytes, str | None]]:
        """Yield the delivery tag, message and queue of unacknowledged messages."""
        for tag, holder in self.redis.hscan_iter(self._keys.unacked, count=BLOCK_MESSAGES):
            if self._remaining <= 0:
                return
            self._remaining -= 1
            value = decode_unacked(holder)
            if value is None:
                self.unreadable += 1
                continue
            yield tag, value.message, self._bound(value.exchange, value.routing_key)

    def _taken_at(self, tags: list[str]) -> list[float | None]:
        """Return when messages were received, by delivery tag, from kombu's sorted set of tags."""
        if not tags or self.key_type(self._keys.unacked_index) != "zset":
            return [None] * len(tags)
        times: Any = self.redis.zmscore(self._keys.unacked_index, tags)
        return list(times)

    def _match(
        self,
        raw: bytes,
        queue: str | None,
        source: Source,
        wanted: set[str],
        found: dict[str, SentTask],
    ) -> None:
        """Move a message's id from `wanted` to `found` if it is one of them."""
        message = self.read(raw)
        if message is None or message.id not in wanted:
            return
        its = sent_task(message, queue, source, time.time())
        if its is None:
            self.unreadable += 1
            return
        wanted.discard(its.id)
        found[its.id] = its

    def _bound(self, exchange: str, routing_key: str) -> str | None:
        """Return the queue that a message was routed to; None if that is ambiguous."""
        if not exchange:
            return routing_key or None
        known = (exchange, routing_key)
        if known not in self._bindings:
            members: Iterable[Any] = self.redis.smembers(self._keys.bindings + exchange)
            bindings = [self._keys.binding(member) for member in members]
            self._bindings[known] = bound_queue(bindings, routing_key)
        return self._bindings[known]
