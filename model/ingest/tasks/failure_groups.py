"""Failed tasks grouped by exception and location: equal failures are one row.

Tasks are grouped by their name instead where the location is unknown. The name is not part of other
groups: results have none, and code that several task types call may fail in all of them.

A task is in the group of its latest failure while its state is `FAILURE` or `RETRY`; it is in none
while neither its exception nor its traceback is known. The cost of an update depends on the number
of changed tasks, not of held ones.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, TypeAlias

from ...entities.clock_skew import NO_SKEWS, ClockSkews, to_local
from ...entities.states import FAILURE, RETRY
from ...entities.task import Task
from ...query.language import exact_term
from ...text.traceback import exception_class, location_and_line

MAX_GROUPS: Final = 2_000
MAX_NAMES: Final = 100
"""Workers and task names that are kept for each group."""
TREND_STEPS: Final = 20
TREND_STEP: Final = 180.0
"""Seconds per step of a trend, which covers an hour."""
FAILING: Final = frozenset({FAILURE, RETRY})

NO_PLACE: Final = ""
"""The location if a traceback has no frame but Celery's: the task's code was not reached."""

Key: TypeAlias = tuple[str | None, str | None, str | None]
"""Exception class, location and, without a location, task name; None is unknown."""


class Trend:
    """Counts per step over the last hour; times may come in any order."""

    __slots__ = ("_counts", "_newest")

    def __init__(self) -> None:
        self._counts = [0] * TREND_STEPS
        self._newest = -1

    def add(self, at: float) -> None:
        """Count one at an epoch time; times before the last hour are ignored."""
        step = int(at / TREND_STEP)
        if step > self._newest:
            for passed in range(max(self._newest + 1, step - TREND_STEPS + 1), step + 1):
                self._counts[passed % TREND_STEPS] = 0
            self._newest = step
        elif step <= self._newest - TREND_STEPS:
            return
        self._counts[step % TREND_STEPS] += 1

    def series(self, now: float) -> list[int]:
        """Return the counts of the last hour, oldest first; the last step is incomplete."""
        newest, oldest = int(now / TREND_STEP), self._newest - TREND_STEPS
        return [
            self._counts[step % TREND_STEPS] if oldest < step <= self._newest else 0
            for step in range(newest - TREND_STEPS + 1, newest + 1)
        ]


@dataclass(slots=True, eq=False)
class FailureGroup:
    """Tasks that failed in the same way."""

    error: str | None
    """The exception's class, as written by Celery."""
    place: str | None
    """Where it failed: `text.traceback.location_of`; `NO_PLACE`, or None without a traceback."""
    name: str | None = None
    """The tasks' name if that distinguishes the group from others."""
    tasks: dict[str, float | None] = field(default_factory=dict)
    """When each task failed, by its id, in order of arrival."""
    first_at: float | None = None
    """When the first of its tasks ever failed, epoch seconds by the local clock."""
    last_at: float | None = None
    trend: Trend = field(default_factory=Trend)
    workers: dict[str, int] = field(default_factory=dict)
    """How many failures each worker has had, up to `MAX_NAMES`."""
    names: dict[str, None] = field(default_factory=dict)
    """The names of its tasks, up to `MAX_NAMES`."""
    line: int | None = None
    """The number of the line where its latest task failed."""
    version: int = 0
    """Counts up with each change."""

    @property
    def key(self) -> Key:
        """The common part of its failures."""
        return self.error, self.place, self.name

    @property
    def id(self) -> str:
        """The row's id in tables."""
        return "\n".join("?" if part is None else f"={part}" for part in self.key)

    @property
    def file_line(self) -> str:
        """File and line of its latest failure, as `shop/tasks.py:57`; or its location, or empty."""
        if not self.place or self.line is None:
            return self.place or ""
        return f"{self.place.rpartition(' in ')[0]}:{self.line}"

    @property
    def count(self) -> int:
        """Number of tasks in it."""
        return len(self.tasks)

    def count_since(self, since: float) -> int:
        """Return the number of its tasks that failed at an epoch time or later."""
        if self.first_at is None or self.first_at >= since:
            return self.count
        return sum(at is None or at >= since for at in self.tasks.values())

    @property
    def example(self) -> str | None:
        """The id of the latest task."""
        return next(reversed(self.tasks), None)

    @property
    def query(self) -> str:
        """The filter that matches exactly its tasks."""
        terms = [f"state:{FAILURE.lower()},{RETRY.lower()}"]
        terms.append("!error:*" if self.error is None else exact_term("error", self.error))
        if self.place:
            return " ".join([*terms, exact_term("place", self.place)])
        terms.append("!name:*" if self.name is None else exact_term("name", self.name))
        terms += ["!traceback:*"] if self.place is None else ["traceback:*", "!place:*"]
        return " ".join(terms)

    def add(self, id_: str, at: float | None, worker: str | None, line: int | None = None) -> None:
        """Add a failure of a task."""
        self.tasks[id_] = at
        self.line = line
        self.version += 1
        if at is not None:
            self.first_at = at if self.first_at is None else min(at, self.first_at)
            self.last_at = at if self.last_at is None else max(at, self.last_at)
            self.trend.add(at)
        if worker is not None and (worker in self.workers or len(self.workers) < MAX_NAMES):
            self.workers[worker] = self.workers.get(worker, 0) + 1

    def date_again(self, times: Mapping[str, float | None]) -> None:
        """Set other times of some of its tasks, by id."""
        before = {self.tasks[id_] for id_ in times}
        self.tasks |= times
        known = [at for at in self.tasks.values() if at is not None]
        if self.first_at in before:
            self.first_at = min(known, default=None)
        if self.last_at in before:
            self.last_at = max(known, default=None)
        self.trend = Trend()
        for at in known:
            self.trend.add(at)
        self.version += 1


class FailureGroups:
    """All groups, updated with changed tasks."""

    def __init__(self) -> None:
        self._groups: dict[Key, FailureGroup] = {}
        self._group_of: dict[str, FailureGroup] = {}
        self._failed_at: dict[str, tuple[float | None, str | None]] = {}
        """When the tasks of groups failed last, by the clock of which host."""
        self._skews: ClockSkews = NO_SKEWS
        self._empty: OrderedDict[Key, None] = OrderedDict()
        """Groups without tasks, kept while there is room: retried tasks often return to them."""
        self._began_at: dict[str, float] = {}
        """When groups began before this run, by id."""
        self._left_out: set[str] = set()
        self._unexplained: set[str] = set()

    @property
    def left_out(self) -> int:
        """Number of failed tasks without a group, because there are too many groups."""
        return len(self._left_out)

    @property
    def unexplained(self) -> int:
        """Number of failed tasks without a group, because their exception is unknown."""
        return len(self._unexplained)

    def __iter__(self) -> Iterator[FailureGroup]:
        """Yield the groups with tasks."""
        return (group for group in self._groups.values() if group.count)

    @classmethod
    def of_groups(cls, groups: Iterable[FailureGroup]) -> FailureGroups:
        """Return groups that were made elsewhere."""
        made = cls()
        made._groups = {(group.error, group.place, group.name): group for group in groups}
        return made

    def of(self, id_: str) -> FailureGroup | None:
        """Return the group of a failed task, or None."""
        return self._group_of.get(id_)

    def remember(self, began_at: Mapping[str, float]) -> None:
        """Take note of when groups began before this run, by id."""
        self._began_at = dict(islice(began_at.items(), MAX_GROUPS))
        for group in self._groups.values():
            self._date_back(group)

    def _date_back(self, group: FailureGroup) -> None:
        began_at = self._began_at.get(group.id) if self._began_at else None
        if began_at is not None and (group.first_at is None or began_at < group.first_at):
            group.first_at = began_at
            group.version += 1

    def apply(
        self, changed: Iterable[Task], gone: Iterable[Task] = (), skews: ClockSkews = NO_SKEWS
    ) -> None:
        """Apply new or changed tasks, and those that are no longer held."""
        for task in gone:
            self._leave(task.id)
        if skews is not self._skews:
            self._skews = skews
            self._date_again()
        group_of, unexplained, left_out = self._group_of, self._unexplained, self._left_out
        for task in changed:
            if task.state not in FAILING:
                id_ = task.id
                if id_ in group_of or id_ in unexplained or id_ in left_out:
                    self._leave(id_)
            elif task.exception or task.traceback_parts is not None:
                self._enter(task)
            else:
                self._leave(task.id)
                self._unexplained.add(task.id)

    def _date_again(self) -> None:
        """Date failures by the clocks as known now: the history is read before any heartbeat."""
        times: dict[Key, dict[str, float | None]] = {}
        for id_, group in self._group_of.items():
            at = to_local(*self._failed_at[id_], self._skews)
            if at != group.tasks[id_]:
                times.setdefault(group.key, {})[id_] = at
        for key, changed in times.items():
            self._groups[key].date_again(changed)
            self._date_back(self._groups[key])

    def _enter(self, task: Task) -> None:
        traceback = task.traceback
        found, line = location_and_line(traceback, task.name)
        place = (found or NO_PLACE) if traceback else None
        key = (exception_class(task.exception), place, None if place else task.name)
        group = self._group_of.get(task.id)
        if group is None or group.key != key:
            self._leave(task.id)
            group = self._groups.get(key)
            if group is None:
                if len(self._groups) >= MAX_GROUPS:
                    if not self._empty:
                        self._left_out.add(task.id)
                        return
                    del self._groups[self._empty.popitem(last=False)[0]]
                group = self._groups[key] = FailureGroup(*key)
                self._date_back(group)
            self._group_of[task.id] = group
            self._empty.pop(key, None)
        name = task.name
        if name is not None and name not in group.names and len(group.names) < MAX_NAMES:
            group.names[name] = None
            group.version += 1
        at, host = task.finished_at, task.worker
        if at is None:
            at, host = task.state_at, task.state_host
        if task.id not in group.tasks or self._failed_at[task.id][0] != at:
            self._failed_at[task.id] = at, host
            group.add(task.id, to_local(at, host, self._skews), task.worker, line)

    def _leave(self, id_: str) -> None:
        group = self._group_of.pop(id_, None)
        if group is not None:
            del group.tasks[id_], self._failed_at[id_]
            group.version += 1
            if not group.tasks:
                self._empty[group.key] = None
            return
        if self._left_out:
            self._left_out.discard(id_)
        if self._unexplained:
            self._unexplained.discard(id_)
