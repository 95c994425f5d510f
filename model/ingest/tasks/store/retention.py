"""Decides which tasks make room for new ones: plain successes first, then by budget.

New tasks wait in order of arrival. When room is needed, the oldest ones are looked at: a plain
success is evicted, any other task is set aside under its kind. If no plain success is left, the
kind that exceeds its budget the most loses its oldest task. So each task is looked at once, and
again only after it has changed: the cost of an eviction follows what is evicted, not what is held.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Iterable, KeysView, Mapping, Sequence
from typing import Final

from ....entities.limits.keep import KINDS, Kind, budgets
from ....entities.states import (
    CANCELLED,
    FAILURE,
    PENDING,
    RECEIVED,
    REJECTED,
    RETRY,
    REVOKED,
    SUCCESS,
    TaskState,
    is_only_read,
)
from ....entities.task import Task, first_seen_at
from ....entities.task_type import TaskType

RECENT_DIVISOR: Final = 10
"""The newest tasks are kept regardless of their kind: 10 is one tenth of all."""

_KINDS: Final[dict[TaskState, Kind]] = {
    PENDING: "waiting",
    RECEIVED: "waiting",
    RETRY: "retried",
    FAILURE: "failed",
    REVOKED: "revoked",
    REJECTED: "revoked",
    CANCELLED: "revoked",
}


class Retention:
    """The held tasks in the order in which they make room.

    Args:
        types: The task types, for the run times that are usual.
        keep: The budgets by kind, as in `KEEP`.
        max_tasks: Tasks held at most; the budgets are scaled to it.
    """

    def __init__(
        self, types: Mapping[str, TaskType], keep: Mapping[str, int], max_tasks: int
    ) -> None:
        self.since: dict[Kind, float] = {}
        """By kind, the newest time of an evicted task: all later ones are held."""
        self._types = types
        self._budgets = budgets(keep, max_tasks - max_tasks / RECENT_DIVISOR)
        self._history: list[Task] = []
        self._new: deque[Task] = deque()
        self._aside: dict[Kind, OrderedDict[str, Task]] = {kind: OrderedDict() for kind in KINDS}
        self._kind_aside: dict[str, Kind] = {}
        self._protected: frozenset[str] = frozenset()
        self.add = self._new.append
        """Take on a new task."""
        self.add_from_history = self._history.append
        """Take on a task that was read from the result backend or the history; the newest first."""

    def protect(self, ids: Iterable[str]) -> None:
        """Protect these tasks, and no longer the earlier ones."""
        before, self._protected = self._protected, frozenset(ids)
        for id_ in self._protected ^ before:
            self._look_again(id_)

    def changed(self, ids: KeysView[str]) -> None:
        """Take note of tasks that have changed."""
        for id_ in ids & self._kind_aside.keys():
            self._look_again(id_)

    def take(self, count: int) -> Sequence[Task]:
        """Return up to `count` tasks to evict, the least worth keeping first."""
        recent = max(1, (len(self._new) + len(self._kind_aside)) // RECENT_DIVISOR)
        taken = self._take_plain(count, recent)
        for _ in range(count - len(taken)):
            kind = max(KINDS, key=self._excess)
            if self._aside[kind]:
                taken.append(self._take(kind))
            elif self._new:
                taken.append(self._leaves(task := self._new.popleft(), self.kind_of(task)))
        return taken

    def take_for_text(self) -> Task:
        """Return the next task to evict because there is too much text.

        Raises:
            KeyError: No task is held.
        """
        plain = self._take_plain(1, recent=0)
        return plain[0] if plain else self._take(max(KINDS, key=self._oldest_text))

    def _take_plain(self, count: int, recent: int) -> list[Task]:
        """Return up to `count` of the oldest plain successes, but none of `recent` new tasks."""
        taken: list[Task] = []
        while self._history and len(taken) < count:
            task = self._history.pop()
            kind = self.kind_of(task)
            if kind == "succeeded" and is_only_read(task.sources):
                taken.append(self._leaves(task, kind))
            else:
                self._set_aside(task, kind)
        while self._aside["succeeded"] and len(taken) < count:
            taken.append(self._take("succeeded"))
        new, limits, since = self._new, _Limits(self._types), self.since.get("succeeded", 0.0)
        while len(new) > recent and len(taken) < count:
            task = new.popleft()
            kind = self.kind_of(task, limits)
            if kind == "succeeded":
                taken.append(task)
                if task.finished_at is not None and task.finished_at > since:
                    since = task.finished_at
            else:
                self._set_aside(task, kind)
        if taken:
            self.since["succeeded"] = since
        return taken

    def _leaves(self, task: Task, kind: Kind) -> Task:
        """Record when an evicted task ended, or was last seen."""
        at = task.finished_at or task.state_at or first_seen_at(task) or 0.0
        self.since[kind] = max(at, self.since.get(kind, 0.0))
        return task

    def kind_of(self, task: Task, limits: Mapping[str | None, float] | None = None) -> Kind:
        """Return why a task is kept, given the run times in seconds that are usual by type."""
        if task.id in self._protected:
            return "marked"
        if task.lost_at is not None:
            return "lost"
        if task.state != SUCCESS:
            return _KINDS.get(task.state, "running")
        if task.retries:
            return "retried"
        ran = task.runtime
        if ran is None:
            ran = task.elapsed(0.0) or 0.0
        limits = _Limits(self._types) if limits is None else limits
        return "slow" if ran > limits[task.name] else "succeeded"

    def _excess(self, kind: Kind) -> float:
        return len(self._aside[kind]) / max(self._budgets[kind], 1e-9)

    def _oldest_text(self, kind: Kind) -> int:
        """Return the bytes of text of the oldest task of a kind, -1 without tasks."""
        aside = self._aside[kind]
        return next(iter(aside.values())).text_bytes if aside else -1

    def _set_aside(self, task: Task, kind: Kind) -> None:
        self._aside[kind][task.id] = task
        self._kind_aside[task.id] = kind

    def _look_again(self, id_: str) -> None:
        before = self._kind_aside.get(id_)
        if before is None:
            return
        task = self._aside[before][id_]
        kind = self.kind_of(task)
        if kind != before:
            del self._aside[before][id_]
            self._set_aside(task, kind)

    def _take(self, kind: Kind) -> Task:
        id_, task = self._aside[kind].popitem(last=False)
        del self._kind_aside[id_]
        return self._leaves(task, kind)


class _Limits(dict[str | None, float]):
    """The usual run times by type, looked up once for many tasks."""

    def __init__(self, types: Mapping[str, TaskType]) -> None:
        self._types = types

    def __missing__(self, name: str | None) -> float:
        kind = None if name is None else self._types.get(name)
        limit = None if kind is None else kind.runtime.tail_limit()
        self[name] = math.inf if limit is None else limit
        return self[name]
