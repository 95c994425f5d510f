"""The subscription to the events, by kind of broker: bodies of messages out, liveness watched.

Over Redis the subscription is redis-py's own. kombu's costs twice the CPU (an object hook for each
level of each envelope, a consumer, an ack), and writes bindings into the user's database, where a
subscription needs none. Over everything else it is a kombu consumer.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias

import msgspec

from ..connection.errors import Silent

if TYPE_CHECKING:
    from kombu.connection import Connection

PINGS_MISSED: Final = 3
"""Unanswered pings, one at each check, after which a Redis subscription is taken for dead."""
AT_ONCE: Final = 500
"""Messages handed on before the caller may look at other things."""

OnBody: TypeAlias = Callable[[bytes, str], None]
"""Called with each message's body and content type."""


class Stream(Protocol):
    """A subscription that is up."""

    def drain(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for a message; hand on all that are there already."""

    def check(self) -> None:
        """Raise if the connection is dead though its socket does not say so. Once a second."""

    def close(self) -> None:
        """Take the subscription back; the connection is the caller's to close."""


def subscribe(connection: Connection, exchange: str, on_body: OnBody) -> Stream:
    """Subscribe to all events on an exchange.

    Raises:
        Exception: Whatever the transport raises, also when it refuses the subscription.
    """
    if connection.transport.driver_type == "redis":
        return RedisStream(connection, exchange, on_body)
    return KombuStream(connection, exchange, on_body)


class KombuStream:
    """A queue of our own on the broker, with the limits of Celery's own receivers."""

    def __init__(self, connection: Connection, exchange: str, on_body: OnBody) -> None:
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

        self._consumer = Consumer(
            connection.default_channel, [queue], on_message=on_message, no_ack=True
        )
        self._consumer.consume()

    def drain(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for a message; hand on all that are there."""
        try:
            for _ in range(AT_ONCE):
                self._connection.drain_events(timeout=timeout)
                timeout = 0.0
        except TimeoutError:
            return

    def check(self) -> None:
        """Send and expect heartbeats.

        Also under load: kombu's own loop does so only when idle, no heartbeat would ever be sent,
        and RabbitMQ would close the connection.
        """
        self._connection.heartbeat_check()

    def close(self) -> None:
        """Cancel the consumer, with which the queue goes."""
        self._consumer.cancel()


class _Properties(msgspec.Struct):
    body_encoding: Literal["base64"]


class _Headers(msgspec.Struct):
    compression: str | None = None


class _Envelope(msgspec.Struct, rename={"content_type": "content-type"}):
    """A message as kombu puts it into Redis; msgspec undoes the base64 on the way."""

    body: bytes
    properties: _Properties
    content_type: str
    headers: _Headers


_envelopes: Final = msgspec.json.Decoder(_Envelope)


def open_envelope(data: bytes) -> tuple[bytes, str]:
    """Return body and content type of a message that kombu put into Redis.

    Raises:
        ValueError: It is none.
    """
    try:
        envelope = _envelopes.decode(data)
    except msgspec.MsgspecError:
        return _open_slowly(data)
    if envelope.headers.compression:
        return _decompress(envelope.body, envelope.headers.compression), envelope.content_type
    return envelope.body, envelope.content_type


def _open_slowly(data: bytes) -> tuple[bytes, str]:
    """Open what the usual settings do not produce: bodies in plain text, missing fields."""
    try:
        message = msgspec.json.decode(data)
        body = message["body"]
        if message.get("properties", {}).get("body_encoding") == "base64":
            plain = base64.b64decode(body)
        else:
            plain = body.encode()
        compression = (message.get("headers") or {}).get("compression")
        content_type = str(message.get("content-type") or "application/json")
    except (msgspec.MsgspecError, binascii.Error, AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a message: {type(error).__name__}") from error
    return _decompress(plain, compression) if compression else plain, content_type


def _decompress(body: bytes, compression: str) -> bytes:
    from kombu.compression import decompress

    try:
        plain: bytes = decompress(body, compression)
    except Exception as error:  # each codec raises its own
        raise ValueError(f"cannot be decompressed ({compression})") from error
    return plain


class RedisStream:
    """A pattern subscription: nothing is written, and nothing is left behind."""

    def __init__(self, connection: Connection, exchange: str, on_body: OnBody) -> None:
        from redis import Redis

        channel = connection.default_channel
        # As kombu names the channels that workers publish to; its options are on its channel.
        topic = f"{channel.global_keyprefix}{channel.keyprefix_fanout}{exchange}"
        self._on_body = on_body
        self._pubsub: Any = Redis(connection_pool=channel.pool).pubsub()  # type: ignore[no-untyped-call]
        self._pubsub.psubscribe(f"{topic}/*" if channel.fanout_patterns else topic)
        # Refused or granted: only the answer tells.
        while self._pubsub.get_message(timeout=1.0) is None:
            self.check()

    def drain(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for a message; hand on all that are there."""
        for _ in range(AT_ONCE):
            message = self._pubsub.get_message(timeout=timeout)
            if message is None:
                return
            timeout = 0.0
            if message["type"] == "pmessage":
                self._open(message["data"])

    def check(self) -> None:
        """Send a ping if nothing came for a while, and count those unanswered.

        A half-open socket takes pings gladly, and nobody but this counter notices that no answer
        comes.
        """
        self._pubsub.check_health()
        if self._pubsub.health_check_response_counter >= PINGS_MISSED:
            raise Silent("pings on the event connection stay unanswered")

    def _open(self, data: bytes) -> None:
        try:
            body, content_type = open_envelope(data)
        except ValueError as error:
            body, content_type = b"", str(error)
        self._on_body(body, content_type)

    def close(self) -> None:
        """Close the subscription's own connection."""
        self._pubsub.close()
