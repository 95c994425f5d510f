"""The rows that an operation concerns: those selected when its key was pressed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from ..model.entities.queue import Queue
from ..model.entities.task import Task
from ..model.entities.task_type import TaskType
from ..model.entities.worker import Worker
from ..model.health.tasks.schedule_status import EntryStatus
from ..model.ingest.tasks.failure_groups import FailureGroup
from ..model.observations import WaitingMessage

if TYPE_CHECKING:
    from ..model.state import ClusterState

R = TypeVar("R")

KINDS: Final[tuple[type, ...]] = (
    *(Task, Worker, Queue, TaskType, EntryStatus, WaitingMessage, FailureGroup),
)
"""The types of rows that operations act on."""


class Selectable(Protocol):
    """A screen with rows that can be selected."""

    def chosen(self, kind: type[R]) -> list[R]:
        """Return the rows of a type to operate on."""

    def listed(self) -> Sequence[Task] | None:
        """Return all tasks that match the filter; None if this is not a list of tasks."""


def of_kind(rows: Iterable[object], kind: type[R], state: ClusterState) -> list[R]:
    """Return the rows of a kind; those of a group of failures are its tasks, the latest first."""
    found: list[Any] = []
    for row in rows:
        if isinstance(row, kind):
            found.append(row)
        elif isinstance(row, FailureGroup) and kind is Task:
            tasks = map(state.tasks.get, reversed(row.tasks))
            found += [task for task in tasks if task is not None]
    return found


class Selection:
    """The selected rows of a screen, which stay the same while its list goes on."""

    def __init__(self, screen: Selectable | None) -> None:
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
