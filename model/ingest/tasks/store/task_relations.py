"""The held tasks by workflow: below a root, and in a group."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from ....entities.task import Task

_NO_TASKS: Final[Mapping[str, Task]] = {}


class TaskRelations:
    """Root, parent and group of the held tasks, with an index of each."""

    def __init__(self, tasks: Mapping[str, Task]) -> None:
        self._tasks = tasks
        self._families: dict[str, dict[str, Task]] = {}
        self._groups: dict[str, dict[str, Task]] = {}

    def set_family(self, task: Task, root_id: str | None, parent_id: str | None) -> None:
        """Set a task's root and parent; None leaves what is known."""
        if parent_id == task.id:
            parent_id = None
        root_id, parent_id = root_id or task.root_id, parent_id or task.parent_id
        if root_id == task.root_id and parent_id == task.parent_id:
            return
        self._leave_family(task)
        if root_id:
            task.root_id = task.id if root_id == task.id else self._shared_id(root_id)
        if parent_id:
            task.parent_id = self._shared_id(parent_id)
        ancestor = _family_of(task)
        if ancestor is not None:
            self._families.setdefault(ancestor, {})[task.id] = task

    def fill(
        self, task: Task, root_id: str | None, parent_id: str | None, group_id: str | None
    ) -> None:
        """Set root, parent and group where they are unknown."""
        if root_id or parent_id:
            self.set_family(
                task,
                root_id if task.root_id is None else None,
                parent_id if task.parent_id is None else None,
            )
        if group_id and task.group_id is None:
            # Read from a separate message each time: share one text among all members.
            task.group_id = sys.intern(group_id)
            self._groups.setdefault(task.group_id, {})[task.id] = task

    def family(self, root_id: str) -> Mapping[str, Task]:
        """Return the held tasks of a workflow except its root, by id, in order of arrival.

        For any task, they include its children with an unknown root: results have only the parent.
        """
        return self._families.get(root_id, _NO_TASKS)

    def group(self, group_id: str) -> Mapping[str, Task]:
        """Return the held members of a group by id, in order of arrival."""
        return self._groups.get(group_id, _NO_TASKS)

    def related(self, task: Task, limit: int | None = None) -> list[Task]:
        """Return about `limit` other held tasks of a task's workflow: its root, then by arrival."""
        held, root_id = self._tasks, task.root_id or task.id
        ids = (root_id, task.parent_id or root_id)
        first = {id_: held[id_] for id_ in dict.fromkeys(ids) if id_ in held}
        found = first | dict(islice(self.family(root_id).items(), limit))
        found.update(islice(self.family(task.id).items(), limit))
        found.pop(task.id, None)
        return list(found.values())

    def remove(self, evicted: Iterable[Task]) -> None:
        """Remove evicted tasks from the indexes."""
        for task in evicted:
            if task.root_id != task.id:
                self._leave_family(task)
            if task.group_id is not None:
                _remove(self._groups, task.group_id, task)

    def _leave_family(self, task: Task) -> None:
        ancestor = _family_of(task)
        if ancestor is not None:
            _remove(self._families, ancestor, task)

    def _shared_id(self, id_: str) -> str:
        held = self._tasks.get(id_)
        return sys.intern(id_) if held is None else held.id


def _family_of(task: Task) -> str | None:
    """Return the id of the root that lists a task, or of its parent if the root is unknown."""
    ancestor = task.parent_id if task.root_id is None else task.root_id
    return None if ancestor == task.id else ancestor


def _remove(index: dict[str, dict[str, Task]], key: str, task: Task) -> None:
    tasks = index[key]
    del tasks[task.id]
    if not tasks:
        del index[key]
