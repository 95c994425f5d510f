"""What is known of one queue on the broker."""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

from .rates import SecondRing

RATE_WINDOW: Final = 60
"""The window over which `in_per_s` and `out_per_s` are means."""

MAX_DEPTHS_KEPT: Final = 120
"""How many measured depths are kept for the trend."""


class Queue(msgspec.Struct, eq=False):
    """One queue; a number that cannot be known is None, with the reason in `notes`."""

    name: str
    version: int = 0
    waiting: int | None = None
    unacked: int | None = None
    by_priority: dict[str, int] = {}
    """Waiting messages by priority step, `{"0": n}`; empty where the broker does not tell."""
    consumers: tuple[str, ...] = ()
    """Names of the workers that consume it, sorted."""
    consumer_count: int | None = None
    """How many consumers the broker itself counts; None where it does not."""
    measured_at: float | None = None
    oldest_age: float | None = None
    in_per_s: float | None = None
    out_per_s: float | None = None
    history: deque[tuple[float, int]] = msgspec.field(
        default_factory=lambda: deque(maxlen=MAX_DEPTHS_KEPT)
    )
    """(epoch seconds, waiting), oldest first."""
    notes: tuple[str, ...] = ()
    received: SecondRing = msgspec.field(default_factory=lambda: SecondRing(RATE_WINDOW * 2))
    """Tasks that workers took from it, as events tell."""

    @property
    def id(self) -> str:
        """The name: what tables know a row by."""
        return self.name

    @property
    def unattended(self) -> bool:
        """Whether messages wait and nobody is known to consume them."""
        return bool(self.waiting) and not self.consumers and not self.consumer_count

    @property
    def drain(self) -> float | None:
        """Seconds until it is empty at the present rates; None if unknown, infinite if never."""
        if not self.waiting:
            return None if self.waiting is None else 0.0
        if self.in_per_s is None or self.out_per_s is None:
            return None
        net = self.out_per_s - self.in_per_s
        return self.waiting / net if net > 0 else float("inf")
