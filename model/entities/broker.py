"""The broker and the state of the connection to it."""

from __future__ import annotations

import math
from typing import Final, Literal, TypeAlias

import msgspec

from .fault import Fault

BrokerPhase: TypeAlias = Literal["connecting", "live", "lost"]
BrokerFamily: TypeAlias = Literal["redis", "amqp", "other", "unknown"]
"""How a broker keeps messages; `unknown` before its URL is known."""

_FAMILIES: Final[dict[str, BrokerFamily]] = {
    "": "unknown",
    "redis": "redis", "rediss": "redis", "sentinel": "redis",
    "amqp": "amqp", "amqps": "amqp", "pyamqp": "amqp",
}  # fmt: skip


def family_of(transport: str) -> BrokerFamily:
    """Return the family of a transport, as kombu names it in a URL's scheme."""
    return _FAMILIES.get(transport, "other")


class Broker(msgspec.Struct, eq=False):
    """The broker that events are received from. Times are epoch seconds by the local clock."""

    url: str = ""
    """Without the password."""
    transport: str = ""
    """`redis`, `amqp`, ..., as kombu names it."""
    phase: BrokerPhase = "connecting"
    fault: Fault | None = None
    """Why it is not live; None while it is."""
    since: float | None = None
    """When the current phase began."""
    retry_at: float | None = None
    """When the next connection attempt is due."""
    latency: float | None = None
    """Seconds that the last round trip took."""
    commands_sent: int = 0
    """Commands that this session has sent to it."""
    live_since: float | None = None
    """Since when events have been received without a gap; None while disconnected."""
    lost_at: float | None = None
    """When the connection was last lost; None before the first connection."""
    version: int = 0

    @property
    def family(self) -> BrokerFamily:
        """How the broker keeps messages."""
        return family_of(self.transport)

    @property
    def listening_since(self) -> float:
        """From when on a missing event means something: infinity while disconnected.

        It is 0 before the first connection, because a replay never has a connection.
        """
        if self.live_since is not None:
            return self.live_since
        return 0.0 if self.lost_at is None else math.inf
