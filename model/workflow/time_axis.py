"""The time axis that the bars of a workflow share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..entities.clock_skew import ClockSkews
from ..entities.task import Task
from .members import span

GROWTH: Final = 1.25
"""Factor by which the axis grows at a time, so that bars of ended tasks rarely move."""
MIN_LENGTH: Final = 0.001
"""Seconds."""


class TimeAxis:
    """From the beginning of a workflow to its end, or beyond the present while it is running."""

    def __init__(self, now: float) -> None:
        self.begin = now
        """Epoch seconds by the local clock."""
        self.length = 1.0
        """Seconds."""
        self._end = now
        self._running = False

    def measure(self, tasks: Iterable[Task], skews: ClockSkews, now: float) -> None:
        """Fit the axis to the times of all tasks."""
        begins: list[float] = []
        ends: list[float] = []
        self._running = False
        for task in tasks:
            begin, end = span(task, skews)
            if begin is not None:
                begins.append(begin)
                ends.append(begin if end is None else end)
                self._running = self._running or end is None
        self.begin, self._end = min(begins, default=now), max(ends, default=now)
        self._extend(max(self._end, now) if self._running else self._end)

    def tick(self, now: float) -> None:
        """Extend the axis while the workflow is running."""
        if self._running:
            self._extend(now)

    def duration(self, now: float) -> float:
        """Return the seconds from the beginning to the end, or until now."""
        return max(0.0, (max(now, self._end) if self._running else self._end) - self.begin)

    def _extend(self, end: float) -> None:
        needed = max(end - self.begin, MIN_LENGTH)
        if not self._running:
            self.length = needed
        elif not needed <= self.length <= needed * GROWTH * GROWTH:
            self.length = needed * GROWTH
