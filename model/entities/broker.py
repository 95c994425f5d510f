"""What is known of the broker and of our connection to it."""

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
    """The broker that we listen to."""

    url: str = ""
    """Without its password."""
    transport: str = ""
    """`redis`, `amqp`, ..., as kombu names it."""
    phase: BrokerPhase = "connecting"
    fault: Fault | None = None
    """Why it is not live; None while it is."""
    since: float | None = None
    """When the present phase began, by our clock."""
    retry_at: float | None = None
    """When the next try to connect is due."""
    latency: float | None = None
    """Seconds that it last took to answer."""
    commands_sent: int = 0
    """All commands that this session sent to it."""
    live_since: float | None = None
    """Since when events are heard without a gap; None while they are not."""
    lost_at: float | None = None
    """When events were last heard before the present gap; None before the first connection."""
    version: int = 0

    @property
    def family(self) -> BrokerFamily:
        """How the broker keeps messages."""
        return family_of(self.transport)

    @property
    def listening_since(self) -> float:
        """From when on silence means something: infinity while we are cut off.

        Before the first connection it is 0: a replay never has a connection at all.
        """
        if self.live_since is not None:
            return self.live_since
        return 0.0 if self.lost_at is None else math.inf
