"""What a result backend holds of tasks, taken over into the model.

An entry is a look at a moment that has passed: it moves a task forward at most.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import progress
from .events import LONGEST_NAME
from .observations import ResultsSeen
from .redaction import Redaction
from .result_meta import ResultMeta
from .states import FINISHED, FROM_BACKEND
from .task import Task
from .task_store import TaskStore


class BackendMerge:
    """Applies entries of a result backend to the stores."""

    def __init__(self, tasks: TaskStore, redaction: Redaction) -> None:
        self._tasks = tasks
        self._redaction = redaction

    def apply(self, seen: ResultsSeen) -> None:
        """Take over what was read at one moment."""
        held = self._tasks.tasks
        for meta in seen.metas:
            if meta.status is None or not 0 < len(meta.id) <= LONGEST_NAME:
                continue
            task = held.get(meta.id)
            if task is None:
                task = self._tasks.add(meta.id)
            self._progress(task, meta, seen.at)
            task.sources |= FROM_BACKEND
            self._tasks.note(task)

    def _progress(self, task: Task, meta: ResultMeta, at: float) -> None:
        if meta.ready or task.state in FINISHED or not isinstance(meta.result, Mapping):
            return
        told = progress.parse(self._redaction.value(meta.result), at, "backend")
        if told is not None:
            task.progress = told
