"""Decides which workers to ask for single tasks, and when."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from ...events.roster import Roster
from .inspect_schedule import round_cost

QUERY_INTERVAL: Final = 8.0
"""Seconds between two queries for single tasks."""
WAITING_COMMANDS: Final = ("reserved", "scheduled", "registered")
"""Inspected beside a query: a worker also has tasks that `query_task` does not find, awaiting a
retry or held back by their rate limit."""
LISTS_INTERVAL: Final = 30.0
"""Seconds between two queries that include these lists."""
MAX_QUERIED_TASKS: Final = 100
"""Tasks in one query: for each of them a worker searches all of its tasks."""


class TaskQuery(NamedTuple):
    """The tasks, the workers to ask (None for all), and the queues to search."""

    ids: tuple[str, ...] = ()
    names: frozenset[str] | None = None
    queues: tuple[str, ...] = ()

    def workers(self, present: Sequence[str]) -> list[str]:
        """Return those of the present workers that are to be asked."""
        return [name for name in present if self.names is None or name in self.names]


class TaskQueries:
    """Holds the next query, and spaces queries by the command budget.

    Args:
        interval: Returns the seconds between two queries, as `Poller.interval`.
    """

    def __init__(self, roster: Roster, interval: Callable[[float, float, float], float]) -> None:
        self._roster = roster
        self._interval = interval
        self._next = TaskQuery()
        self._queried_at = 0.0
        self._listed_at = float("-inf")

    def replace(
        self, ids: Sequence[str], names: frozenset[str] | None, queues: Sequence[str]
    ) -> None:
        """Make this the next query."""
        self._next = TaskQuery(tuple(ids)[:MAX_QUERIED_TASKS], names, tuple(queues))

    @property
    def waiting(self) -> bool:
        """Whether there is a query, due or not."""
        return bool(self._next.ids)

    def is_due(self) -> bool:
        """Return whether there is a query, and it is due."""
        query = self._next
        if not query.ids:
            return False
        asked = self._roster.present() if query.names is None else query.names
        interval = self._interval(QUERY_INTERVAL, round_cost(1, len(asked)), QUERY_INTERVAL * 3)
        return time.monotonic() >= self._queried_at + interval

    def take(self) -> tuple[TaskQuery, list[str]]:
        """Return the next query, once, and the commands for it."""
        self._queried_at = time.monotonic()
        query, self._next = self._next, TaskQuery()
        commands = ["query_task"]
        if self._queried_at - self._listed_at >= LISTS_INTERVAL:
            self._listed_at = self._queried_at
            commands += WAITING_COMMANDS
        return query, commands
