"""Applies tasks that were read from the history to the model.

A stored task is as an earlier celtop, or another one, recorded it. What events, workers or the
result backend have about the same task stays: the stored one only fills in what is missing. If a
collector receives the events instead, what it has just written takes their place, and is counted.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ...entities.cluster.totals import Rates, Totals
from ...entities.queue import Queue
from ...entities.states import (
    FAILURE,
    FINISHED,
    FROM_HISTORY,
    REJECTED,
    REPORTS_RETRIES,
    REVOKED,
    SUCCESS,
    is_only_read,
)
from ...entities.task import Task, first_seen_at, newest_time
from ...observations import HistoryRead
from ..tasks.store.task_store import TaskStore
from ..workers.worker_store import WorkerStore

_PLAIN_FIELDS: Final = (
    "sent_at",
    "received_at",
    "started_at",
    "finished_at",
    "lost_at",
    "eta_at",
    "expires_at",
    "runtime",
    "retries",
    "progress",
)
_FILLED_IN: Final = ("sent_at", "eta_at", "expires_at")
"""The fields of a task, as opposed to those of one run."""
_OUTCOMES: Final = {
    SUCCESS: "succeeded",
    FAILURE: "failed",
    REVOKED: "revoked",
    REJECTED: "rejected",
}
"""The counters of states, in those of totals, types and workers that have them."""
_FILLED_IN_AT_THE_END: Final = ("received_at", "started_at", "finished_at", "runtime")


@dataclass(frozen=True, slots=True)
class StoredTasks:
    """Applies stored tasks to the store of held ones."""

    _tasks: TaskStore
    _workers: WorkerStore
    _queues: Mapping[str, Queue]
    _totals: Totals
    _rates: Rates

    def apply(self, read: HistoryRead) -> None:
        """Apply the tasks of one read."""
        if read.live:
            self._follow(read)
            return
        held = self._tasks.tasks
        for stored in read.tasks:
            task = held.get(stored.id)
            if task is None:
                if stored.state not in FINISHED and stored.lost_at is None and not read.unfinished:
                    continue
                added = self._tasks.add_from_history(
                    stored.id, first_seen_at(stored), wanted=read.wanted
                )
                if added is None:
                    continue
                task = added
                self._restore(task, stored)
                if not read.wanted:
                    self._tasks.types.count_runtime(task, loaded=True)
            elif task.sources & FROM_HISTORY and is_only_read(task.sources):
                if (newest_time(stored) or 0.0) < (newest_time(task) or 0.0):
                    continue
                self._restore(task, stored)
            elif _ended_since(task, stored):
                self._restore(task, stored)
                worker = self._workers.workers.get(task.worker or "")
                if worker is not None:
                    self._workers.ended(worker, task.id)
            else:
                self._fill_in(task, stored)
            task.sources |= FROM_HISTORY | (stored.sources & REPORTS_RETRIES)
            self._tasks.touch(task)

    def _follow(self, read: HistoryRead) -> None:
        """Apply what a collector has just written, as if its events had been received."""
        totals, before = self._totals, self._totals.rated
        if totals.first_event_at is None:
            totals.first_event_at = read.at
        self._workers.collected = True
        samples = read.samples or (1.0,) * len(read.tasks)
        for stored, sample in zip(read.tasks, samples, strict=True):
            held = self._tasks.tasks.get(stored.id)
            task = held or self._tasks.add(stored.id)
            begun = newest_time(task)
            if begun is not None and (newest_time(stored) or 0.0) < begun:
                self._fill_in(task, stored)
            else:
                is_new = held is None or not task.sources & FROM_HISTORY
                ended = held is not None and task.state in FINISHED and task.state == stored.state
                self._restore(task, stored)
                self._count(task, round(1.0 / sample), read.at, is_new=is_new, ended=ended)
            task.sources |= FROM_HISTORY | (stored.sources & REPORTS_RETRIES)
            self._tasks.touch(task)
        self._rates.add(read.at, 0, before, totals.rated)

    def _count(self, task: Task, number: int, now: float, *, is_new: bool, ended: bool) -> None:
        """Count a task that was written for the first time, or that has ended."""
        kind = None if task.name is None else self._tasks.types[task.name]
        worker = self._workers.workers.get(task.worker or "")
        counters = [each for each in (self._totals, kind, worker) if each is not None]
        outcome = None if ended else _OUTCOMES.get(task.state)
        for counter in counters:
            if is_new:
                counter.received += number
            if outcome is not None:
                counter.retried += task.retries * number
                if hasattr(counter, outcome):
                    setattr(counter, outcome, getattr(counter, outcome) + number)
        if kind is not None:
            kind.last_at = now
            if outcome == "failed":
                kind.count_exception(task.exception)
        if not ended:
            self._tasks.types.count_runtime(task, loaded=False)
        queue = self._queues.get(task.queue or "")
        if is_new and queue is not None:
            queue.received.add(now, number)
        if worker is not None:
            if is_new and task.queue is None:
                self._workers.unattributed.received(worker, task.id, now)
            worker.events_enabled = True  # the collector receives them
            if task.state in FINISHED:
                self._workers.ended(worker, task.id)

    def _restore(self, task: Task, stored: Task) -> None:
        """Give a task that nothing else has reported all values of the stored one."""
        tasks = self._tasks
        if stored.name is not None:
            tasks.set_name(task, stored.name)
        task.worker, task.queue = _shared(stored.worker), _shared(stored.queue)
        tasks.texts.set_arguments(task, stored.args, stored.kwargs)
        for field in ("result", "exception", "traceback"):
            tasks.texts.set(task, field, getattr(stored, field))
        tasks.relations.fill(task, stored.root_id, stored.parent_id, stored.group_id)
        task.lost_at = None
        tasks.move(task, sys.intern(stored.state), stored.state_at, _shared(stored.state_host))
        for name in _PLAIN_FIELDS:
            setattr(task, name, getattr(stored, name))
        self._set_attempts(task, stored)

    def _fill_in(self, task: Task, stored: Task) -> None:
        """Fill in what is unknown of a task that something else has reported."""
        tasks = self._tasks
        if task.name is None and stored.name is not None:
            tasks.set_name(task, stored.name)
        tasks.texts.fill_arguments(task, stored.args, stored.kwargs)
        tasks.relations.fill(task, stored.root_id, stored.parent_id, stored.group_id)
        if task.queue is None:
            task.queue = _shared(stored.queue)
        _fill_in(task, stored, _FILLED_IN)
        if task.state not in FINISHED or task.state != stored.state:
            return  # it runs again, or has
        if task.worker is None:
            task.worker = _shared(stored.worker)
        if task.worker != stored.worker:
            return
        _fill_in(task, stored, _FILLED_IN_AT_THE_END)
        for field in ("result", "exception", "traceback"):
            if getattr(task, field) is None:
                tasks.texts.set(task, field, getattr(stored, field))
        if not task.attempts and task.extra is None:
            task.retries = max(task.retries, stored.retries)
            self._set_attempts(task, stored)

    def _set_attempts(self, task: Task, stored: Task) -> None:
        counted = task.text_bytes
        task.attempts, task.extra = stored.attempts, stored.extra
        self._tasks.texts.count(task.text_bytes - counted)


def _ended_since(task: Task, stored: Task) -> bool:
    """Return whether a task that was last known to run has ended, such as one of an older reply."""
    if task.state in FINISHED or task.started_at is None or stored.state not in FINISHED:
        return False
    return task.worker == stored.worker and (newest_time(stored) or 0.0) >= task.started_at


def _fill_in(task: Task, stored: Task, names: tuple[str, ...]) -> None:
    for name in names:
        if getattr(task, name) is None:
            setattr(task, name, getattr(stored, name))


def _shared(name: str | None) -> str | None:
    """Return a name as one text for all tasks."""
    return None if name is None else sys.intern(name)
