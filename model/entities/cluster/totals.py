"""Counters over the whole session, independent of eviction."""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from ..series.rates import SecondRing

EXPIRY_PAUSE: Final = 600.0
"""Seconds without an expired task after which they are counted from 0 again."""

Rated: TypeAlias = tuple[int, int, int, int]


class Totals(msgspec.Struct, eq=False):
    """Counters since celtop started, and of held tasks.

    Outcomes of tasks are counted from events, once each. Outcomes found only in the result backend
    are counted in `corrections`.
    """

    events: int = 0
    first_event_at: float | None = None
    """When the first event was received, by the local clock."""
    failures_since: float | None = None
    """Since when the history and events have all failures; None: since the first event."""
    lost: int = 0
    """Task events dropped because the inbox was full."""
    lost_heartbeats: int = 0
    malformed: int = 0
    malformed_reasons: dict[str, int] = {}
    evicted: int = 0
    """Tasks evicted because the store was full."""
    by_state: dict[str, int] = {}
    """Held tasks by state; no zeros."""
    text_bytes: int = 0
    """Size of the held tasks' texts in bytes."""
    corrections: dict[str, int] = {}
    """Corrected task states by kind (`corrections.Correction`)."""
    sent: int = 0
    received: int = 0
    started: int = 0
    succeeded: int = 0
    failed: int = 0
    retried: int = 0
    revoked: int = 0
    rejected: int = 0
    expired: int = 0
    """Tasks that expired before they started, without a pause of `EXPIRY_PAUSE` between two."""
    expired_since: float | None = None
    expired_at: float | None = None
    """When the first and the latest of them expired, by the local clock."""

    def count_expired(self, now: float) -> None:
        """Count a task that expired before a worker started it."""
        if self.expired_at is None or now - self.expired_at > EXPIRY_PAUSE:
            self.expired, self.expired_since = 0, now
        self.expired += 1
        self.expired_at = now

    @property
    def rated(self) -> Rated:
        """The counters that `Rates` has rates of: received, succeeded, failed and retried."""
        return self.received, self.succeeded, self.failed, self.retried

    @property
    def corrected(self) -> int:
        """Number of tasks whose state had to be corrected."""
        return sum(self.corrections.values())


class Rates(msgspec.Struct, eq=False):
    """Events and task outcomes per second."""

    events: SecondRing = msgspec.field(default_factory=SecondRing)
    received: SecondRing = msgspec.field(default_factory=SecondRing)
    succeeded: SecondRing = msgspec.field(default_factory=SecondRing)
    failed: SecondRing = msgspec.field(default_factory=SecondRing)
    retried: SecondRing = msgspec.field(default_factory=SecondRing)

    def add(self, at: float, events: int, before: Rated, after: Rated) -> None:
        """Add events received at an epoch time, and the change of `Totals.rated` by them."""
        is_new = self.events.add(at, events)
        received, succeeded, failed, retried = after
        if is_new or received != before[0]:
            self.received.add(at, received - before[0])
        if is_new or succeeded != before[1]:
            self.succeeded.add(at, succeeded - before[1])
        if is_new or failed != before[2]:
            self.failed.add(at, failed - before[2])
        if is_new or retried != before[3]:
            self.retried.add(at, retried - before[3])
