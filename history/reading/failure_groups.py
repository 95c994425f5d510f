"""Groups of failures of the history, as the lists of failures show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...model.ingest.tasks.failure_groups import FailureGroup, Trend
from ..rows import FailureRow


class StoredTrend(Trend):
    """Counts in the steps of a window, which do not move with time."""

    __slots__ = ("_steps",)

    def __init__(self, steps: tuple[int, ...]) -> None:
        super().__init__()
        self._steps = steps

    def series(self, now: float) -> list[int]:
        """Return the counts, oldest first."""
        return list(self._steps)


@dataclass(eq=False)
class StoredGroup(FailureGroup):
    """A group of failures in a window of the history; few of its tasks are in memory."""

    stored: int = 0
    """Number of tasks in the window."""
    stored_example: str = ""
    start: float = 0.0
    """The beginning of the window, epoch seconds."""
    end: float = 0.0
    """Its end, not included."""

    @property
    def count(self) -> int:
        """Number of tasks in the window."""
        return self.stored

    def count_since(self, since: float) -> int:
        """Return the number of tasks in the window."""
        return self.stored

    @property
    def example(self) -> str | None:
        """The id of the latest task."""
        return self.stored_example or None


def stored_group(
    row: FailureRow, tasks: Mapping[str, float | None], start: float, end: float
) -> StoredGroup:
    """Return a group.

    Args:
        row: What the history has of it.
        tasks: Those of its tasks that are in memory, and when they failed.
        start: The beginning of the window, epoch seconds.
        end: Its end, not included.
    """
    parts = [None if part == "?" else part[1:] for part in row.failure.split("\n")]
    error, place, name = (*parts, None, None, None)[:3]
    return StoredGroup(
        error,
        place,
        name,
        dict(tasks),
        row.first_at,
        row.last_at,
        StoredTrend(row.by_step),
        dict.fromkeys(row.workers, 0),
        dict.fromkeys(row.names),
        version=hash((row, len(tasks))),
        stored=row.count,
        stored_example=row.example,
        start=start,
        end=end,
    )
