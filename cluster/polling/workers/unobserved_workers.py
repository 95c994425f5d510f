"""Decides when to inspect workers whose events show too little.

Workers started without gossip, heartbeats and `-E` send no events at all. Only replies show that
they run and what they do, so they are inspected more often, especially while they are busy.
"""

from __future__ import annotations

import time
from typing import Final

from ...connection.replies import Reply
from ...events.roster import Member, Roster

COMMANDS: Final = ("active", "reserved")
"""Inspected in three of four rounds; in the fourth, all frequent commands."""
INTERVAL: Final = 2.0
"""Seconds between two rounds."""
MAX_INTERVAL: Final = 60.0
"""Seconds between two rounds, regardless of their cost: a worker silent for longer would be
forgotten."""
BUSY_COMMANDS_PER_MINUTE: Final = 240.0
"""Budget while these workers run tasks: nothing else shows which."""
IDLE_COMMANDS_PER_MINUTE: Final = 120.0
"""Budget otherwise."""
BUSY_SECONDS: Final = 20.0
"""Seconds since the last sign of a task for which these workers count as busy."""
FRUGAL_FACTOR: Final = 4.0
"""By which the budget is smaller in frugal mode."""


class UnobservedWorkers:
    """Plans the rounds for these workers.

    Args:
        enable_events: Whether task events are enabled on all workers that can send them.
    """

    def __init__(self, roster: Roster, *, enable_events: bool, frugal: bool) -> None:
        self._roster = roster
        self._enable_events = enable_events
        self._slower = FRUGAL_FACTOR if frugal else 1.0
        self._inspected_at = 0.0
        self._busy_at = float("-inf")
        self._rounds = 0

    @property
    def whole(self) -> bool:
        """Whether the current round has all frequent commands."""
        return self._rounds % 4 == 0

    def begin(self) -> None:
        """Record the beginning of a round."""
        self._inspected_at = time.monotonic()
        self._rounds += 1

    def due(self, cost_per_worker: float, overhead: float) -> tuple[str, ...]:
        """Return the workers to inspect now.

        Args:
            cost_per_worker: Commands of a round for each worker.
            overhead: Further commands of a round.
        """
        now = time.monotonic()
        if now < self._inspected_at + INTERVAL:
            return ()
        names = self._roster.unobserved(self._enable_events)
        is_busy = now - self._busy_at < BUSY_SECONDS
        budget = BUSY_COMMANDS_PER_MINUTE if is_busy else IDLE_COMMANDS_PER_MINUTE
        cost = (overhead + cost_per_worker * len(names)) * self._slower
        return names if now >= self._inspected_at + min(cost * 60 / budget, MAX_INTERVAL) else ()

    def replied(self, member: Member, reply: Reply) -> None:
        """Note whether a worker has tasks."""
        if member.without_events and reply.command in COMMANDS and reply.value:
            self._busy_at = time.monotonic()

    def hurry(self) -> bool:
        """Make a round due, because a task has ended unnoticed; return whether it was not due."""
        now = time.monotonic()
        first = now - self._busy_at > INTERVAL / 2
        self._busy_at = now
        if first:
            self._inspected_at = min(self._inspected_at, now - MAX_INTERVAL)
        return first
