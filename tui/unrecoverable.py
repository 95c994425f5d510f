"""The tasks that cannot be retried, since a search has not found what they were sent with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..model.entities.task import Task
from ..model.operations.call import Recovered, Unrecoverable

MAX_TASKS: Final = 1_000
"""Tasks that are remembered; those that were looked for longest ago make room."""


class UnrecoverableTasks:
    """The reasons of the tasks that were looked for, as long as nothing new is known of them.

    A reason that may pass, such as a result backend that is down, is not kept.
    """

    def __init__(self) -> None:
        self._reasons: dict[str, tuple[int, str]] = {}

    def add(self, task: Task | None, found: Recovered | None) -> None:
        """Remember why a task cannot be retried, or that it can be; None if that is unknown."""
        if task is None:
            return
        self._reasons.pop(task.id, None)
        if isinstance(found, Unrecoverable) and not found.passing:
            self._reasons[task.id] = task.version, found.reason
            if len(self._reasons) > MAX_TASKS:
                del self._reasons[next(iter(self._reasons))]

    def reason(self, task: Task) -> str | None:
        """Return why a task cannot be retried; None if it may be possible."""
        version, reason = self._reasons.get(task.id, (None, None))
        return reason if version == task.version else None

    def common_reason(self, tasks: Sequence[Task]) -> str | None:
        """Return why none of the tasks can be retried; None if one of them may be."""
        reason = None
        for task in tasks:
            reason = self.reason(task)
            if reason is None:
                return None
        return reason
