"""The task types by name, bounded: what exceeds the bound counts as `OTHER_TYPE`."""

from __future__ import annotations

import sys
from collections import OrderedDict
from typing import Final

from ....entities.states import SUCCESS, TaskState
from ....entities.task import Task
from ....entities.task_type import TaskType

MAX_TYPES: Final = 5_000
"""Task types by name; types without held tasks make room for others."""
OTHER_TYPE: Final = "other"
"""The type of all tasks whose name found no room."""


class TaskTypes(dict[str, TaskType]):
    """Task types by name; `types[name]` is the type that counts the held tasks of that name."""

    def __init__(self) -> None:
        super().__init__()
        self._without_tasks: OrderedDict[str, None] = OrderedDict()
        self._others: dict[str, int] = {}
        """Held tasks of each name that counts as another."""

    def __missing__(self, name: str) -> TaskType:
        """Return the type of names that found no room."""
        if name == OTHER_TYPE:
            raise KeyError(name)
        return self[OTHER_TYPE]

    def join(self, name: str, state: TaskState) -> str:
        """Count a held task under a name, and return the name as one text for all its tasks."""
        kind = self.get(name)
        if kind is None:
            if name in self._others or not self._has_room():
                change_count(self._others, name, 1)
                kind = self.get(OTHER_TYPE) or self._add(OTHER_TYPE)
                change_count(kind.states, state, 1)
                return sys.intern(name)
            kind = self._add(sys.intern(name))
        elif not kind.states:
            self._without_tasks.pop(name, None)
        change_count(kind.states, state, 1)
        return kind.name

    def leave(self, name: str, state: TaskState, count: int = 1) -> None:
        """Uncount a held task, or several."""
        kind = self.get(name)
        if kind is None:
            change_count(self._others, name, -count)
            name, kind = OTHER_TYPE, self[OTHER_TYPE]
        change_count(kind.states, state, -count)
        if not kind.states and name != OTHER_TYPE:
            self._without_tasks[name] = None

    def count_runtime(self, task: Task, *, loaded: bool) -> None:
        """Count the run time of a success that no event reports.

        A `loaded` task did not end now, but before it was read.
        """
        ran = task.elapsed(0.0) if task.state == SUCCESS else None
        if task.name is not None and ran is not None:
            kind = self[task.name]
            kind.runtime.add(ran)
            if loaded:
                kind.loaded_runtime.add(ran)

    def _add(self, name: str) -> TaskType:
        kind = self[name] = TaskType(name)
        return kind

    def _has_room(self) -> bool:
        room = MAX_TYPES - (OTHER_TYPE not in self)
        if len(self) >= room and self._without_tasks:
            name, _ = self._without_tasks.popitem(last=False)
            del self[name]
        return len(self) < room


def change_count(counts: dict[str, int], key: str, change: int) -> None:
    """Count more under a key, or less if negative; a count of 0 is removed."""
    if change:
        count = counts.get(key, 0) + change
        if count:
            counts[key] = count
        else:
            del counts[key]
