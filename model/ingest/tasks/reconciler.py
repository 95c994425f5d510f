"""Finds tasks whose state needs checking with the workers and the result backend.

Events are missed: while disconnected, when a worker dies, from workers that send none. Affected
tasks are found by scanning all unfinished tasks, a part of them each second. The replies come back
as observations; a task that neither the workers nor the backend have is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

import msgspec

from ...entities.states import FINISHED, PENDING, WAITING
from ...entities.task import Task
from ...entities.worker import Worker
from ..queues.emptied_queues import EmptiedQueues, Evidence
from ..queues.queue_store import QueueStore
from ..workers.inspect_replies import REPLY_DELAY
from ..workers.worker_store import (
    FINAL_EVENT_DELAY,
    MAX_HELD_IDS,
    WARM_SHUTDOWN_SECONDS,
    WorkerStore,
)
from .rate_limited import holding_limit, rate_limit
from .store.task_store import TaskStore

RECENT_SECONDS: Final = 5.0
"""Seconds for which a task's last update is trusted: the next event may be in transit."""

START_TRUSTED_SECONDS: Final = 60.0
"""Seconds for which a started task is trusted to be running if its worker does not reply."""

MAX_CHECKS: Final = 500
"""Tasks to check at a time: so many running or lost ones, and so many waiting ones."""
MAX_IDS_AT_ONCE: Final = 100
"""Ids returned by one call of `due`."""

MIN_RECHECK_DELAY: Final = 10.0
"""Seconds until a task is checked again if nothing changed, doubled each time."""
MAX_RECHECK_DELAY: Final = 300.0
"""Seconds between two checks of a task at most."""

MAX_SETTLED: Final = 20_000
"""Ids of tasks that are known to have been checked since events were last missed."""

MIN_SCANNED: Final = 5_000
"""Unfinished tasks scanned per second; more if a scan would take longer than `SCAN_TICKS`."""
SCAN_TICKS: Final = 8
"""Seconds for a scan of all tasks at most, and between two scans of many."""


class _Check(msgspec.Struct, gc=False):
    urgent: bool
    """Whether it is running or lost, rather than waiting."""
    next_at: float
    since: float
    """When the check began, by the local clock."""
    tries: int = 0
    absent: bool = False
    """Whether the result backend has no entry."""
    lacking: frozenset[str] = frozenset()
    """Workers that do not have it."""


class Reconciler:
    """Keeps the tasks to check and evaluates the replies."""

    def __init__(self, tasks: TaskStore, workers: WorkerStore, queues: QueueStore) -> None:
        self._tasks = tasks
        self._workers = workers
        self._queues = queues.queues
        self._emptied = EmptiedQueues(tasks, workers.workers, queues.queues, queues.gone_at)
        self._checks: dict[str, _Check] = {}
        self._unscanned: Iterator[str] = iter(())
        self._ticks_to_scan = 0
        self._distrusted_before = float("-inf")
        self._settled_at: dict[str, float] = {}
        self._left_queue: set[str] = set()

    def distrust_before(self, at: float) -> None:
        """Distrust all states from before `at` (local clock), because events were missed."""
        self._distrusted_before = at
        self._settled_at.clear()

    def left_queue(self, ids: Iterable[str]) -> None:
        """Check pending tasks whose messages no longer wait, although their queue is not empty."""
        held = self._tasks.tasks
        pending = {id_ for id_ in self._left_queue if id_ in held and held[id_].state == PENDING}
        self._left_queue = set(islice({*ids, *pending}, MAX_SETTLED))

    def due(self, now: float) -> tuple[str, ...]:
        """Return the ids of the tasks to check now, running and lost ones first."""
        due = [(not check.urgent, check.next_at, id_) for id_, check in self._checks.items()]
        return tuple(id_ for _, at, id_ in sorted(due) if at <= now)[:MAX_IDS_AT_ONCE]

    def scan(self, now: float) -> None:
        """Scan the next part of all tasks, and all tasks to check; call it every second."""
        held = self._tasks.tasks
        self._emptied.scan(now)
        for id_ in list(self._checks):
            task = held.get(id_)
            if task is not None:
                self._mark_lost_with_worker(task, now)
                self._mark_gone(task, self._checks[id_], now)
            if task is None or not self._needs_check(task, now):
                del self._checks[id_]
        urgent = sum(check.urgent for check in self._checks.values())
        room = {True: MAX_CHECKS - urgent, False: MAX_CHECKS - len(self._checks) + urgent}
        ids = list(islice(self._unscanned, max(MIN_SCANNED, len(held) // SCAN_TICKS)))
        self._ticks_to_scan -= 1
        if not ids and self._ticks_to_scan <= 0:
            # Not of all tasks: their ids would be kept after they have been evicted.
            unfinished = [id_ for id_, task in held.items() if task.state not in FINISHED]
            self._unscanned = iter(unfinished)
            self._ticks_to_scan = min(SCAN_TICKS, len(held) // MIN_SCANNED)
        for id_ in ids:
            task = held.get(id_)
            if task is not None and task.state not in FINISHED:
                self._scan_task(task, now, room)

    def backend_lacks(self, ids: Iterable[str], at: float) -> None:
        """Record that the result backend has no entry for these."""
        for id_ in ids:
            check = self._checks.get(id_)
            if check is not None:
                check.absent = True
                self._checked(id_, check, at, settled=True)

    def backend_has(self, ids: Iterable[str], at: float) -> None:
        """Record that the result backend has entries for these, which have been applied."""
        if not self._checks:
            return
        for id_ in ids:
            check = self._checks.get(id_)
            if check is not None:
                check.absent = False
                self._checked(id_, check, at, settled=True)

    def worker_has(self, worker: Worker, ids: Iterable[str], at: float) -> None:
        """Record that a worker has these, as already applied from its reply."""
        for id_ in ids:
            check = self._checks.get(id_)
            if check is not None:
                check.lacking -= {worker.name}
                self._checked(id_, check, at, settled=True)

    def worker_lacks(self, worker: Worker, ids: Iterable[str], at: float) -> None:
        """Record that a worker does not have these; one of several of the same name may have."""
        if worker.may_share_name:
            return
        for id_ in ids:
            task = self._tasks.tasks.get(id_)
            if task is None or task.state in FINISHED:
                continue
            begun = self._last_update(task) > at - REPLY_DELAY
            if task.running and task.worker == worker.name and not begun:
                worker.active_ids.pop(id_, None)
                worker.missing_ids.setdefault(id_, (at, "unheard"))
                worker.version += 1
            check = self._checks.get(id_)
            if check is not None:
                check.lacking |= {worker.name}
                self._checked(id_, check, at, settled=task.worker == worker.name)

    def _checked(self, id_: str, check: _Check, at: float, settled: bool) -> None:
        task = self._tasks.tasks.get(id_)
        if task is None:
            return
        if check.next_at <= at:
            check.next_at = at + min(MAX_RECHECK_DELAY, MIN_RECHECK_DELAY * 2**check.tries)
            check.tries += 1
        if settled and self._distrusted_before > float("-inf"):
            if len(self._settled_at) >= MAX_SETTLED:
                self._settled_at.clear()
            self._settled_at[id_] = at
        if task.state in FINISHED or task.state == PENDING:
            return
        if self._last_update(task) > at - REPLY_DELAY:
            return
        if self._lacked_by_workers(task, check):
            if task.waiting and task.worker is None and task.received_at is not None:
                # Its message is unacknowledged: the worker that received it is gone.
                self._tasks.mark_lost(task, at, "worker")
            elif check.absent:
                self._tasks.mark_lost(task, at, "unknown")
            elif task.running and task.worker not in self._workers.workers:
                self._tasks.mark_lost(task, at, "unheard")

    def _lacked_by_workers(self, task: Task, check: _Check) -> bool:
        workers = self._workers.workers
        if task.worker in workers:
            asked = {task.worker}
        else:
            asked = {name for name in workers if self._workers.status(name) != "offline"}
        if not asked or not asked <= check.lacking:
            return False
        return not (task.waiting and any(self._may_hold(workers[name], task) for name in asked))

    def _may_hold(self, worker: Worker, task: Task) -> bool:
        """Return whether a worker may hold a waiting task that `query_task` does not find.

        It finds neither tasks that a rate limit holds back nor all that await a retry. Nothing
        follows unless the worker has replied since about the lists and limits that show them.
        """
        if any(task.id in (ids or ()) for ids in (worker.reserved_ids, worker.scheduled_ids)):
            return True
        since = self._last_update(task) + REPLY_DELAY
        listed = [worker.fact(command).answered_at or 0.0 for command in ("reserved", "scheduled")]
        limited = worker.fact("registered").answered_at is None or rate_limit(task, worker)
        return min(listed) < since or bool(limited)

    def _scan_task(self, task: Task, now: float, room: dict[bool, int]) -> None:
        waiting = task.state in WAITING
        if waiting:
            self._update_rate_limit(task, now)
            self._mark_gone(task, None, now)
        else:
            self._mark_lost_with_worker(task, now)
        urgent = not waiting or task.lost_at is not None
        if room[urgent] > 0 and task.id not in self._checks and self._needs_check(task, now):
            room[urgent] -= 1
            self._checks[task.id] = _Check(urgent, now, now)

    def _needs_check(self, task: Task, now: float) -> bool:
        if task.state in FINISHED:
            return False
        updated = self._last_update(task)
        if task.state == PENDING and task.lost_at is not None:
            return False
        if updated < self._distrusted_before > self._settled_at.get(task.id, float("-inf")):
            return True
        if now - updated < RECENT_SECONDS:
            return False
        if task.lost_at is not None:
            return True
        worker = self._workers.workers.get(task.worker or "")
        if task.state == PENDING:
            queue = self._queues.get(task.queue or "")
            held = queue is not None and queue.waiting and task.id not in self._left_queue
            return not held and (task.eta_at is None or task.eta_at + RECENT_SECONDS < now)
        if worker is None or self._workers.status(worker.name) == "offline":
            return True
        if task.running:
            if task.id not in worker.active_ids:
                return True
            silent = (
                worker.inspected_at is None or now - worker.inspected_at > START_TRUSTED_SECONDS
            )
            return silent and now - updated > START_TRUSTED_SECONDS
        if worker.reserved_ids is None or (task.eta_at or 0.0) + RECENT_SECONDS > now:
            return False
        scheduled = worker.scheduled_ids or {}
        return not (
            task.id in worker.reserved_ids or task.id in scheduled or task.id in worker.active_ids
        )

    def _update_rate_limit(self, task: Task, now: float) -> None:
        """Record which rate limit holds a waiting task back in its worker, if one does.

        If only its message shows that it was received, the worker is the only consumer of its
        queue, unless it has started since, or would list the task.
        """
        if task.worker is None and task.state != PENDING:
            queue = self._queues.get(task.queue or "")
            consumers = None if queue is None else queue.consumers
            only = self._workers.workers.get(consumers[0]) if consumers else None
            if only is not None and len(consumers or ()) == 1 and rate_limit(task, only):
                since = only.started_at
                if since is not None and (task.received_at or since) >= since - REPLY_DELAY:
                    task.worker = only.name
                    self._tasks.touch(task)
        worker = self._workers.workers.get(task.worker or "")
        rate = None
        if worker is not None:
            rate = holding_limit(task, worker, now + (worker.clock_skew or 0.0))
            if rate is not None and len(worker.limited_ids) < MAX_HELD_IDS:
                worker.limited_ids[task.id] = task.name or ""
        if rate != (None if task.extra is None else task.extra.rate_limit):
            task.set_extra(rate_limit=rate)
            if rate is None and worker is not None:
                worker.limited_ids.pop(task.id, None)
            self._tasks.touch(task)

    def _mark_lost_with_worker(self, task: Task, now: float) -> None:
        """Mark a task as lost if its worker is; the worker need not have reported it as active."""
        worker = self._workers.workers.get(task.worker or "")
        if worker is None or not task.running or self._workers.status(worker.name) != "offline":
            return
        needed = FINAL_EVENT_DELAY if worker.left_at is None else WARM_SHUTDOWN_SECONDS
        if now - (worker.last_seen_at or 0.0) >= needed:
            self._tasks.mark_lost(task, now, "worker")

    def _mark_gone(self, task: Task, check: _Check | None, now: float) -> None:
        """Mark a pending task as lost if its queue was emptied."""
        if task.state != PENDING or task.lost_at is not None:
            return
        complete = self._last_update(task) >= self._distrusted_before
        evidence = Evidence(complete)
        if check is not None:
            evidence = Evidence(complete, check.since, check.lacking, check.absent)
        loss = self._emptied.loss(task, evidence)
        if loss is not None:
            self._tasks.mark_lost(task, now, loss)

    def _last_update(self, task: Task) -> float:
        """Return when a task was last updated, by the local clock; 0 if unknown."""
        at = (task.state_at or 0.0) - self._workers.skew(task.state_host)
        if task.progress is not None and task.progress.at > at:
            return task.progress.at
        return at
