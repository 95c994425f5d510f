"""Merges task events into tasks, in any order of arrival (see `event_order`).

- A final state stays until the task starts again: received or started later than it ended
  (redelivered, or run again under the same id), or received with a higher retry count. The old
  attempt is then kept as an `Attempt`, and the task starts from scratch.
- A terminated task stays revoked, even if its greenlet still reports success.
- A late event fills in missing fields and changes no state.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from ...entities.clock_skew import MIN_SKEW, ClockSkews
from ...entities.cluster.totals import Totals
from ...entities.messages.delayed import delayed_route
from ...entities.states import (
    CELERY_STATES,
    FAILURE,
    FINISHED,
    FROM_EVENT,
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
from ...entities.task import Task, newest_time
from ...entities.worker import Worker
from ...wire.events import WORKER_EVENTS, Event
from ..queues.delayed_messages import DelayedMessages
from ..queues.queue_store import QueueStore
from ..results.backend_overlay import BackendOverlay
from ..workers.worker_store import WorkerStore
from .attempts import Attempts, exception_of
from .event_fields import fill_in, forget_fault, set_fault
from .event_order import (
    begins_again,
    ends_previous_attempt,
    replaced_by,
    replaces,
    starts_previous_attempt,
    supersedes,
)
from .progress import ProgressReader
from .progress_rate import ProgressRates
from .task_store import TaskStore
from .usual_events import UsualEvents

MAX_STATE_LENGTH: Final = 64
"""Characters of a custom state's name."""

REDELIVERED_AFTER: Final = 1.0
"""Seconds after which a second start without an end is another run rather than a duplicate: inspect
and events date the same start some milliseconds apart."""

_NO_WORKER: Final = Worker("")
_CLIENT: Final = re.compile(r"gen\d+@")
"""Celery's node name of a process that is not a worker."""

Handler: TypeAlias = Callable[[Task, Event, Worker, float], None]
UsualHandler: TypeAlias = Callable[[Task | None, Event, Worker, float], bool]


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


class TaskEvents:
    """Applies task events to the stores."""

    def __init__(
        self,
        tasks: TaskStore,
        workers: WorkerStore,
        queues: QueueStore,
        totals: Totals,
        overlay: BackendOverlay,
        reader: ProgressReader,
        progress_rates: ProgressRates,
        delayed: DelayedMessages,
    ) -> None:
        self._tasks = tasks
        self._held = tasks.tasks
        self._types = tasks.types
        self._changed = tasks.changed
        self._overlay = overlay
        self._event_states = overlay.event_states
        self._reader = reader
        self._progress_rates = progress_rates
        self._attempts = Attempts(tasks)
        self._workers = workers
        self._known_workers = workers.workers
        self._queues = queues
        self._delayed = delayed
        self._totals = totals
        usual = UsualEvents(tasks, workers, queues, totals)
        self._handlers: dict[str, tuple[UsualHandler | None, Handler]] = {
            "task-received": (usual.received, self._received),
            "task-started": (usual.started, self._started),
            "task-succeeded": (usual.succeeded, self._succeeded),
            "task-failed": (None, self._failed),
            "task-retried": (None, self._retried),
            "task-revoked": (None, self._revoked),
            "task-rejected": (None, self._rejected),
        }

    def apply(self, events: Iterable[Event], now: float) -> None:
        """Apply events in their order, received at `now` by the local clock."""
        # Looked up once, not per event: a large cluster sends tens of thousands a second.
        held, changed, workers = self._held, self._changed, self._known_workers
        handlers = self._handlers
        host, worker = "", _NO_WORKER
        for event in events:
            found = handlers.get(event.type)
            id_ = event.uuid
            if found is None or id_ is None:
                self._apply_other(event, now)
                host = ""
                continue
            if event.hostname != host:  # a message is of one worker
                host = event.hostname
                worker = workers.get(host) or self._workers.saw_event(host, event.timestamp, now)
                worker.last_seen_at = now
                if not worker.events_enabled:
                    worker.events_enabled = True
            if event.timestamp > worker.newest_event_at:
                worker.newest_event_at = event.timestamp
            task = held.get(id_)
            usual, handler = found
            if usual is None or not usual(task, event, worker, now):
                task = task or self._tasks.add(id_)
                self._apply_unusual(handler, task, event, worker, now)
            elif task is None:
                continue
            task.version += 1
            task.sources |= FROM_EVENT
            changed[id_] = task

    def _apply_unusual(
        self, handler: Handler, task: Task, event: Event, worker: Worker, now: float
    ) -> None:
        if task.id in self._event_states:
            backend = self._overlay.remove(task)
            handler(task, event, worker, now)
            self._overlay.reapply(task, backend)
        else:
            handler(task, event, worker, now)

    def _apply_other(self, event: Event, now: float) -> None:
        """Apply an event of a worker, a `task-sent` or a custom event."""
        if event.type in WORKER_EVENTS:
            self._workers.apply(event, now)
            return
        if not event.uuid or not event.type.startswith("task-"):
            return
        task = self._held.get(event.uuid) or self._tasks.add(event.uuid)
        backend = self._overlay.remove(task) if event.uuid in self._event_states else None
        if event.type == "task-sent":
            self._sent(task, event, now)
        else:
            self._custom(task, event, now)
        if backend is not None:
            self._overlay.reapply(task, backend)
        self._tasks.touch(task)
        task.sources |= FROM_EVENT

    def _sent(self, task: Task, event: Event, now: float) -> None:
        self._totals.sent += 1
        at = event.timestamp
        if task.started_at is not None and replaced_by(task, event):
            self._requeue_replaced(task)
        if task.sent_at is None or at >= task.sent_at:
            task.sent_at = at
            route = delayed_route(event.routing_key)
            name = event.queue if route is None else self._delayed.sent(task.id, now, route)
            if name:
                task.queue = self._queues.shared_name(name)
                # A client sends the event after the message: a worker's may arrive first.
                received = self._workers.take_unattributed(task.worker, task.id)
                if received is not None:
                    self._queues.received(task.queue, task.worker or "", received)
        fill_in(self._tasks, task, event, only_missing=task.received_at is not None)
        client = sys.intern(event.hostname)
        if task.state == PENDING:
            task.state_at, task.state_host = at, client
        self._tasks.set_route(task, client, event.exchange, event.routing_key)

    def _requeue_replaced(self, task: Task) -> None:
        """Let a running task wait for the run that replaces it."""
        worker = self._workers.workers.get(task.worker or "")
        if worker is not None:
            self._workers.ended(worker, task.id)
        self._attempts.keep_replaced(task)
        task.worker = None
        self._tasks.move(task, PENDING, None, None)

    def _received(self, task: Task, event: Event, worker: Worker, now: float) -> None:
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
            self._workers.received_unattributed(worker, task.id, now)
        else:
            self._queues.received(task.queue, worker.name, now)

    def _started(self, task: Task, event: Event, worker: Worker, now: float) -> None:
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

    def _succeeded(self, task: Task, event: Event, worker: Worker, now: float) -> None:
        if task.state == REVOKED and task.extra is not None and task.extra.terminated:
            return
        if not self._end(task, event, worker, SUCCESS):
            return
        if event.result is not None:
            self._tasks.set_result(task, event.result)
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

    def _failed(self, task: Task, event: Event, worker: Worker, now: float) -> None:
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

    def _revoked(self, task: Task, event: Event, worker: Worker, now: float) -> None:
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

    def _rejected(self, task: Task, event: Event, worker: Worker, now: float) -> None:
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

    def _retried(self, task: Task, event: Event, worker: Worker, now: float) -> None:
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

    def _custom(self, task: Task, event: Event, now: float) -> None:
        at = event.timestamp
        if _CLIENT.match(event.hostname):
            host = sys.intern(event.hostname)
        else:
            host = self._workers.saw_event(event.hostname, at, now).name
            if task.worker is None:
                task.worker = host
        state = sys.intern(event.type[len("task-") :].upper()[:MAX_STATE_LENGTH])
        if task.state == RETRY and task.finished_at is not None and at > task.finished_at:
            self._attempts.keep_present(task, task.retries)
            task.retries += 1
        if event.fields:
            self._tasks.add_fields(task, event.fields)
            progress = self._reader.read(task.name, event.fields, at, "event")
            if progress is not None and (task.progress is None or at >= task.progress.at):
                task.progress = progress
                self._progress_rates.add(task, progress.fraction, now)
        # The application may name a custom event `task-success`; it has no effect on the state.
        if state in CELERY_STATES or task.state in FINISHED:
            return
        if supersedes(task, state, at, host):
            if state in FINISHED:
                task.finished_at = at
                if task.worker in self._workers.workers:
                    self._workers.ended(self._workers.workers[task.worker], task.id)
            self._tasks.move(task, state, at, host)
