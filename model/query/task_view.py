"""A filtered, sorted view of the held tasks, for tables to read by index.

The cost of an update depends on the number of changed tasks, never on that of held ones: a new task
is appended if the order is that of arrival, and inserted by bisection in any other. Sort keys that
change are cached, since a row could not be found by its new key. Evicted tasks leave the view when
the eviction is applied: a frozen screen applies nothing and keeps showing its tasks.

`RowList` serves the short lists (workers, queues, types, the log), which are simply sorted.
"""

from __future__ import annotations

import operator
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Protocol, TypeVar

from ..entities.changes import Changes
from ..entities.clock_skew import ClockSkews, Moment
from ..entities.task import Task
from .fields import SKEWED
from .language import EVERY_TASK, Query
from .order import NEWEST_FIRST, Key, Order, key_maker

R = TypeVar("R")

MAX_SINGLE_MOVES: Final = 64
"""Rows that are moved one by one; more are merged in one pass."""

RECHECK_INTERVAL: Final = 1.0
"""Seconds between two checks of time-dependent filters and orders."""

TASKS_PER_INTERVAL: Final = 25_000
"""Tasks checked again per interval; with more, the interval grows."""

TASKS_PER_LOOK: Final = 128
"""Tasks that are filtered between two looks at the clock, which take as long as a test."""

_ARRIVAL: Final = operator.attrgetter("arrival")


class HoldsTasks(Protocol):
    """The source of the tasks: `ClusterState`."""

    @property
    def tasks(self) -> Mapping[str, Task]:
        """The held tasks by id, in order of arrival."""

    @property
    def skews(self) -> ClockSkews:
        """The clock skews of workers; the mapping is replaced when one changes."""


class TaskView:
    """The tasks that match a filter, in an order: `len(view)`, `view[i]`, `view.index(id)`.

    Time-dependent filters and orders use `now` (epoch seconds), which `apply` updates. With a
    monotonic `clock`, filtering all tasks pauses after `budget` seconds and continues in the next
    `apply`, newest first; without, it never pauses.
    """

    def __init__(
        self,
        state: HoldsTasks,
        query: Query = EVERY_TASK,
        order: Order = NEWEST_FIRST,
        *,
        faults_only: bool = False,
        now: float = 0.0,
        clock: Callable[[], float] | None = None,
        budget: float = 0.05,
    ) -> None:
        self._state = state
        self.query = query
        self.order = order
        self.faults_only = faults_only
        self._now = now
        self._skews = state.skews
        self._ticked_at = now
        self._clock = clock
        self.budget = budget
        self._key = key_maker(order)
        # Sorted by key, ascending: a descending order is read from the end.
        self._keys: list[Key] = []
        self._rows: list[Task] = []
        self._key_of: dict[str, Key] | None = None
        """Keys by task id; None in the order of arrival, in which they never change."""
        self._unseen: list[Task] = []
        self._restarted = False
        self._restart()

    @property
    def unseen(self) -> int:
        """Number of tasks that have yet to be filtered after a change of the filter."""
        return len(self._unseen)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Task:
        last = len(self._rows) - 1
        if not 0 <= index <= last:
            raise IndexError(index)
        return self._rows[last - index if self.order.descending else index]

    def __iter__(self) -> Iterator[Task]:
        return reversed(self._rows) if self.order.descending else iter(self._rows)

    def index(self, id: str) -> int | None:  # noqa: A002 - the field's own name
        """Return a task's row, or None if it is not in the view."""
        if self._key_of is not None:
            key = self._key_of.get(id)
        elif (held := self._state.tasks.get(id)) is not None:
            key = self._key_in_view(held)
        else:
            # Evicted, and not yet applied.
            key = next((task.arrival for task in self._rows if task.id == id), None)
        if key is None:
            return None
        place = bisect_left(self._keys, key)
        return len(self._keys) - 1 - place if self.order.descending else place

    def apply(self, changes: Changes, now: float) -> None:
        """Update the view with the changes since the last call."""
        self._now = now
        held = self._state.tasks
        self._forget(changes.evicted)
        if self._restarted:
            # It may contain tasks that were added and evicted between two `take_changes`.
            self._restarted = False
            self._forget([task for task in self._rows if held.get(task.id) is not task])
        self._place([task for id_, task in changes.tasks.items() if held.get(id_) is task])
        many = max(1.0, len(held) / TASKS_PER_INTERVAL) if self.query.timed else 1.0
        if now - self._ticked_at >= RECHECK_INTERVAL * many and not self._unseen:
            self._ticked_at = now
            if self.query.timed:
                self._unseen = self._candidates()
            elif self.order.key == "runtime":
                self._place(
                    [task for task in self._rows if task.finished_at is None and task.running]
                )
        if self._state.skews is not self._skews:
            self._skews = self._state.skews
            if self.query.skewed:
                self._unseen = self._candidates()
            elif self.order.key in SKEWED:
                self._place(list(self._rows))
        if self._unseen:
            self._place(self._next_unseen())

    def refresh(self, now: float) -> None:
        """Update the view after changes that were not applied, as after a freeze."""
        self._now = now
        if self.query.empty:
            self._restart()
            return
        held, others = self._state.tasks, self.query.other_states
        self._forget(
            [task for task in self._rows if held.get(task.id) is not task or task.state in others]
        )
        self._restarted = True
        self._unseen = self._candidates()
        self._place(self._next_unseen())

    def set_query(self, query: Query, now: float | None = None) -> None:
        """Filter by another query."""
        self.query = query
        self._now = self._now if now is None else now
        self._restart()

    def set_faults_only(self, faults_only: bool) -> None:
        """Show only faulty tasks, or all."""
        self.faults_only = faults_only
        self._restart()

    def set_order(self, key: str, descending: bool) -> None:
        """Sort by another key.

        Raises:
            KeyError: There is no such key in SORT_KEYS.
        """
        self.order = Order(key, descending)
        self._key = key_maker(self.order)
        now = Moment(self._now, self._state.skews)
        keys = [self._key(task, now) for task in self._rows]
        self._key_of = None
        if key != "arrival":
            self._key_of = {task.id: own for task, own in zip(self._rows, keys, strict=True)}
        places = sorted(range(len(keys)), key=keys.__getitem__)
        self._keys = [keys[place] for place in places]
        self._rows = [self._rows[place] for place in places]

    def _restart(self) -> None:
        self._restarted = True
        held = self._state.tasks
        if self.query.empty and not self.faults_only and self.order.key == "arrival":
            # Nothing to filter and, except for tasks from history, nothing to sort.
            self._rows, self._unseen = sorted(held.values(), key=_ARRIVAL), []
            self._keys = [task.arrival for task in self._rows]
            self._key_of = None
            return
        self._keys, self._rows = [], []
        self._key_of = None if self.order.key == "arrival" else {}
        self._unseen = self._candidates()
        self._place(self._next_unseen())

    def _candidates(self) -> list[Task]:
        """Return the held tasks that the filter may match, at a twentieth of what testing takes."""
        held, others = self._state.tasks.values(), self.query.other_states
        return [task for task in held if task.state not in others] if others else list(held)

    def _next_unseen(self) -> Iterator[Task]:
        """Yield the tasks that have yet to be filtered, newest first, within the budget."""
        clock, held, unseen = self._clock, self._state.tasks, self._unseen
        deadline = clock() + self.budget if clock else 0.0
        while unseen:
            slice_ = unseen[: -TASKS_PER_LOOK - 1 : -1]
            del unseen[-TASKS_PER_LOOK:]
            for task in slice_:
                if held.get(task.id) is task:
                    yield task
            if clock and clock() >= deadline:
                return

    def _place(self, tasks: Iterable[Task]) -> None:
        """Move each task to its current position, into the view or out of it."""
        key_of, make_key, matches, now = self._key_of, self._key, self.query.matches, self._now
        faults_only = self.faults_only
        if skews := self._state.skews:
            now = Moment(now, skews)
        leaving: list[Key] = []
        entering: list[tuple[Key, Task]] = []
        if key_of is None:
            keys = self._keys
            newest = keys[-1] if keys else float("-inf")
            every = self.query.empty and not faults_only
            # All older tasks are shown then, except for new ones that were read from history.
            complete = every and not self._unseen
            for task in tasks:
                key = task.arrival
                is_shown = key <= newest and (
                    (complete and key > 0) or keys[bisect_left(keys, key)] == key
                )
                if every or ((not faults_only or task.faulty) and matches(task, now)):
                    if not is_shown:
                        entering.append((key, task))
                elif is_shown:
                    leaving.append(key)
            self._remove(leaving)
            self._insert(entering)
            return
        for task in tasks:
            old = key_of.get(task.id)
            if (not faults_only or task.faulty) and matches(task, now):
                new = make_key(task, now)
                if new == old:
                    continue
                if old is not None:
                    leaving.append(old)
                entering.append((new, task))
                key_of[task.id] = new
            elif old is not None:
                leaving.append(old)
                del key_of[task.id]
        self._remove(leaving)
        self._insert(entering)

    def _forget(self, evicted: Iterable[Task]) -> None:
        key_of = self._key_of
        if key_of is None:
            self._remove([task.arrival for task in evicted])
        else:
            keys = [key_of.pop(task.id, None) for task in evicted]
            self._remove([key for key in keys if key is not None])

    def _key_in_view(self, task: Task) -> Key | None:
        """Return a task's key in the order of arrival, or None if it is not in the view."""
        keys, arrival = self._keys, task.arrival
        place = bisect_left(keys, arrival)
        return arrival if place < len(keys) and keys[place] == arrival else None

    def _remove(self, leaving: list[Key]) -> None:
        """Remove the rows with these keys, if there are such."""
        if not leaving:
            return
        keys, rows = self._keys, self._rows
        leaving.sort()
        runs = _runs(_places(keys, leaving))
        if len(runs) <= MAX_SINGLE_MOVES:
            # In place, as for the oldest tasks, which are evicted.
            for start, end in reversed(runs):
                del keys[start:end]
                del rows[start:end]
            return
        self._keys = _without(keys, runs)
        self._rows = _without(rows, runs)

    def _insert(self, entering: list[tuple[Key, Task]]) -> None:
        if not entering:
            return
        keys, rows = self._keys, self._rows
        entering.sort(key=operator.itemgetter(0))
        if not keys or entering[0][0] > keys[-1]:
            keys.extend([key for key, _ in entering])
            rows.extend([task for _, task in entering])
        elif len(entering) <= MAX_SINGLE_MOVES:
            for key, task in entering:
                place = bisect_left(keys, key)
                keys.insert(place, key)
                rows.insert(place, task)
        else:
            places = [bisect_left(keys, key) for key, _ in entering]
            self._keys = _with(keys, places, [key for key, _ in entering])
            self._rows = _with(rows, places, [task for _, task in entering])


def _places(keys: list[Key], wanted: list[Key]) -> list[int]:
    """Return the indices of those of the wanted keys that are there; both are ascending."""
    places: list[int] = []
    place, end = 0, len(keys)
    for key in wanted:
        if place < end and keys[place] != key:  # mostly it is the one after the last
            place = bisect_left(keys, key, place)
        if place < end and keys[place] == key:
            places.append(place)
            place += 1
    return places


def _runs(places: list[int]) -> list[tuple[int, int]]:
    """Return ascending indices as ranges, of which the ends are excluded."""
    runs: list[tuple[int, int]] = []
    start = end = -1
    for place in places:
        if place != end:
            if end > start:
                runs.append((start, end))
            start = place
        end = place + 1
    if end > start:
        runs.append((start, end))
    return runs


def _without(items: list[R], runs: list[tuple[int, int]]) -> list[R]:
    """Return the items without those in the given ascending ranges."""
    kept: list[R] = []
    begin = 0
    for start, end in runs:
        kept += items[begin:start]
        begin = end
    return kept + items[begin:]


def _with(items: list[R], places: list[int], added: list[R]) -> list[R]:
    """Return the items with others inserted before those at the given ascending indices."""
    merged: list[R] = []
    start = 0
    for place, item in zip(places, added, strict=True):
        if place > start:
            merged += items[start:place]
            start = place
        merged.append(item)
    return merged + items[start:]
