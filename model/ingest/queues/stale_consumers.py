"""Finds workers whose consumed queues have changed since they reported them.

A worker sends no event when it starts or stops consuming a queue. But if it receives a task of a
queue that it is not known to consume, or a consumed queue grows while no task of it is received,
its last reply to `active_queues` is out of date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ...entities.worker import Worker

MIN_RECHECK_DELAY: Final = 5.0
"""Seconds until a worker is asked again, doubled each time if its reply was up to date."""
MAX_RECHECK_DELAY: Final = 300.0
"""Seconds after which it is asked again at the latest."""
MAX_WORKERS: Final = 5_000
"""Workers of which the delay is remembered."""


class StaleConsumers:
    """The workers to ask for their queues, as soon as the budget of commands allows."""

    def __init__(self, workers: Mapping[str, Worker]) -> None:
        self._workers = workers
        self._suspects: set[str] = set()
        self._asked: dict[str, tuple[float, float]] = {}

    def suspect(self, names: Iterable[str]) -> None:
        """Note workers whose queues seem to have changed."""
        self._suspects.update(names)

    def changed(self, name: str) -> None:
        """Note that a worker reported other queues than before."""
        self._asked.pop(name, None)

    def take(self, now: float) -> tuple[str, ...]:
        """Return the workers to ask now, sorted, and forget them."""
        if not self._suspects:
            return ()
        names = sorted(name for name in self._suspects if self._due(name, now))
        self._suspects.clear()
        if len(self._asked) + len(names) > MAX_WORKERS:
            self._asked.clear()
        for name in names:
            _, delay = self._asked.get(name, (now, MIN_RECHECK_DELAY / 2))
            self._asked[name] = now, min(MAX_RECHECK_DELAY, delay * 2)
        return tuple(names)

    def _due(self, name: str, now: float) -> bool:
        worker = self._workers.get(name)
        if worker is None or worker.queues is None:
            return False  # it is being asked anyway
        asked_at, delay = self._asked.get(name, (float("-inf"), 0.0))
        return now - asked_at >= delay
