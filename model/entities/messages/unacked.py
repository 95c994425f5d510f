"""A message that a worker has received and not acknowledged yet."""

from __future__ import annotations

import msgspec


class Unacked(msgspec.Struct, frozen=True, gc=False):
    """An unacknowledged message on Redis. Times are epoch seconds by the local clock."""

    id: str
    """The task's id; empty if the message could not be read."""
    name: str
    """The task's name; empty if the message could not be read."""
    queue: str | None
    """The queue that it came from; None if its bindings are ambiguous."""
    worker: str | None
    """The worker that holds it, by events and replies; None if unknown."""
    since: float
    """When the worker received it."""
    redelivered_at: float | None = None
    """When the visibility timeout ends: the message is then redelivered, unless it is acknowledged
    before."""
    eta_at: float | None = None
    """When its task is due; None without an ETA."""
    redelivered: bool = False
    """Whether it has been redelivered before."""
