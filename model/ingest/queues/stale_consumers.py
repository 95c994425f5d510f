"""Finds workers whose consumed queues have changed since they reported them.

A worker sends no event when it starts or stops consuming a queue. But if it receives a task of a
queue that it is not known to consume, a consumed queue grows while no task of it is received, or
celtop, perhaps another one, has paused or resumed a queue of it, its last reply to `active_queues`
is out of date.
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

    def replied(self, name: str, *, changed: bool) -> None:
        """Note that a worker reported its queues; `changed` if they are others than before."""
        self._suspects.discard(name)
        if changed:
            self._asked.pop(name, None)

    def take(self, now: float) -> tuple[str, ...]:
        """Return the workers to ask now, sorted; those asked lately are returned later."""
        if not self._suspects:
            return ()
        # Others are being asked anyway.
        reported = {name for name in self._suspects if self._has_reported(name)}
        names = sorted(name for name in reported if self._is_due(name, now))
        self._suspects = reported.difference(names)
        if len(self._asked) + len(names) > MAX_WORKERS:
            self._asked.clear()
        for name in names:
            _, delay = self._asked.get(name, (now, MIN_RECHECK_DELAY / 2))
            self._asked[name] = now, min(MAX_RECHECK_DELAY, delay * 2)
        return tuple(names)

    def _has_reported(self, name: str) -> bool:
        worker = self._workers.get(name)
        return worker is not None and worker.queues is not None

    def _is_due(self, name: str, now: float) -> bool:
        asked_at, delay = self._asked.get(name, (float("-inf"), 0.0))
        return now - asked_at >= delay
