"""Plans the inspection of workers: what the screen needs, within the command budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any, Final

from ....settings import Settings
from ...events.roster import Roster
from ..poller import MAX_INTERVAL, ScreenInterest

FREQUENT_COMMANDS: Final = ("stats", "active", "reserved", "scheduled")
"""Inspected in every round."""
OCCASIONAL_COMMANDS: Final = ("active_queues",)
"""Inspected in every fourth round, and on their own where a screen shows the consumers."""
CONSUMERS_INTERVAL: Final = 15.0
"""Seconds between two inspections of the consumed queues while a screen shows them."""
CONSUMERS_COMMANDS_PER_MINUTE: Final = 600.0
"""Budget of these inspections; with more than about 150 workers they are less frequent."""
STARTUP_COMMANDS: Final = ("registered", "conf")
"""Inspected once per worker: large, and unchanged while it runs."""
REVOKED_COMMANDS: Final = ("revoked",)
"""Inspected on request: up to 50,000 ids for each worker."""
ALL_COMMANDS: Final = ("active_queues", *FREQUENT_COMMANDS, *STARTUP_COMMANDS)
INSPECT_ARGUMENTS: Final[dict[str, dict[str, Any]]] = {
    "registered": {"taskinfoitems": ["rate_limit", "soft_time_limit", "time_limit"]}
}
"""Arguments of the commands: `registered` includes the limits of each task, of which Celery's
default omits the time limits."""
BACKGROUND_COMMANDS: Final = ("active", "active_queues")
"""Inspected while no screen shows workers: enough to correct what missed events left wrong."""
ROUND_OVERHEAD: Final = 4.0
"""Commands of a round besides one for each request and each reply."""


def round_cost(commands: int, workers: int) -> float:
    """Return the approximate number of commands of a round."""
    return ROUND_OVERHEAD + commands * (1 + workers)


class InspectSchedule:
    """Plans the rounds of inspection.

    Args:
        interval: Returns the seconds between two rounds, as `Poller.interval`.
    """

    topic = "worker"

    def __init__(
        self,
        roster: Roster,
        interest: ScreenInterest,
        settings: Settings,
        interval: Callable[[float, float, float], float],
    ) -> None:
        self._roster = roster
        self._interest = interest
        self._settings = settings
        self._interval = interval
        self._rounds = 0
        self._consumers_at = 0.0
        self.round_at = 0.0
        """When the last round began, by the monotonic clock."""

    @property
    def next_round_at(self) -> float:
        """When the next round is due, by the monotonic clock."""
        settings = self._settings
        commands, names = self.plan()
        cost = round_cost(len(commands), len(names))
        preferred = settings.inspect_interval
        maximum = MAX_INTERVAL
        if not self._interest.on(self.topic):
            preferred *= 4
        elif not settings.frugal:
            # With many workers the budget alone would make the screen too old.
            maximum = preferred * 4
        return self.round_at + self._interval(preferred, cost, maximum)

    def plan(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the commands of the next round and the workers to send them to."""
        known = self._roster.present()
        if not self._interest.on(self.topic):
            return BACKGROUND_COMMANDS, known
        occasional = self._rounds % 4 == 3 or self.consumers_due
        commands = (*FREQUENT_COMMANDS, *(OCCASIONAL_COMMANDS if occasional else ()))
        return commands, self.shown_workers()

    def shown_workers(self) -> tuple[str, ...]:
        """Return the present workers that the screen shows."""
        known, topics = self._roster.present(), self._interest.topics
        if "workers" in topics or "consumers" in topics:
            return known
        shown = {topic.removeprefix("worker:") for topic in topics}
        return tuple(name for name in known if name in shown) or known

    @property
    def consumers_due(self) -> bool:
        """Whether the consumed queues are on the screen, and due to be inspected."""
        interest = self._interest
        if interest.frugal or interest.on("overview"):
            return False
        if not (interest.on("consumers") or interest.on(self.topic)):
            return False
        cost = round_cost(len(OCCASIONAL_COMMANDS), len(self.shown_workers()))
        budgeted = min(cost * 60.0 / CONSUMERS_COMMANDS_PER_MINUTE, 4 * CONSUMERS_INTERVAL)
        preferred = min(self._settings.inspect_interval, CONSUMERS_INTERVAL)
        return time.monotonic() - self._consumers_at >= max(preferred, budgeted)

    def begin(self, commands: Collection[str], names: Collection[str] | None) -> None:
        """Record that these commands are being sent to these workers (None: all)."""
        if names is not None and not set(names) >= set(self.shown_workers()):
            return
        now = time.monotonic()
        if "active" in commands:
            self.round_at = now
        if "active_queues" in commands:
            self._consumers_at = now

    def count_round(self) -> None:
        """Count a planned round: in every fourth one, the occasional commands are sent too."""
        self._rounds += 1
