"""Decodes an unacknowledged message on Redis.

kombu keeps `[message, exchange, routing key]` in a hash, by delivery tag.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

_value = msgspec.json.Decoder(tuple[msgspec.Raw, str | None, str | None])


class UnackedValue(NamedTuple):
    """A message, and where it was sent."""

    message: bytes
    """As it was in its queue."""
    exchange: str
    routing_key: str


def decode_unacked(value: bytes) -> UnackedValue | None:
    """Return the parts of a value of the hash; None if it is not one. Never raises."""
    try:
        message, exchange, routing_key = _value.decode(value)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return UnackedValue(bytes(message), exchange or "", routing_key or "")
