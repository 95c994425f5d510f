"""The rows that an operation concerns: those selected when its key was pressed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ..model.entities.queue import Queue
from ..model.entities.task import Task
from ..model.entities.task_type import TaskType
from ..model.entities.worker import Worker

if TYPE_CHECKING:
    from .screens.base import MonitorScreen

R = TypeVar("R")

KINDS: Final[tuple[type, ...]] = (Task, Worker, Queue, TaskType)
"""What operations are for."""


class Selection:
    """The selected rows of a screen, which stay the same while its list goes on."""

    def __init__(self, screen: MonitorScreen | None) -> None:
        self._screen = screen
        self._rows: dict[type, list[Any]] = {}
        if screen is not None:
            self._rows = {kind: screen.chosen(kind) for kind in KINDS}

    def rows(self, kind: type[R]) -> list[R]:
        """Return the selected rows of a kind: the marked ones, otherwise the one at the cursor."""
        return self._rows.get(kind, [])

    @cached_property
    def listed(self) -> Sequence[Task] | None:
        """All tasks that passed the filter when this was first read; None without such a list."""
        return None if self._screen is None else self._screen.listed()
