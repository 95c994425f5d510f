"""The entries of beat's schedule, from all sources, and the tasks that they were seen to send."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

import msgspec

from ..entities.schedule import SOURCE_NAMES, ScheduleEntry, ScheduleSource
from ..entities.task import Task, first_seen_at
from ..observations import ScheduleRead
from ..text.coerce import to_text
from .redaction import Redaction

MAX_ENTRIES: Final = 2_000
"""Entries kept; further ones are counted."""
MAX_RUNS: Final = 20
"""The newest tasks kept of each entry."""
SCAN_INTERVAL: Final = 2.0
"""Seconds between two looks at the tasks that have arrived since."""
SCANNED_AGAIN: Final = 200
"""Tasks looked at once more: their names or arguments may have been unknown."""
MAX_SCANNED: Final = 50_000
"""Tasks looked at each time, the newest first."""


class ScheduleStore:
    """The entries by name. Times are epoch seconds by the local clock.

    Args:
        tasks: The held tasks, in order of arrival.
        redaction: Masks the arguments of entries.
        skew: Returns the seconds that a worker's clock is ahead of the local one.
    """

    def __init__(
        self, tasks: dict[str, Task], redaction: Redaction, skew: Callable[[str | None], float]
    ) -> None:
        self._tasks = tasks
        self._skew = skew
        self._redaction = redaction
        self.reads: dict[ScheduleSource, ScheduleRead] = {}
        """The latest answer of each source; of one that failed since, with the fault."""
        self.entries: dict[str, ScheduleEntry] = {}
        """The entries by name; of several sources, that which is the closest to a running beat."""
        self.sources: dict[str, tuple[ScheduleSource, ...]] = {}
        """All sources of each entry."""
        self.left_out = 0
        """Entries that are not kept."""
        self.since: dict[str, float] = {}
        """When each entry was first read as it is: with this schedule, and enabled."""
        self.version = 0
        """Counts up with each change."""
        self.statuses: tuple[object, Sequence[Any]] = (None, ())
        """The latest result of `health.schedule_status`, which is valid for a second, with its key.
        Each frame needs it, and hundreds of entries take tens of milliseconds."""
        self._runs: dict[str, dict[str, Task]] = {}
        self._missed: dict[str, float] = {}
        """When entries were due that had not run by then: a later read begins after it."""
        self.observed_since = 0.0
        """Since when events arrive without a gap."""
        self._scanned_at = 0.0
        self._scanned_arrival: int | None = None

    def apply(self, read: ScheduleRead) -> None:
        """Take over what a source has."""
        before = self.reads.get(read.source)
        if read.fault is not None and before is not None:
            read = msgspec.structs.replace(before, fault=read.fault)
        elif self._redaction.active:
            read = msgspec.structs.replace(read, entries=tuple(map(self._masked, read.entries)))
        self.reads[read.source] = read
        entries: dict[str, ScheduleEntry] = {}
        sources: dict[str, tuple[ScheduleSource, ...]] = {}
        self.left_out = sum(one.left_out for one in self.reads.values())
        for source in SOURCE_NAMES:
            for entry in self.reads[source].entries if source in self.reads else ():
                if entry.name not in entries and len(entries) >= MAX_ENTRIES:
                    self.left_out += 1
                    continue
                entries[entry.name] = _merged(entries.get(entry.name), entry)
                sources[entry.name] = (*sources.get(entry.name, ()), source)
        kept = {
            name for name, entry in entries.items() if _plan(self.entries.get(name)) == _plan(entry)
        }
        dues = {name: self.expected(name) for name in kept}
        self._missed = {
            name: due for name, due in dues.items() if due is not None and due <= read.at
        }
        self.since = {name: self.since[name] if name in kept else read.at for name in entries}
        changed = {
            name for name, entry in entries.items() if _call(self.entries.get(name)) != _call(entry)
        }
        self._runs = {name: runs for name, runs in self._runs.items() if name not in changed}
        if changed:
            self._scanned_arrival = None
        self.entries, self.sources = entries, sources
        self.version += 1

    def until(self, at: float, tasks: dict[str, Task]) -> ScheduleStore:
        """Return a copy with the runs up to an epoch time; `tasks` are as they were then."""
        past = copy.copy(self)
        past.statuses = (None, ())
        past._tasks = tasks
        past._missed = {name: due for name, due in self._missed.items() if due <= at}
        past._runs = {
            name: {id_: tasks[id_] for id_ in runs if id_ in tasks}
            for name, runs in self._runs.items()
        }
        past.entries = {name: _until(entry, at) for name, entry in self.entries.items()}
        return past

    def runs(self, name: str) -> list[Task]:
        """Return the newest tasks that an entry was seen to send, the oldest first."""
        return sorted(self._runs.get(name, {}).values(), key=self.run_at)

    def run_at(self, task: Task) -> float:
        """Return when a task was sent or, if that is unknown, received."""
        at = first_seen_at(task) or 0.0
        return at if task.sent_at is not None else at - self._skew(task.worker)

    def last_run_at(self, name: str) -> float | None:
        """Return when an entry last ran, by its source and the tasks seen; None if unknown."""
        stated = self.entries[name].last_run_at
        seen = max(map(self.run_at, self._runs.get(name, {}).values()), default=None)
        return max((at for at in (stated, seen) if at is not None), default=None)

    def due(self, name: str) -> float | None:
        """Return when an entry is due first after its last known run; None if unknown.

        Without a known run, it counts from when the entry was changed. An interval counts from the
        last run, or the start of beat: if both are unknown, so is when it ends.
        """
        entry, last = self.entries[name], self.last_run_at(name)
        due = entry.due_at if last is None else entry.after(last)
        unknown = last is None and due is None and entry.every is None
        return entry.after(self.since[name]) if unknown else due

    def due_by(self, name: str) -> float | None:
        """Return the latest time at which an entry is due: `due`, or an interval after it was read.

        None if unknown.
        """
        due = self.due(name)
        return self.entries[name].after(self.since[name]) if due is None else due

    def expected(self, name: str) -> float | None:
        """Return when an entry is due first after its last run, of the times that were observed.

        None if unknown.
        """
        last = self.last_run_at(name) or 0.0
        begin = max(self.since[name], self.observed_since, last)
        missed = self._missed.get(name)
        return missed if missed is not None and missed > begin else self.entries[name].after(begin)

    def find_runs(self, now: float) -> None:
        """Look for tasks of the entries among those that have arrived since the last time."""
        if now - self._scanned_at < SCAN_INTERVAL and self._scanned_arrival is not None:
            return
        self._scanned_at = now
        by_name: dict[str, list[ScheduleEntry]] = {}
        for entry in self.entries.values():
            by_name.setdefault(entry.task, []).append(entry)
        newest = self._scanned_arrival
        for task in self._new_tasks():
            newest = task.arrival if newest is None else max(newest, task.arrival)
            for entry in by_name.get(task.name or "", ()):
                if sent_by(task, entry):
                    self._add(entry.name, task)
        self._scanned_arrival = newest

    def _new_tasks(self) -> Iterator[Task]:
        """Yield the tasks that have arrived since, and some again, the newest first."""
        last = self._scanned_arrival
        for task in islice(reversed(self._tasks.values()), MAX_SCANNED):
            if last is not None and 0 < task.arrival <= last - SCANNED_AGAIN:
                return
            yield task

    def _add(self, name: str, task: Task) -> None:
        runs = self._runs.setdefault(name, {})
        runs[task.id] = task
        if len(runs) > MAX_RUNS:
            del runs[min(runs, key=lambda id_: self.run_at(runs[id_]))]
        self.version += 1

    def _masked(self, entry: ScheduleEntry) -> ScheduleEntry:
        value = self._redaction.value
        args, kwargs = tuple(value(list(entry.args))), value(entry.kwargs)
        headers, options = value(entry.headers), value(entry.options)
        same = (args, kwargs, headers) == (entry.args, entry.kwargs, entry.headers)
        return msgspec.structs.replace(
            entry,
            args=args,
            kwargs=kwargs,
            headers=headers,
            options=options,
            exact=entry.exact and same,
        )


def is_named(task: Task) -> bool:
    """Return whether a task itself names its entry; if not, its name and arguments match."""
    return task.extra is not None and task.extra.periodic_task_name is not None


def sent_by(task: Task, entry: ScheduleEntry) -> bool:
    """Return whether an entry sent a task: by its header, otherwise by its name and arguments."""
    if is_named(task):
        assert task.extra is not None
        return task.extra.periodic_task_name == entry.name
    if task.name != entry.task or (task.parent_id or task.id) != task.id:
        return False
    return _same(task.args, entry.args) and _same(task.kwargs, entry.kwargs)


def _same(shown: str | None, value: object) -> bool:
    """Return whether the repr of arguments in an event may be that of a value."""
    if shown is None:
        return not value
    return _inner(shown) == _inner(repr(value))


def _inner(text: str) -> str:
    """Return a repr without the brackets: beat sends a list, or the tuple of the setting."""
    return text.strip()[1:-1].rstrip(",").replace(" ", "")[:_COMPARED]


_COMPARED: Final = 500
"""Characters of arguments that are compared: Celery cuts them."""


def _call(entry: ScheduleEntry | None) -> object:
    return None if entry is None else (entry.task, to_text([entry.args, entry.kwargs]))


def _plan(entry: ScheduleEntry | None) -> object:
    return None if entry is None else (entry.schedule, entry.definition, entry.enabled)


def _until(entry: ScheduleEntry, at: float) -> ScheduleEntry:
    """Return an entry that was read later without what beat did, or will do, after a time."""
    if entry.last_run_at is not None and entry.last_run_at > at:
        entry = msgspec.structs.replace(entry, last_run_at=None, due_at=None, total_runs=None)
    if entry.upcoming and entry.upcoming[0] - at > (entry.spacing or 0.0):
        entry = msgspec.structs.replace(entry, upcoming=())  # there may be times in between
    return entry


def _merged(better: ScheduleEntry | None, entry: ScheduleEntry) -> ScheduleEntry:
    """Return an entry, with what only a source farther from a running beat has of it."""
    if better is None or better.last_run_at is not None or better.total_runs is not None:
        return better or entry
    return msgspec.structs.replace(
        better,
        last_run_at=entry.last_run_at,
        changed_at=better.changed_at or entry.changed_at,
        total_runs=entry.total_runs,
        due_at=better.due_at or entry.due_at,
    )
