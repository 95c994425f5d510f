"""Subscribes to the events of a cluster, by kind of broker, and checks that it is alive.

On Redis this is a subscription of redis-py. kombu's costs twice the CPU (an object hook for each
level of each envelope, a consumer, an ack) and writes bindings into the user's database, which a
plain subscription does not need. On every other transport it is a kombu consumer.
"""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol, TypeAlias

import msgspec

from ..connection.decompression import decompress
from ..connection.errors import Unresponsive
from ..connection.redis_keys import exactly

if TYPE_CHECKING:
    from kombu.connection import Connection

PING_TIMEOUT: Final = 4.0
"""Seconds for a Redis server to answer a ping before the subscription counts as dead."""
PATIENT_ROUND_TRIPS: Final = 4.0
"""The same in round trips, over a slow link."""
MISSED_HEARTBEATS: Final = 2.0
"""Heartbeat intervals without data after which an AMQP connection counts as dead."""
MAX_MESSAGES_PER_DRAIN: Final = 500
"""Messages handed on before `drain` returns, so that the caller can do other work."""

OnBody: TypeAlias = Callable[[bytes, str], None]
"""Called with each message's body and content type."""
OnUnreadable: TypeAlias = Callable[[str], None]
"""Called for each message whose body cannot be reached, with the reason."""


class EventExchange(NamedTuple):
    """An exchange that events are published to, and what receives its messages."""

    connection: Connection
    name: str
    """The app's `event_exchange`."""
    on_body: OnBody
    on_unreadable: OnUnreadable


class Subscription(Protocol):
    """An active subscription."""

    alarm: str | None
    """Why the broker accepts no messages, in its own words, if it has reported that."""

    def drain(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for a message and hand on all that have arrived."""

    def check(self) -> bool:
        """Return whether anything proved that the connection works since the last call.

        Call it once a second.

        Raises:
            Unresponsive: The connection is dead although its socket is open.
        """

    def prove(self) -> None:
        """Have the broker send something soon, if that is possible."""

    def close(self) -> None:
        """Cancel the subscription; the caller closes the connection."""


def subscribe(events: EventExchange, ping_after: float) -> Subscription:
    """Subscribe to all events on an exchange.

    Args:
        events: The exchange, and what receives its messages.
        ping_after: Seconds without a message before a Redis server is pinged.

    Raises:
        Exception: Any error of the transport, also when it refuses the subscription.
    """
    transport = events.connection.transport
    if transport.driver_type == "redis":
        return RedisSubscription(events, ping_after)
    if transport.driver_name == "py-amqp":
        return AmqpSubscription(events)
    return KombuSubscription(events)


class KombuSubscription:
    """A temporary queue on the broker, with the same limits as Celery's event receiver."""

    alarm: str | None = None

    def __init__(self, events: EventExchange) -> None:
        from kombu import Consumer, Exchange, Queue

        self._connection = connection = events.connection
        fanout = connection.transport.driver_type == "gcpubsub"
        queue = Queue(
            f"celeryev.{uuid.uuid4()}",
            exchange=Exchange(events.name, type="fanout" if fanout else "topic"),
            routing_key="#",
            durable=False,
            auto_delete=True,
            exclusive=True,
            message_ttl=5.0,
            expires=60.0,
        )

        def on_message(message: Any) -> None:
            events.on_body(message.body, message.content_type)

        def on_decode_error(message: Any, error: Exception) -> None:
            events.on_unreadable(str(error))

        self._consumer = Consumer(
            connection.default_channel,
            [queue],
            on_message=on_message,
            on_decode_error=on_decode_error,
            no_ack=True,
            auto_declare=False,
        )
        # Of all these requests only the last is answered; a refusal of any of them is raised then.
        self._consumer.queues[0].declare(nowait=True)
        self._consumer.consume()

    def drain(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for a message and hand on all that have arrived."""
        try:
            for _ in range(MAX_MESSAGES_PER_DRAIN):
                self._connection.drain_events(timeout=timeout)
                timeout = 0.0
        except TimeoutError:
            return

    def check(self) -> bool:
        """Return True: these transports ask the broker for messages in each `drain`."""
        return True

    def prove(self) -> None:
        """Do nothing: `check` has proved it."""

    def close(self) -> None:
        """Cancel the consumer, which deletes the queue."""
        self._consumer.cancel()


class AmqpSubscription(KombuSubscription):
    """A temporary queue on RabbitMQ, whose heartbeats prove that the connection works.

    An alarm is reported after the first message that is published while it lasts.
    """

    def __init__(self, events: EventExchange) -> None:
        super().__init__(events)
        self._amqp: Any = events.connection.connection
        self._amqp.on_blocked = self._on_blocked
        self._amqp.on_unblocked = self._on_unblocked
        self._read_before = 0
        self._read_at = time.monotonic()

    def check(self) -> bool:
        """Send heartbeats, and return whether anything was received.

        This is needed under load as well: kombu does it only when idle, so no heartbeat would be
        sent and RabbitMQ would close the connection.
        """
        now = time.monotonic()
        proved: bool = self._amqp.bytes_recv != self._read_before
        if proved:
            self._read_before, self._read_at = self._amqp.bytes_recv, now
        elif now - self._read_at > MISSED_HEARTBEATS * (self._amqp.heartbeat or now):
            raise Unresponsive("no heartbeat from the broker")
        self._amqp.heartbeat_tick()
        return proved

    def prove(self) -> None:
        """Do nothing: the broker sends heartbeats by itself."""

    def close(self) -> None:
        """Cancel the consumer, which deletes the queue, unless the broker reads nothing."""
        if self.alarm is None:
            super().close()

    def _on_blocked(self, reason: str) -> None:
        self.alarm = reason

    def _on_unblocked(self) -> None:
        self.alarm = None


class _Properties(msgspec.Struct):
    body_encoding: Literal["base64"]


class _Headers(msgspec.Struct):
    compression: str | None = None


class _Envelope(msgspec.Struct, rename={"content_type": "content-type"}):
    """A message as kombu publishes it to Redis; msgspec decodes the base64 of the body."""

    body: bytes
    properties: _Properties
    content_type: str
    headers: _Headers


_envelopes: Final = msgspec.json.Decoder(_Envelope)


def open_envelope(data: bytes) -> tuple[bytes, str]:
    """Return the body and content type of a message that kombu published to Redis.

    Raises:
        ValueError: It is not a message.
    """
    try:
        envelope = _envelopes.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _open_slowly(data)
    if envelope.headers.compression:
        return decompress(envelope.body, envelope.headers.compression), envelope.content_type
    return envelope.body, envelope.content_type


def _open_slowly(data: bytes) -> tuple[bytes, str]:
    """Decode unusual messages: bodies in plain text, missing fields."""
    try:
        message = msgspec.json.decode(data)
        body = message["body"]
        if message.get("properties", {}).get("body_encoding") == "base64":
            plain = base64.b64decode(body)
        else:
            plain = body.encode()
        compression = (message.get("headers") or {}).get("compression")
        content_type = str(message.get("content-type") or "application/json")
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"not a message: {type(error).__name__}") from error
    return decompress(plain, str(compression)) if compression else plain, content_type


class RedisSubscription:
    """A pattern subscription: it writes nothing to the database and leaves nothing behind."""

    alarm: str | None = None

    def __init__(self, events: EventExchange, ping_after: float) -> None:
        from redis import Redis

        channel = events.connection.default_channel
        # The name of the channel that workers publish to, from the options on kombu's channel.
        topic = f"{channel.global_keyprefix}{channel.keyprefix_fanout}{events.name}"
        self._on_body, self._on_unreadable = events.on_body, events.on_unreadable
        self._ping_after = ping_after
        self._heard_at = time.monotonic()
        self._pinged_at: float | None = None
        self._heard = False
        self._round_trip = 0.0
        redis: Any = Redis(connection_pool=channel.pool)
        self._pubsub: Any = redis.pubsub()
        pattern = exactly(topic)
        self._pubsub.psubscribe(f"{pattern}/*" if channel.fanout_patterns else pattern)
        # Only the reply shows whether the subscription was refused.
        while self._pubsub.get_message(timeout=1.0) is None:
            self.check()

    def drain(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for a message and hand on all that have arrived."""
        for _ in range(MAX_MESSAGES_PER_DRAIN):
            message = self._pubsub.get_message(timeout=timeout)
            if message is None:
                return
            self._heard = True
            timeout = 0.0
            if message["type"] == "pmessage":
                self._open(message["data"])

    def check(self) -> bool:
        """Send a ping after a quiet interval, and return whether anything was received.

        A half-open socket accepts pings; only the missing reply shows that it is dead.
        """
        now = time.monotonic()
        heard, self._heard = self._heard, False
        if heard:
            if self._pinged_at is not None:
                self._round_trip = now - self._pinged_at
            self._heard_at, self._pinged_at = now, None
        elif self._pinged_at is None:
            if now - self._heard_at >= self._ping_after:
                self._ping(now)
        elif now - self._pinged_at > max(PING_TIMEOUT, PATIENT_ROUND_TRIPS * self._round_trip):
            raise Unresponsive("pings on the event connection are not answered")
        return heard

    def prove(self) -> None:
        """Send a ping, unless one is unanswered."""
        if self._pinged_at is None:
            self._ping(time.monotonic())

    def _ping(self, now: float) -> None:
        self._pinged_at = now
        self._pubsub.ping("celtop")

    def _open(self, data: bytes) -> None:
        try:
            body, content_type = open_envelope(data)
        except ValueError as error:
            self._on_unreadable(str(error))
        else:
            self._on_body(body, content_type)

    def close(self) -> None:
        """Close the subscription's own connection."""
        self._pubsub.close()
