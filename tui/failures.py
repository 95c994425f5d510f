"""What fails, grouped by exception and task: thirty times the same is one line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final

from ..model.task import Task

WINDOW: Final = 3600.0
"""Seconds that a failure counts."""
LOOKED_AT: Final = 2000
"""Newest failures that are grouped."""
_LONGEST: Final = 120


@dataclass(slots=True)
class FailureGroup:
    """Failures of one task name with one exception."""

    exception: str
    """The class, as Celery wrote it."""
    task: str
    count: int
    last_at: float | None

    @property
    def id(self) -> str:
        """What tables know it by."""
        return f"{self.exception}\n{self.task}"

    @property
    def version(self) -> object:
        """Differs when anything shown has changed."""
        return self.count, self.last_at


def group_failures(tasks: Iterable[Task], now: float) -> list[FailureGroup]:
    """Group failed tasks, newest first, of the last hour; the largest group first."""
    groups: dict[tuple[str, str], FailureGroup] = {}
    for task in islice(tasks, LOOKED_AT):
        at = task.finished_at if task.finished_at is not None else task.state_at
        if at is not None and at < now - WINDOW:
            continue
        key = (exception_class(task.exception), task.name or "?")
        group = groups.get(key)
        if group is None:
            groups[key] = FailureGroup(*key, 1, at)
        else:
            group.count += 1
            group.last_at = max(group.last_at or 0.0, at or 0.0) or None
    return sorted(groups.values(), key=lambda group: -group.count)


def exception_class(exception: str | None) -> str:
    """Return an exception's class, out of its repr."""
    if not exception:
        return "?"
    return exception.partition("(")[0].strip()[:_LONGEST] or "?"
