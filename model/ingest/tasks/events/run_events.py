"""Merges the events by which workers report the runs of a task, in any order of arrival.

Which event is later, or begins another run, is decided in `event_order`:

- A final state stays until the task starts again: received or started later than it ended
  (redelivered, or run again under the same id), or received with a higher retry count. The old
  attempt is then kept as an `Attempt`, and the task starts from scratch.
- A terminated task stays revoked, even if its greenlet still reports success.
- A late event fills in missing fields and changes no state.
"""

from __future__ import annotations

from typing import Final

from ....entities.clock_skew import MIN_SKEW, ClockSkews
from ....entities.cluster.totals import Totals
from ....entities.states import (
    FAILURE,
    FINISHED,
    ORDERED,
    PENDING,
    RECEIVED,
    REJECTED,
    RETRY,
    REVOKED,
    STARTED,
    SUCCESS,
    TaskState,
)
from ....entities.task import Task, newest_time
from ....entities.worker import Worker
from ....wire.events import Event
from ...queues.queue_store import QueueStore
from ...workers.worker_store import WorkerStore
from ..store.task_store import TaskStore
from .attempts import Attempts, exception_of
from .event_fields import fill_in, forget_fault, set_fault
from .event_order import (
    begins_again,
    ends_previous_attempt,
    replaces,
    starts_previous_attempt,
    supersedes,
)

REDELIVERED_AFTER: Final = 1.0
"""Seconds after which a second start without an end is another run rather than a duplicate: inspect
and events date the same start some milliseconds apart."""


def queue_wait(task: Task, worker: Worker, skews: ClockSkews, now: float) -> float | None:
    """Return how long a task waited in seconds, when its start was received; None if unknown.

    Args:
        task: The task, which has just started.
        worker: Its worker.
        skews: The clock skews of workers.
        now: When the event was received, by the local clock.
    """
    started_at = task.started_at
    if started_at is None or (
        # Before its first heartbeat, only the event shows whether the worker's clock is right.
        task.sent_at is not None and worker.clock_skew is None and abs(started_at - now) >= MIN_SKEW
    ):
        return None
    return task.waited(skews)


class RunEvents:
    """Applies an event of a task to the stores; `now` is when it was received, local time."""

    def __init__(
        self,
        tasks: TaskStore,
        workers: WorkerStore,
        queues: QueueStore,
        totals: Totals,
        attempts: Attempts,
    ) -> None:
        self._tasks = tasks
        self._types = tasks.types
        self._workers = workers
        self._queues = queues
        self._totals = totals
        self._attempts = attempts

    def received(self, task: Task, event: Event, worker: Worker, now: float) -> None:
        """Apply a `task-received`: the task waits in a worker, at first or again."""
        at = event.timestamp
        retries = event.retries or 0
        begun = newest_time(task)
        if begun is not None:
            if begins_again(task, at, retries, begun):
                ran = not task.waiting and task.state not in FINISHED and retries == task.retries
                if ran and replaces(task, event.name, event.args, event.kwargs):
                    self._attempts.keep_replaced(task)
                else:
                    if ran and task.lost_at is None:
                        self._tasks.mark_redelivered(task)
                    ended = retries - 1 if retries > task.retries else task.retries
                    self._attempts.keep_present(task, ended)
            elif not (task.started_at is None and task.finished_at is None and at > begun):
                fill_in(self._tasks, task, event, only_missing=retries < task.retries)
                self._attempts.received(task, at, retries)
                if task.worker is None:
                    task.worker = worker.name
                return
        self._totals.received += 1
        worker.received += 1
        moves = (
            task.state == PENDING
            or supersedes(task, RECEIVED, at, worker.name)
            or (begun is not None and not (task.state == RETRY and task.state_host == worker.name))
        )
        task.received_at = at
        task.retries = retries
        task.worker = worker.name
        fill_in(self._tasks, task, event, only_missing=False)
        if moves:
            self._tasks.move(task, RECEIVED, at, worker.name)
        self._workers.received(worker, task.id, task.eta_at is not None and task.eta_at > at)
        if task.name is not None:
            kind = self._types[task.name]
            kind.received += 1
            kind.last_at = now
            kind.version += 1
        if task.queue is None and worker.queues is not None and len(worker.queues) == 1:
            task.queue = worker.queues[0].name
        if task.queue is None:
            self._workers.unattributed.received(worker, task.id, now)
        else:
            self._workers.unattributed.received_from(worker, task, now)
            self._queues.received(task.queue, worker.name, now)

    def started(self, task: Task, event: Event, worker: Worker, now: float) -> None:
        """Apply a `task-started`, unless it is that of an earlier attempt."""
        at = event.timestamp
        host = worker.name
        again = False
        if task.started_at is not None and task.state_host is None:
            pass  # the start is known from inspect; the event has its exact time
        elif task.finished_at is not None:
            again = at > task.finished_at and (task.state_at is None or at > task.state_at)
            if not again and task.started_at is not None:
                self._attempts.started(task, at, host)
                return
        elif task.started_at is not None:
            again = at > task.started_at + REDELIVERED_AFTER and at > (task.state_at or 0.0)
            if not again:
                self._attempts.started(task, at, host)
                return
        elif task.received_at is not None and at < task.received_at and task.worker == host:
            self._attempts.started(task, at, host)
            return
        elif starts_previous_attempt(task, at, host):
            self._attempts.started_late(task, at)
            return
        retried = task.state == RETRY
        if again:
            self._attempts.keep_present(task, task.retries)
            task.retries += retried
        elif retried and task.exception is not None:
            forget_fault(self._tasks, task)
        task.started_at = at
        task.worker = host
        if again or (task.state in ORDERED and supersedes(task, STARTED, at, host)):
            self._tasks.move(task, STARTED, at, host)
        if task.state not in FINISHED:
            self._workers.started(worker, task.id)
        self._totals.started += 1
        if task.name is not None:
            waited = queue_wait(task, worker, self._workers.skews, now)
            if waited is not None:
                self._types[task.name].wait.add(waited)

    def succeeded(self, task: Task, event: Event, worker: Worker, now: float) -> None:
        """Apply a `task-succeeded`."""
        if task.state == REVOKED and task.extra is not None and task.extra.terminated:
            return
        if not self._end(task, event, worker, SUCCESS):
            return
        if event.result is not None:
            self._tasks.texts.set_result(task, event.result)
        if task.exception is not None:
            forget_fault(self._tasks, task)
        if event.runtime is not None:
            task.runtime = event.runtime
        self._totals.succeeded += 1
        worker.succeeded += 1
        if task.name is not None:
            kind = self._types[task.name]
            kind.succeeded += 1
            kind.last_at = now
            ran = task.runtime if task.runtime is not None else task.elapsed(now)
            if ran is not None:
                kind.runtime.add(ran)

    def failed(self, task: Task, event: Event, worker: Worker, now: float) -> None:
        """Apply a `task-failed`; a late one adds its traceback."""
        if not self._end(task, event, worker, FAILURE):
            if task.state == FAILURE and not task.traceback:
                set_fault(self._tasks, task, event)
            return
        set_fault(self._tasks, task, event)
        self._totals.failed += 1
        worker.failed += 1
        if task.name is not None:
            kind = self._types[task.name]
            kind.failed += 1
            kind.count_exception(task.exception)
            kind.last_at = now

    def revoked(self, task: Task, event: Event, worker: Worker, now: float) -> None:
        """Apply a `task-revoked`: the task was skipped, or its process was terminated."""
        begun = task.started_at if task.started_at is not None else task.received_at
        terminated = bool(event.terminated) and task.state == SUCCESS
        cut_short = terminated and (begun is None or event.timestamp >= begun)
        if not self._end(task, event, worker, REVOKED, force=cut_short):
            return
        signal = None if event.signum is None else str(event.signum)
        task.set_extra(terminated=event.terminated, expired=event.expired, signal=signal)
        self._totals.revoked += 1
        if event.expired:
            self._totals.count_expired(now)
        if task.name is not None:
            kind = self._types[task.name]
            kind.revoked += 1
            kind.last_at = now

    def rejected(self, task: Task, event: Event, worker: Worker, now: float) -> None:
        """Apply a `task-rejected`."""
        if self._end(task, event, worker, REJECTED):
            task.set_extra(requeued=event.requeue)
            self._totals.rejected += 1

    def _end(
        self, task: Task, event: Event, worker: Worker, state: TaskState, force: bool = False
    ) -> bool:
        """Move a task into a final state; return False for a late or repeated event."""
        at = event.timestamp
        host = worker.name
        begun = task.started_at if task.started_at is not None else task.received_at
        if begun is not None and at < begun and self._attempts.ended(task, event, host, state):
            return False
        if task.state == state and task.finished_at is not None:
            if at > task.finished_at and task.state_host == host:
                task.finished_at = task.state_at = at
            return False
        if not force:
            if task.state not in ORDERED and task.state not in FINISHED:
                if begun is not None and at < begun:
                    return False
            elif not supersedes(task, state, at, host):
                return False
        task.finished_at = at
        task.worker = host
        if task.runtime is not None:
            task.runtime = None
        self._tasks.move(task, state, at, host)
        self._workers.ended(worker, task.id)
        return True

    def retried(self, task: Task, event: Event, worker: Worker, now: float) -> None:
        """Apply a `task-retried`, which usually arrives after the next attempt was received."""
        at = event.timestamp
        host = worker.name
        previous = ends_previous_attempt(task, at, host)
        if not (previous and task.running and task.worker == host):
            waits = task.started_at is None and task.received_at is not None and task.worker == host
            self._workers.ended(worker, task.id, waits)
        last = task.attempts[-1] if task.attempts else None
        if task.state == RETRY and task.state_at == at:
            return
        if last is not None and last.finished_at == at:
            return
        if previous:
            self._attempts.retried(task, event, host)
            shows = task.started_at is None and task.state not in FINISHED
        else:
            known = task.state_host == host and task.state_at is not None
            shows = at > (task.state_at or 0.0) if known else task.state not in FINISHED
            if shows:
                task.finished_at = at
                task.worker = host
        if shows and (task.state_host != host or at >= (task.state_at or 0.0)):
            set_fault(self._tasks, task, event)
            self._tasks.move(task, RETRY, at, host)
        self._totals.retried += 1
        worker.retried += 1
        if task.name is not None:
            kind = self._types[task.name]
            kind.retried += 1
            kind.count_exception(exception_of(event)[0])
            kind.last_at = now
