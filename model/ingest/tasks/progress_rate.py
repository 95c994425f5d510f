"""Progress rates, time left, and estimated progress of running tasks.

Rate and time left follow from the history of a task's own progress, of which a few points are kept;
the progress of a task that reports none is estimated from the run times of its type.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from ...entities.task import Progress, Task
from ...entities.task_type import TaskType

MAX_POINTS: Final = 16
"""Points kept per task. When full, every other point of the older half is dropped: they then cover
the whole run, the recent part in more detail."""

RECENT_POINTS: Final = 5
"""Recent points whose intervals show how long the progress usually pauses."""

MAX_HISTORIES: Final = 10_000
"""Tasks whose progress is kept at a time."""

MIN_SPAN: Final = 1.0
"""Seconds of history needed for a rate."""

MAX_TIME_LEFT: Final = 366 * 86_400.0
"""Seconds; a longer time left is considered unknown."""

MIN_SAMPLES: Final = 5
"""Run times of a type needed for an estimate."""

TYPICAL_QUANTILE: Final = 0.75
"""The quantile of run times that counts as complete in an estimate."""

MAX_ESTIMATE: Final = 0.95
"""An estimate never shows a task as almost complete."""


class ProgressHistory:
    """The progress of one attempt over time: (local time, fraction)."""

    __slots__ = ("attempt", "points")

    def __init__(self, attempt: int) -> None:
        self.attempt = attempt
        """The number of the attempt; the next one starts from scratch."""
        self.points: list[tuple[float, float]] = []

    def add(self, at: float, fraction: float) -> None:
        """Add a point; progress that goes backwards restarts the history."""
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
        """Return the recent progress per second, over the newer half of the history, or None."""
        reference = self._reference()
        if reference is None:
            return None
        (at, fraction), (last_at, last) = reference, self.points[-1]
        return (last - fraction) / (last_at - at) or None  # less than a float can be is none

    def time_left(self, now: float) -> float | None:
        """Return the seconds until completion at the recent rate, or None.

        Progress that pauses for longer than before is assumed to have slowed down.
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
        """Return the point to measure the last one against, about half the history ago."""
        if len(self.points) < 2:
            return None
        first, last = self.points[0], self.points[-1]
        if last[0] - first[0] < MIN_SPAN or last[1] <= first[1]:
            return None
        middle = last[0] - max(MIN_SPAN, (last[0] - first[0]) / 2)
        recent = [point for point in self.points if point[0] <= middle and point[1] < last[1]]
        return recent[-1] if recent else first


class ProgressRates:
    """The progress histories of running tasks, by task id."""

    def __init__(self) -> None:
        self._histories: dict[str, ProgressHistory] = {}

    def __len__(self) -> int:
        return len(self._histories)

    def add(self, task: Task, fraction: float | None, now: float) -> None:
        """Add the progress that a task reported at `now`, by the local clock."""
        if fraction is None or not task.running:
            return
        attempt = task.retries + len(task.attempts)
        history = self._histories.get(task.id)
        if history is None or history.attempt != attempt:
            if history is None and len(self._histories) >= MAX_HISTORIES:
                return
            history = self._histories[task.id] = ProgressHistory(attempt)
        history.add(now, fraction)

    def of(self, task: Task) -> ProgressHistory | None:
        """Return the history of a task's current attempt, or None."""
        history = self._histories.get(task.id)
        if (
            history is None
            or not task.running
            or history.attempt != task.retries + len(task.attempts)
        ):
            return None
        return history

    def forget_ended(self, tasks: dict[str, Task]) -> None:
        """Forget the histories of tasks that are no longer running."""
        for id_ in list(self._histories):
            task = tasks.get(id_)
            if task is None or not task.running:
                del self._histories[id_]


def estimate(task: Task, kind: TaskType | None, now: float, skew: float = 0.0) -> Progress | None:
    """Return the estimated progress of a running task that reports no fraction, or None.

    It follows from the run times of its type; `skew` is how far its worker's clock is ahead.
    """
    if not task.running or kind is None:
        return None
    if task.progress is not None and task.progress.fraction is not None:
        return None
    elapsed, typical = task.elapsed(now + skew), typical_runtime(kind)
    if elapsed is None or not typical:
        return None
    fraction, reported = min(MAX_ESTIMATE, elapsed / typical), task.progress
    if reported is None:
        return Progress(fraction, source="estimate", at=now)
    return Progress(fraction, reported.current, reported.total, reported.text, "estimate", now)


def typical_runtime(kind: TaskType) -> float | None:
    """Return the run time, in seconds, that counts as complete; None if too few are known."""
    if kind.runtime.count < MIN_SAMPLES:
        return None
    return kind.runtime.quantile(TYPICAL_QUANTILE)
