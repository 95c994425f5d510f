"""How fast tasks come on, and how far they may have come where they do not say.

The one is from the history of their own bars, the other from what others of their type took.

Only of tasks that run and tell a fraction is anything kept: a few points each.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from ..entities.task import Progress, Task
from ..entities.task_type import TaskType

MAX_POINTS: Final = 16
"""Of one bar. When they are full, every other of the older half goes: they span its whole life, and
tell the most of late."""

RECENT_POINTS: Final = 5
"""How many of the last points tell for how long a bar stands still as a rule."""

MAX_BARS: Final = 10_000

MIN_SPAN: Final = 1.0
"""Seconds of history below which nothing is estimated."""

MAX_TIME_LEFT: Final = 366 * 86_400.0
"""Seconds; what would take longer is not known rather than told."""

MIN_SAMPLES: Final = 5
"""Past run times of a type from which on a task of it is estimated."""

TYPICAL_QUANTILE: Final = 0.75
"""The quantile of past run times that an estimated bar takes for the whole."""

MAX_ESTIMATE: Final = 0.95
"""An estimate never says that a task is about done."""


class ProgressRate:
    """The points of one bar: when (our clock) and how far (0 to 1)."""

    __slots__ = ("attempt", "points")

    def __init__(self, attempt: int) -> None:
        self.attempt = attempt
        """Counts the task's attempts: the next one's bar begins anew."""
        self.points: list[tuple[float, float]] = []

    def add(self, at: float, fraction: float) -> None:
        """Add a point; a bar that goes back begins anew."""
        points = self.points
        if points:
            last_at, last = points[-1]
            if fraction < last:
                points.clear()
            elif at <= last_at:
                points[-1] = (last_at, fraction)
                return
        points.append((at, fraction))
        if len(points) > MAX_POINTS:
            del points[1 : MAX_POINTS // 2 : 2]

    def rate(self) -> float | None:
        """Return the fraction done per second of late: over the newer half of the history."""
        reference = self._reference()
        if reference is None:
            return None
        (at, fraction), (last_at, last) = reference, self.points[-1]
        return (last - fraction) / (last_at - at)

    def left(self, now: float) -> float | None:
        """Return the seconds until the bar is full at this rate, or None.

        A bar that stands still for longer than it ever did is taken to go slower.
        """
        reference = self._reference()
        if reference is None:
            return None
        (at, fraction), (last_at, last) = reference, self.points[-1]
        silence = max(0.0, now - last_at)
        times = [moment for moment, _ in self.points[-RECENT_POINTS:]]
        pause = max(later - earlier for earlier, later in pairwise(times))
        if silence <= 1.5 * pause:
            left = (1.0 - last) * (last_at - at) / (last - fraction) - silence
        else:
            left = (1.0 - last) * (now - at) / (last - fraction)
        return None if left > MAX_TIME_LEFT else max(0.0, left)

    def _reference(self) -> tuple[float, float] | None:
        """Return the point that the last one is measured from: about half the history ago."""
        if len(self.points) < 2:
            return None
        first, last = self.points[0], self.points[-1]
        if last[0] - first[0] < MIN_SPAN or last[1] <= first[1]:
            return None
        middle = last[0] - max(MIN_SPAN, (last[0] - first[0]) / 2)
        recent = [point for point in self.points if point[0] <= middle and point[1] < last[1]]
        return recent[-1] if recent else first


class ProgressRates:
    """The histories of the bars of tasks that run, by the task's id."""

    def __init__(self) -> None:
        self._progress_rates: dict[str, ProgressRate] = {}

    def __len__(self) -> int:
        return len(self._progress_rates)

    def note(self, task: Task, fraction: float | None, now: float) -> None:
        """Note how far a task said at `now`, by our clock, that it has come."""
        if fraction is None or not task.running:
            return
        attempt = task.retries + len(task.attempts)
        pace = self._progress_rates.get(task.id)
        if pace is None or pace.attempt != attempt:
            if pace is None and len(self._progress_rates) >= MAX_BARS:
                return
            pace = self._progress_rates[task.id] = ProgressRate(attempt)
        pace.add(now, fraction)

    def of(self, task: Task) -> ProgressRate | None:
        """Return the history of a task's present bar."""
        pace = self._progress_rates.get(task.id)
        if pace is None or not task.running or pace.attempt != task.retries + len(task.attempts):
            return None
        return pace

    def forget_ended(self, tasks: dict[str, Task]) -> None:
        """Forget the bars of tasks that run no more."""
        for id_ in list(self._progress_rates):
            task = tasks.get(id_)
            if task is None or not task.running:
                del self._progress_rates[id_]


def estimate(task: Task, kind: TaskType | None, now: float, skew: float = 0.0) -> Progress | None:
    """Return how far a task may have come by what others of its type took.

    Args:
        task: It runs, and says nothing of how far it is; else there is no estimate.
        kind: Its type.
        now: The time, by our clock.
        skew: Seconds that its worker's clock is ahead of ours.
    """
    if not task.running or kind is None or kind.runtime.count < MIN_SAMPLES:
        return None
    if task.progress is not None and task.progress.fraction is not None:
        return None
    elapsed, typical = task.elapsed(now + skew), kind.runtime.quantile(TYPICAL_QUANTILE)
    if elapsed is None or not typical:
        return None
    text = None if task.progress is None else task.progress.text
    return Progress(min(MAX_ESTIMATE, elapsed / typical), None, None, text, "estimate", now)
