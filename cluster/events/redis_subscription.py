"""Subscribes to the events of a cluster on Redis.

kombu's own subscription costs many times the CPU (lists for each message, an object hook for each
level of each envelope, a consumer, an ack) and writes bindings into the user's database, which a
pattern subscription does not need.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from ..connection.decompression import decompress
from ..connection.redis.channel import ChannelFrames, RedisChannel
from ..connection.redis.keys import exactly
from .event_exchange import EventExchange

MAX_DRAINED_BYTES: Final = 1 << 20
"""Bytes that `drain` receives before it returns, so that the caller can do other work."""
MAX_MESSAGE_BYTES: Final = 32 << 20
"""Bytes of a message that is read: a worker sends some events together, with whole tracebacks."""


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


class EventFrames(ChannelFrames):
    """Hands on the payload of each message.

    Args:
        pattern: The pattern that is subscribed to.
        on_payload: Called with each payload.
        on_unreadable: Called for each message that is not read, with the reason.
    """

    def __init__(
        self,
        pattern: str,
        on_payload: Callable[[bytes], None],
        on_unreadable: Callable[[str], None],
    ) -> None:
        super().__init__(pattern)
        self._on_payload = on_payload
        self._on_unreadable = on_unreadable

    def _message(self, data: bytes, channel: int, channel_end: int, start: int, size: int) -> int:
        end = start + size
        if size > MAX_MESSAGE_BYTES:
            self._on_unreadable("too large")
        elif end > len(data):
            return size
        else:
            self._on_payload(data[start:end])
        return 0


class RedisSubscription:
    """A pattern subscription: it writes nothing to the database and leaves nothing behind."""

    alarm: str | None = None

    def __init__(self, events: EventExchange, ping_after: float) -> None:
        channel: Any = events.connection.default_channel
        # The name of the channel that workers publish to, from the options on kombu's channel.
        topic = f"{channel.global_keyprefix}{channel.keyprefix_fanout}{events.name}"
        pattern = exactly(topic)
        self._on_body, self._on_unreadable = events.on_body, events.on_unreadable
        self._ping_after = ping_after
        self._received = True
        frames = EventFrames(
            f"{pattern}/*" if channel.fanout_patterns else pattern,
            self._open,
            events.on_unreadable,
        )
        # A connection outside the pool, since it is never returned.
        pool = channel.pool
        self._channel = RedisChannel(pool.connection_class(**pool.connection_kwargs), frames)

    def drain(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for a message and hand on all that have arrived."""
        received = self._channel.receive(timeout, MAX_DRAINED_BYTES) > 0
        self._received = self._received or received
        return received

    def wake(self) -> None:
        """Let `drain` return now, or its next call without waiting."""
        self._channel.wake()

    def check(self) -> bool:
        """Send a ping after a quiet interval, and return whether anything was received.

        Raises:
            Unresponsive: A ping was not answered in time.
        """
        received, self._received = self._received, False
        if not received:
            self._channel.check(self._ping_after)
        return received

    def prove(self) -> None:
        """Send a ping, unless one is unanswered."""
        self._channel.ping()

    def _open(self, data: bytes) -> None:
        try:
            body, content_type = open_envelope(data)
        except ValueError as error:
            self._on_unreadable(str(error))
        else:
            self._on_body(body, content_type)

    def close(self) -> None:
        """End the subscription, which the server confirms, and close its connection."""
        try:
            self._channel.unsubscribe()
        finally:
            self._channel.close()
