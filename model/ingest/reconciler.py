"""Which tasks may not be what they seem, so that their worker and the result backend are asked.

Events get lost: in a gap of the connection, with a worker that dies, in a worker that sends none.
What follows from that is found by looking through all unfinished tasks, a part of them each second.
Who asks is not told here; answers come as any observation, and one that nobody knows is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

import msgspec

from ..entities.queue import Queue
from ..entities.states import FINISHED, PENDING, WAITING
from ..entities.task import Task
from ..entities.worker import Worker
from .inspect_replies import STALE_SECONDS
from .task_store import TaskStore
from .worker_store import LAST_WORD, WorkerStore

YOUNG: Final = 5.0
"""Seconds in which what was told of a task last is believed: the next event may be on its way."""

LONG: Final = 60.0
"""Seconds for which a task is taken to run on the word of its start alone, if its worker does not
answer."""

SUSPECTS_KEPT: Final = 500
"""Of those that are said to run, or are lost, and of those that wait, each."""
ASKED_AT_ONCE: Final = 100

FIRST_AGAIN: Final = 10.0
"""Seconds after which a suspect of which nothing new was found is asked for again; then doubled."""
LAST_AGAIN: Final = 300.0

SETTLED_KEPT: Final = 20_000
"""Tasks of which is remembered that they were asked for after the last gap."""

LOOKED_THROUGH: Final = 5_000
"""Tasks at a time; more if there are so many that all would take longer than `SWEEP` times."""
SWEEP: Final = 8


class _Suspect(msgspec.Struct, gc=False):
    urgent: bool
    """Whether it is said to run, or is lost."""
    next_at: float
    tries: int = 0
    absent: bool = False
    """Whether the result backend has nothing of it."""
    denied: frozenset[str] = frozenset()
    """Workers that said that they do not hold it."""


class Reconciler:
    """Finds and keeps suspects."""

    def __init__(self, tasks: TaskStore, workers: WorkerStore, queues: Mapping[str, Queue]) -> None:
        self._tasks = tasks
        self._workers = workers
        self._queues = queues
        self._suspects: dict[str, _Suspect] = {}
        self._ahead: Iterator[str] = iter(())
        self._doubted_at = float("-inf")
        self._settled_at: dict[str, float] = {}

    def doubt(self, at: float) -> None:
        """Believe nothing that was told before `at`, our clock: events after it were not heard."""
        self._doubted_at = at
        self._settled_at.clear()

    def due(self, now: float) -> tuple[str, ...]:
        """Return the ids that should be asked for now, what is said to run before others."""
        due = [(not it.urgent, it.next_at, id_) for id_, it in self._suspects.items()]
        return tuple(id_ for _, at, id_ in sorted(due) if at <= now)[:ASKED_AT_ONCE]

    def sweep(self, now: float) -> None:
        """Look through the next of all tasks, and through all suspects; call it once a second."""
        held = self._tasks.tasks
        for id_ in list(self._suspects):
            task = held.get(id_)
            if task is not None:
                self._lose(task, now)
            if task is None or not self._doubtful(task, now):
                del self._suspects[id_]
        urgent = sum(it.urgent for it in self._suspects.values())
        room = {True: SUSPECTS_KEPT - urgent, False: SUSPECTS_KEPT - len(self._suspects) + urgent}
        ids = list(islice(self._ahead, max(LOOKED_THROUGH, len(held) // SWEEP)))
        if not ids:
            self._ahead = iter(list(held))
        for id_ in ids:
            task = held.get(id_)
            if task is not None and task.state not in FINISHED:
                self._look(task, now, room)

    def absent(self, ids: Iterable[str], at: float) -> None:
        """Note that the result backend has nothing of these."""
        for id_ in ids:
            suspect = self._suspects.get(id_)
            if suspect is not None:
                suspect.absent = True
                self._answered(id_, suspect, at, settled=True)

    def found(self, ids: Iterable[str], at: float) -> None:
        """Note that the result backend has something of these, which the model has by now."""
        if not self._suspects:
            return
        for id_ in ids:
            suspect = self._suspects.get(id_)
            if suspect is not None:
                suspect.absent = False
                self._answered(id_, suspect, at, settled=True)

    def held(self, worker: Worker, ids: Iterable[str], at: float) -> None:
        """Note that a worker holds these, as the model has by now."""
        for id_ in ids:
            suspect = self._suspects.get(id_)
            if suspect is not None:
                suspect.denied -= {worker.name}
                self._answered(id_, suspect, at, settled=True)

    def denied(self, worker: Worker, ids: Iterable[str], at: float) -> None:
        """Note that a worker does not hold these."""
        for id_ in ids:
            task = self._tasks.tasks.get(id_)
            if task is None or task.state in FINISHED:
                continue
            begun = self._told_at(task) > at - STALE_SECONDS
            if task.running and task.worker == worker.name and not begun:
                worker.active_ids.pop(id_, None)
                worker.missed_ids.setdefault(id_, (at, "unheard"))
                worker.version += 1
            suspect = self._suspects.get(id_)
            if suspect is not None:
                suspect.denied |= {worker.name}
                self._answered(id_, suspect, at, settled=task.worker == worker.name)

    def _answered(self, id_: str, suspect: _Suspect, at: float, settled: bool) -> None:
        task = self._tasks.tasks.get(id_)
        if task is None:
            return
        if suspect.next_at <= at:
            suspect.next_at = at + min(LAST_AGAIN, FIRST_AGAIN * 2**suspect.tries)
            suspect.tries += 1
        if settled and self._doubted_at > float("-inf"):
            if len(self._settled_at) >= SETTLED_KEPT:
                self._settled_at.clear()
            self._settled_at[id_] = at
        if task.state in FINISHED or task.state == PENDING:
            return
        if self._told_at(task) > at - STALE_SECONDS:
            return
        if self._denied_by_all(task, suspect):
            if suspect.absent:
                self._tasks.mark_lost(task, at, "unknown")
            elif task.running and task.worker not in self._workers.workers:
                self._tasks.mark_lost(task, at, "unheard")

    def _denied_by_all(self, task: Task, suspect: _Suspect) -> bool:
        if task.worker in self._workers.workers:
            return task.worker in suspect.denied
        present = {
            name for name in self._workers.workers if self._workers.status(name) != "offline"
        }
        return bool(present) and present <= suspect.denied

    def _look(self, task: Task, now: float, room: dict[bool, int]) -> None:
        waiting = task.state in WAITING
        if not waiting:
            self._lose(task, now)
        urgent = not waiting or task.lost_at is not None
        if room[urgent] > 0 and task.id not in self._suspects and self._doubtful(task, now):
            room[urgent] -= 1
            self._suspects[task.id] = _Suspect(urgent, now)

    def _doubtful(self, task: Task, now: float) -> bool:
        if task.state in FINISHED:
            return False
        told = self._told_at(task)
        if told < self._doubted_at > self._settled_at.get(task.id, float("-inf")):
            return True
        if now - told < YOUNG:
            return False
        if task.lost_at is not None:
            return True
        worker = self._workers.workers.get(task.worker or "")
        if task.state == PENDING:
            queue = self._queues.get(task.queue or "")
            held = queue is not None and queue.waiting
            return not held and (task.eta_at is None or task.eta_at + YOUNG < now)
        if worker is None or self._workers.status(worker.name) == "offline":
            return True
        if task.running:
            if task.id not in worker.active_ids:
                return True
            silent = worker.inspected_at is None or now - worker.inspected_at > LONG
            return silent and now - told > LONG
        if worker.reserved_ids is None or (task.eta_at or 0.0) + YOUNG > now:
            return False
        scheduled = worker.scheduled_ids or {}
        return not (
            task.id in worker.reserved_ids or task.id in scheduled or task.id in worker.active_ids
        )

    def _lose(self, task: Task, now: float) -> None:
        """Mark a task as lost if its worker is, which need not have told that it runs it."""
        worker = self._workers.workers.get(task.worker or "")
        if worker is None or not task.running or self._workers.status(worker.name) != "offline":
            return
        if now - (worker.heard_at or 0.0) >= LAST_WORD:
            self._tasks.mark_lost(task, now, "worker")

    def _told_at(self, task: Task) -> float:
        """Return when anything was last told of a task, by our clock; 0 if nobody knows."""
        at = (task.state_at or 0.0) - self._workers.skew(task.state_host)
        if task.progress is not None and task.progress.at > at:
            return task.progress.at
        return at
