"""The status of each entry of beat's schedule: its last and next runs, and whether it is late.

An entry is overdue if it would have been seen to run. Either its source would have it: RedBeat
writes each run at once, other schedulers every few minutes. Or an event of its task would have been
received: that of beat, if it sent one for each earlier run; or that of a worker, if events of all
workers arrive, one has registered the task, and nothing waits in the queues that this one consumes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Final, Literal, TypeAlias

import msgspec

from ...entities.schedule import ScheduleEntry, ScheduleSource
from ...entities.task import Task
from ...entities.worker import BEAT_PREFIX, Worker
from ...ingest.schedule_store import is_named
from ...state import ClusterState

Word: TypeAlias = Literal[
    "overdue", "scheduled", "unknown", "not started", "disabled", "expired", "finished"
]

_ENDED: Final = frozenset({"disabled", "expired", "finished"})
GRACE: Final = 5.0
"""Seconds from when a task is due to when it is received, at most."""
MIN_SENT_RUNS: Final = 3
"""Runs with a `task-sent` event from which on beat is taken to send one for each."""
SYNC_INTERVALS: Final[dict[ScheduleSource, float]] = {
    "redbeat": 0.0,
    "django-celery-beat": 180.0,
    "file": 180.0,
}
"""Seconds between two times that beat writes all runs to a source, when it sends a task
(`Scheduler.sync_every`); the other sources never have them."""


class EntryStatus(msgspec.Struct, frozen=True):
    """An entry and its runs. Times are epoch seconds."""

    entry: ScheduleEntry
    sources: tuple[ScheduleSource, ...]
    word: Word
    last_run_at: float | None
    """By its source, or by the tasks that were seen; None if unknown."""
    next_run_at: float | None
    """When it is due; in the past if it should have run already. None if never, or unknown."""
    next_run_by: float | None
    """The latest time at which it is due: an interval from now if its last run is unknown."""
    upcoming: tuple[float, ...]
    """The next times from now on."""
    overdue_s: float | None
    """Seconds since it should have run, if it certainly has not."""
    runs: tuple[Task, ...]
    """The newest tasks that it sent, the oldest first."""
    by_name: bool
    """Whether runs are known by task name and arguments only, and may be others' tasks."""

    @property
    def id(self) -> str:
        """The name of the entry: the row's id in tables."""
        return self.entry.name


def entry_statuses(state: ClusterState, now: float) -> Sequence[EntryStatus]:
    """Return all entries, the overdue ones first, then by their next run.

    Within a second, the result changes only with the entries and their runs.
    """
    key, latest = state.schedule.statuses
    if key != (state.schedule.version, int(now)):
        latest = _entry_statuses(state, now)
        state.schedule.statuses = (state.schedule.version, int(now)), latest
    return latest


def _entry_statuses(state: ClusterState, now: float) -> list[EntryStatus]:
    found = [entry_status(state, name, now) for name in state.schedule.entries]
    never = float("inf")
    return sorted(
        found,
        key=lambda one: (
            one.word != "overdue",
            never if one.next_run_by is None else one.next_run_by,
            one.entry.name,
        ),
    )


def entry_status(state: ClusterState, name: str, now: float) -> EntryStatus:
    """Return what is known of an entry."""
    schedule = state.schedule
    entry, runs = schedule.entries[name], schedule.runs(name)
    due, due_by = schedule.due(name), schedule.due_by(name)
    word = _word(entry, due_by, now)
    missed = _missed(state, entry, now) if word == "scheduled" else None
    if missed is not None:
        word, due = "overdue", missed
    elif entry.every is not None and word == "scheduled" and (due is None or due + GRACE < now):
        # It may have run unobserved: when its interval ends is unknown.
        due, due_by = None, now + entry.every
    upcoming = [] if word in _ENDED else list(_upcoming(entry, due, now))
    if missed is None and due is not None and due < now:
        due = next(iter(upcoming), due)
    return EntryStatus(
        entry,
        schedule.sources[name],
        word,
        schedule.last_run_at(name),
        None if word in _ENDED else due,
        None if word in _ENDED else due_by if due is None else due,
        tuple(upcoming),
        None if missed is None else now - missed,
        tuple(runs),
        any(not is_named(task) for task in runs),
    )


def _word(entry: ScheduleEntry, due: float | None, now: float) -> Word:
    if entry.one_off and entry.total_runs:
        return "finished"
    if not entry.enabled:
        return "disabled"
    if entry.expires_at is not None and now >= entry.expires_at:
        return "expired"
    if entry.starts_at is not None and now < entry.starts_at:
        return "not started"
    return "unknown" if due is None else "scheduled"


def _upcoming(entry: ScheduleEntry, due: float | None, now: float) -> Iterator[float]:
    if entry.every:
        if due is None:
            return
        # An overdue entry is sent at once when beat is back.
        first = max(due, now)
        times = [first + number * entry.every for number in range(5)]
        yield from times[:1] if entry.one_off else times
    else:
        yield from (at for at in entry.upcoming if at >= now)


def _missed(state: ClusterState, entry: ScheduleEntry, now: float) -> float | None:
    """Return when an entry was due and has certainly not run; None if it may have."""
    due, expected = state.schedule.due_by(entry.name), state.schedule.expected(entry.name)
    if due is not None and (missed := _missed_by_source(state, entry, due)) is not None:
        # Without a broker, beat cannot send it: that it has not is no fault of beat.
        return missed if missed + GRACE <= state.broker.observed_until(now) else None
    if expected is not None and now >= expected + GRACE:
        return expected if _would_be_seen(state, entry, expected, now) else None
    return None


def _missed_by_source(state: ClusterState, entry: ScheduleEntry, due: float) -> float | None:
    """Return a time at which its source would have a run of an entry; None if it has, or may not.

    Beat writes all runs when it sends a task and has not written for `SYNC_INTERVALS`: the newest
    run in the source is from when it last did.
    """
    interval = SYNC_INTERVALS.get(entry.source)
    read = state.schedule.reads.get(entry.source)
    if interval is None or read is None or read.fault is not None:
        return None
    newest = max((one.last_run_at or 0.0 for one in read.entries), default=0.0)
    if newest <= due + GRACE:
        late, spacing = newest + interval + GRACE - due, entry.spacing
        if interval and late > 0:
            if spacing is None:
                return None
            due += ceil(late / spacing) * spacing
    # Enabling or changing it comes before beat sends it.
    changed = entry.changed_at if entry.source == "django-celery-beat" else None
    return due if read.at >= max(due, changed or 0.0) + 2 * GRACE else None


def _would_be_seen(state: ClusterState, entry: ScheduleEntry, due: float, now: float) -> bool:
    """Return whether an event would have been received of a task sent at `due`."""
    listening = state.broker.listening(now)
    if not state.observed or listening.since > due or listening.until < due + GRACE:
        return False
    return _is_seen_when_sent(state, entry) or _would_be_received(state, entry, due)


def _is_seen_when_sent(state: ClusterState, entry: ScheduleEntry) -> bool:
    """Return whether each known run of an entry had a `task-sent` event.

    The next one would have it too, whether or not a worker takes it. If only other clients of the
    same task sent such events, the runs that beat sent would be without.
    """
    runs = state.schedule.runs(entry.name)
    senders = [None if task.extra is None else task.extra.client for task in runs]
    return len(runs) >= MIN_SENT_RUNS and None not in senders


def _would_be_received(state: ClusterState, entry: ScheduleEntry, due: float) -> bool:
    """Return whether a worker would have received a task sent at `due`."""
    workers = [
        worker
        for worker in state.workers.values()
        if not worker.name.startswith(BEAT_PREFIX) and worker.left_at is None
    ]
    names = {entry.queue} if entry.queue is not None else _queues_of(workers, entry.task)
    for worker in workers:
        # A worker that has not registered the task reports its failure without its name.
        if names & _consumed(worker) and entry.task not in (worker.registered or ()):
            return False
    if not any(names & _consumed(worker) for worker in workers):
        return False
    queues = [state.queues.get(name) for name in names]
    return bool(queues) and all(
        queue is not None
        and queue.waiting == 0
        and queue.measured_at is not None
        and queue.measured_at > due
        for queue in queues
    )


def _queues_of(workers: Sequence[Worker], task: str) -> set[str]:
    """Return the queues of the workers that have registered a task: it is sent to one of them."""
    found = [_consumed(worker) for worker in workers if task in (worker.registered or ())]
    return set().union(*found)


def _consumed(worker: Worker) -> set[str]:
    return {queue.name for queue in worker.queues or ()}
