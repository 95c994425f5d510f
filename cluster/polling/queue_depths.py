"""Reads queue depths, by kind of broker, in as few commands as possible.

A number that a broker does not provide is None, with the reason in `notes`; never 0.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from ...model.observations import QueueGone, QueueMeasured
from ..connection.broker import BrokerConnection
from ..connection.redis_keys import QueueKeys, exactly

if TYPE_CHECKING:
    from kombu.connection import Connection

MAX_BINDINGS_AGE: Final = 60.0
"""Seconds after which the queue bindings in Redis are read again."""
SCAN_COUNT: Final = 1000
"""Keys that one SCAN examines: about half a millisecond of the server's time."""
FIRST_SCANS: Final = 100
"""SCANs in the first measurement of a connection; later measurements do one each."""
DEFAULT_QUEUE: Final = "celery"


def is_internal(queue: str) -> bool:
    """Return whether a queue carries Celery's own messages: events, remote control, replies."""
    return queue.startswith(("celeryev", "reply.")) or queue.endswith(".pidbox") or not queue


class RedisDepths:
    """Redis: one list for each queue and priority step; queues without consumers are found too.

    Empty lists do not exist in Redis, so one EXISTS over all keys shows that a cluster is idle;
    only lists that were not empty before are counted one by one.
    """

    def __init__(
        self,
        connection: Connection,
        broker: BrokerConnection,
        exchanges: set[str],
    ) -> None:
        from redis import Redis

        channel = connection.default_channel
        self._redis = Redis(connection_pool=channel.pool)
        self._keys = QueueKeys(channel, broker.key_prefix)
        self._pattern = f"{exactly(self._keys.bindings)}*"
        self._ignored = broker.settings.event_exchange
        self._exchanges = exchanges
        self._cursor = 0
        self._tables: dict[str, float] = {}
        self._bound: dict[str, frozenset[str]] = {}
        self._filled: set[str] = set()
        self._measured: frozenset[str] = frozenset()
        self._scans = FIRST_SCANS
        self.latency: float | None = None

    def measure(self, names: frozenset[str]) -> Iterator[QueueMeasured | QueueGone]:
        """Yield the depth of each named or discovered queue, and `QueueGone` for deleted ones."""
        scanned, counts = self._count(self._queues(names))
        if self._find_queues(scanned):
            _, counts = self._count(self._queues(names))
        queues = self._queues(names)
        at = time.time()
        for name in sorted(queues):
            yield self._depth(name, counts, len(queues), at)
        for name in sorted(self._measured - queues):
            yield QueueGone(name, at)
        self._measured = queues

    def _queues(self, names: frozenset[str]) -> frozenset[str]:
        found = names.union(*self._bound.values())
        return frozenset(name for name in found if not is_internal(name))

    def _count(self, queues: frozenset[str]) -> tuple[list[str], dict[str, int | str]]:
        """Return the binding keys that a SCAN found, and the size of each key.

        Missing keys are empty; a text in place of a number is the reason why it is unknown.
        """
        keys = {self._keys.list_of(queue, step) for queue in queues for step in self._keys.steps}
        keys.add(self._keys.unacked)
        filled = sorted(self._filled & keys)
        others = sorted(keys - self._filled)
        pipe = self._redis.pipeline(transaction=False)
        pipe.scan(self._cursor, match=self._pattern, count=SCAN_COUNT)
        if others:
            pipe.exists(*others)
        self._ask_sizes(pipe, filled)
        started = time.perf_counter()
        replies = pipe.execute(raise_on_error=False)
        self.latency = time.perf_counter() - started
        scanned = replies.pop(0)
        exist = replies.pop(0) if others else 0
        counts = dict(zip(filled, map(_number, replies), strict=True))
        if exist:
            pipe = self._redis.pipeline(transaction=False)
            self._ask_sizes(pipe, others)
            counts |= zip(others, map(_number, pipe.execute(raise_on_error=False)), strict=True)
        self._filled = {key for key, count in counts.items() if count}
        return self._scanned(scanned), counts

    def _ask_sizes(self, pipe: Any, keys: Sequence[str]) -> None:
        for key in keys:
            pipe.hlen(key) if key == self._keys.unacked else pipe.llen(key)

    def _scanned(self, reply: Any) -> list[str]:
        if isinstance(reply, Exception):
            return []
        self._cursor, keys = reply
        self._scans -= 1
        while self._cursor and self._scans > 0:
            self._scans -= 1
            self._cursor, more = self._redis.scan(
                self._cursor, match=self._pattern, count=SCAN_COUNT
            )
            keys += more
        return [_text(key) for key in keys]

    def _find_queues(self, tables: list[str]) -> bool:
        """Read new and outdated bindings; return whether they have new queues."""
        now = time.monotonic()
        for table in (*tables, *(self._keys.bindings + name for name in self._exchanges.copy())):
            exchange = table.removeprefix(self._keys.bindings)
            if exchange != self._ignored and not is_internal(exchange):
                self._tables.setdefault(table, float("-inf"))
        due = [table for table, read_at in self._tables.items() if now - read_at > MAX_BINDINGS_AGE]
        if not due:
            return False
        pipe = self._redis.pipeline(transaction=False)
        for table in due:
            pipe.smembers(table)
        before = frozenset().union(*self._bound.values())
        for table, members in zip(due, pipe.execute(raise_on_error=False), strict=True):
            self._tables[table] = now
            if isinstance(members, Exception):
                continue
            self._bound[table] = frozenset(
                _text(member).rpartition(self._keys.separator)[2] for member in members
            )
        return bool(frozenset().union(*self._bound.values()) - before)

    def _depth(
        self, name: str, counts: dict[str, int | str], queues: int, at: float
    ) -> QueueMeasured:
        sizes = [(step, counts.get(self._keys.list_of(name, step), 0)) for step in self._keys.steps]
        notes = [size for _, size in sizes if isinstance(size, str)][:1]
        by_priority = tuple((str(step), size) for step, size in sizes if isinstance(size, int))
        unacked: int | None = None
        total = counts.get(self._keys.unacked, 0)
        if isinstance(total, str):
            notes.append(total)
        elif total == 0 or queues == 1:
            unacked = total
        else:
            notes.append(
                f"{total:,} unacknowledged in all queues together; Redis has no count per queue"
            )
        return QueueMeasured(
            name,
            at,
            waiting=None if len(by_priority) < len(sizes) else sum(n for _, n in by_priority),
            unacked=unacked,
            by_priority=by_priority,
            notes=tuple(notes),
        )


class AmqpDepths:
    """RabbitMQ: one passive declare for each known queue.

    The broker closes the channel with each refusal, and py-amqp reopens it; opening a new channel
    each time would soon exceed the channel limit.
    """

    latency: float | None = None

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._channel: Any = None
        self._measured: set[str] = set()

    def measure(self, names: frozenset[str]) -> Iterator[QueueMeasured | QueueGone]:
        """Yield the depth of each named queue, and `QueueGone` for deleted ones."""
        from amqp.exceptions import ChannelError, NotFound

        for name in sorted(name for name in names | {DEFAULT_QUEUE} if not is_internal(name)):
            at = time.time()
            started = time.perf_counter()
            try:
                if self._channel is None:
                    self._channel = self._connection.channel()
                answer = self._channel.queue_declare(name, passive=True)
            except NotFound:
                if name in self._measured:
                    self._measured.discard(name)
                    yield QueueGone(name, at)
                elif name != DEFAULT_QUEUE:
                    yield QueueMeasured(name, at, notes=("no queue of this name",))
                continue
            except ChannelError as error:
                yield QueueMeasured(name, at, notes=(" ".join(str(error).split()),))
                continue
            self.latency = time.perf_counter() - started
            self._measured.add(name)
            yield QueueMeasured(
                name,
                at,
                waiting=answer.message_count,
                consumer_count=answer.consumer_count,
                notes=("AMQP does not report unacknowledged messages",),
            )


class OtherDepths:
    """Any other transport, if kombu can count its messages."""

    latency: float | None = None

    def __init__(self, connection: Connection, scheme: str) -> None:
        self._channel = connection.default_channel
        self._scheme = scheme

    def measure(self, names: frozenset[str]) -> Iterator[QueueMeasured | QueueGone]:
        """Yield the depth of each named queue."""
        for name in sorted(name for name in names if not is_internal(name)):
            waiting, notes = self._size(name)
            yield QueueMeasured(name, time.time(), waiting=waiting, notes=notes)

    def _size(self, name: str) -> tuple[int | None, tuple[str, ...]]:
        # Every virtual transport of kombu that can count implements this; there is no public name.
        count = getattr(self._channel, "_size", None)
        if count is None:
            return None, (f"kombu cannot count messages on {self._scheme}://",)
        try:
            return int(count(name)), ()
        except Exception as error:  # each transport's own library raises its own
            reason = " ".join(str(error).split()) or type(error).__name__
            return None, (f"cannot count messages: {reason}",)


def depths(
    connection: Connection,
    broker: BrokerConnection,
    exchanges: set[str],
) -> RedisDepths | AmqpDepths | OtherDepths:
    """Return the reader of queue depths for a connection; `exchanges` may grow later."""
    if broker.is_redis:
        return RedisDepths(connection, broker, exchanges)
    if broker.is_amqp:
        return AmqpDepths(connection)
    return OtherDepths(connection, broker.scheme)


def _text(value: bytes | str) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _number(reply: Any) -> int | str:
    if isinstance(reply, Exception):
        return f"cannot count messages: {' '.join(str(reply).split())}"
    return int(reply)
