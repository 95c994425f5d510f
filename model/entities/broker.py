"""The broker and the state of the connection to it."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple, TypeAlias

import msgspec

from .fault import Fault

BrokerPhase: TypeAlias = Literal["connecting", "live", "blocked", "lost"]
"""`blocked`: connected, but the broker accepts no messages, neither from workers nor from us."""
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


class Listening(NamedTuple):
    """The time in which a worker's events would have been received. Epoch seconds."""

    since: float
    """Since when without a gap."""
    until: float
    """Until when: now, or the last proof that the connection was working."""
    is_live: bool = True
    """Whether events can be received now; otherwise what was observed last is out of date."""


class BrokerMemory(msgspec.Struct, frozen=True, gc=False):
    """The memory of Redis, as it reports it (`INFO memory`, `INFO stats`)."""

    at: float
    """When it was asked, epoch seconds."""
    used: int
    """Bytes that count towards the maximum (`used_memory`)."""
    maximum: int | None
    """Bytes (`maxmemory`); None if it is not limited."""
    policy: str
    """The policy at the maximum (`maxmemory-policy`): `noeviction`, `allkeys-lru`, ..."""
    evicted: int | None = None
    """Keys evicted since the server started; None if unknown."""


class Broker(msgspec.Struct, eq=False):
    """The broker that events are received from. Times are epoch seconds by the local clock."""

    url: str = ""
    """Without the password."""
    transport: str = ""
    """`redis`, `amqp`, ..., as kombu names it."""
    transport_options: dict[str, Any] = {}
    """The `broker_transport_options` of celtop's settings."""
    phase: BrokerPhase = "connecting"
    fault: Fault | None = None
    """Why it is blocked or disconnected; None while it is live."""
    unverified: Fault | None = None
    """The part of the encrypted connection that is not verified; None if nothing is missing."""
    since: float | None = None
    """When the current phase began."""
    retry_at: float | None = None
    """When the next connection attempt is due."""
    latency: float | None = None
    """Seconds that the last round trip took."""
    commands_sent: int = 0
    """Commands that this session has sent to it."""
    live_since: float | None = None
    """Since when events have been received without a gap, or were before the connection was lost
    or blocked; None before the first connection."""
    event_at: float = 0.0
    """When an event was last received."""
    proved_at: float = 0.0
    """When something else, such as the reply to a ping, last proved that the connection works."""
    lost_at: float | None = None
    """When the connection was last proved to work before it was lost; None if it never was."""
    memory: BrokerMemory | None = None
    """The memory of Redis; None if it was not asked, or on another broker."""
    version: int = 0

    @property
    def family(self) -> BrokerFamily:
        """How the broker keeps messages."""
        return family_of(self.transport)

    @property
    def is_connected(self) -> bool:
        """Whether events can be received, though perhaps nothing can be sent."""
        return self.phase in ("live", "blocked")

    def observed_until(self, now: float) -> float:
        """Return the time up to which the cluster is known: `now`, or when the connection was lost.

        All that follows from time passing without an event ends there: rates, run times of
        running tasks, conclusions. It is `now` if nothing was ever received: then nothing is known.
        """
        return now if self.phase == "live" else self.listening(now).until or now

    def listening(self, now: float) -> Listening:
        """Return the time in which silence means something.

        While disconnected or blocked it stands still, so that no worker becomes late or lost. A
        connection that looks open may be dead: only what was received proves that it works. A
        replay has no connection, and all of its time counts.
        """
        if self.live_since is None:
            # Without a first connection, a collector may have received events before.
            proved_at = max(self.event_at, self.proved_at)
            unconnected = self.since is None
            return Listening(0.0, now if unconnected else min(now, proved_at), unconnected)
        # Workers may have been unable to send events since the last one, long before we noticed.
        until = self.event_at if self.phase == "blocked" else max(self.event_at, self.proved_at)
        return Listening(self.live_since, min(now, until), self.phase == "live")
