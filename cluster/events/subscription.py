"""Subscribes to the events of a cluster, by kind of broker, and checks that it is alive.

On Redis this is a subscription of redis-py. kombu's costs twice the CPU (an object hook for each
level of each envelope, a consumer, an ack) and writes bindings into the user's database, which a
plain subscription does not need. On every other transport it is a kombu consumer.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias

import msgspec

from ..connection.decompression import decompress
from ..connection.errors import Unresponsive
from ..connection.redis_keys import exactly

if TYPE_CHECKING:
    from kombu.connection import Connection

MAX_MISSED_PINGS: Final = 3
"""Unanswered pings, one for each check, before a Redis subscription counts as dead."""
MAX_MESSAGES_PER_DRAIN: Final = 500
"""Messages handed on before `drain` returns, so that the caller can do other work."""

OnBody: TypeAlias = Callable[[bytes, str], None]
"""Called with each message's body and content type."""
OnUnreadable: TypeAlias = Callable[[str], None]
"""Called for each message whose body cannot be reached, with the reason."""


class Subscription(Protocol):
    """An active subscription."""

    def drain(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for a message and hand on all that have arrived."""

    def check(self) -> None:
        """Raise if the connection is dead although its socket is open. Call it once a second."""

    def close(self) -> None:
        """Cancel the subscription; the caller closes the connection."""


def subscribe(
    connection: Connection, exchange: str, on_body: OnBody, on_unreadable: OnUnreadable
) -> Subscription:
    """Subscribe to all events on an exchange.

    Raises:
        Exception: Any error of the transport, also when it refuses the subscription.
    """
    if connection.transport.driver_type == "redis":
        return RedisSubscription(connection, exchange, on_body, on_unreadable)
    return KombuSubscription(connection, exchange, on_body, on_unreadable)


class KombuSubscription:
    """A temporary queue on the broker, with the same limits as Celery's event receiver."""

    def __init__(
        self,
        connection: Connection,
        exchange: str,
        on_body: OnBody,
        on_unreadable: OnUnreadable,
    ) -> None:
        from kombu import Consumer, Exchange, Queue

        self._connection = connection
        fanout = connection.transport.driver_type == "gcpubsub"
        queue = Queue(
            f"celeryev.{uuid.uuid4()}",
            exchange=Exchange(exchange, type="fanout" if fanout else "topic"),
            routing_key="#",
            durable=False,
            auto_delete=True,
            exclusive=True,
            message_ttl=5.0,
            expires=60.0,
        )

        def on_message(message: Any) -> None:
            on_body(message.body, message.content_type)

        def on_decode_error(message: Any, error: Exception) -> None:
            on_unreadable(str(error))

        self._consumer = Consumer(
            connection.default_channel,
            [queue],
            on_message=on_message,
            on_decode_error=on_decode_error,
            no_ack=True,
        )
        self._consumer.consume()

    def drain(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for a message and hand on all that have arrived."""
        try:
            for _ in range(MAX_MESSAGES_PER_DRAIN):
                self._connection.drain_events(timeout=timeout)
                timeout = 0.0
        except TimeoutError:
            return

    def check(self) -> None:
        """Send and check heartbeats.

        This is needed under load as well: kombu does it only when idle, so no heartbeat would be
        sent and RabbitMQ would close the connection.
        """
        self._connection.heartbeat_check()

    def close(self) -> None:
        """Cancel the consumer, which deletes the queue."""
        self._consumer.cancel()


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

    def __init__(
        self,
        connection: Connection,
        exchange: str,
        on_body: OnBody,
        on_unreadable: OnUnreadable,
    ) -> None:
        from redis import Redis

        channel = connection.default_channel
        # The name of the channel that workers publish to, from the options on kombu's channel.
        topic = f"{channel.global_keyprefix}{channel.keyprefix_fanout}{exchange}"
        self._on_body = on_body
        self._on_unreadable = on_unreadable
        self._pubsub: Any = Redis(connection_pool=channel.pool).pubsub()  # type: ignore[no-untyped-call]
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
            timeout = 0.0
            if message["type"] == "pmessage":
                self._open(message["data"])

    def check(self) -> None:
        """Send a ping after a quiet interval, and count the unanswered ones.

        A half-open socket accepts pings; only this count shows that there is no reply.
        """
        self._pubsub.check_health()
        if self._pubsub.health_check_response_counter >= MAX_MISSED_PINGS:
            raise Unresponsive("pings on the event connection are not answered")

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
