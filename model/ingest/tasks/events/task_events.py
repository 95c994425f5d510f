"""Applies task events: usual ones in a short way, others to what is known of their task.

A worker's events come in messages of one worker, in its order; those of clients and custom events
come between them. The overlay of the result backend is lifted while an event is applied.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from ....entities.cluster.totals import Totals
from ....entities.messages.delayed import delayed_route
from ....entities.states import (
    CELERY_STATES,
    FINISHED,
    FROM_EVENT,
    PENDING,
    RETRY,
)
from ....entities.task import Task
from ....entities.worker import Worker
from ....wire.events import WORKER_EVENTS, Event
from ...queues.delayed_messages import DelayedMessages
from ...queues.queue_store import QueueStore
from ...results.backend_overlay import BackendOverlay
from ...workers.worker_store import WorkerStore
from ..progress import ProgressReader
from ..progress_rate import ProgressRates
from ..store.task_store import TaskStore
from .attempts import Attempts
from .event_fields import fill_in
from .event_order import (
    replaced_by,
    supersedes,
)
from .run_events import RunEvents
from .usual_events import UsualEvents

MAX_STATE_LENGTH: Final = 64
"""Characters of a custom state's name."""

_NO_WORKER: Final = Worker("")
_CLIENT: Final = re.compile(r"gen\d+@")
"""Celery's node name of a process that is not a worker."""

Handler: TypeAlias = Callable[[Task, Event, Worker, float], None]
UsualHandler: TypeAlias = Callable[[Task | None, Event, Worker, float], bool]


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
        self._usual = usual = UsualEvents(tasks, workers, queues, totals)
        run = RunEvents(tasks, workers, queues, totals, self._attempts)
        self._handlers: dict[str, tuple[UsualHandler | None, Handler]] = {
            "task-received": (usual.received, run.received),
            "task-started": (usual.started, run.started),
            "task-succeeded": (usual.succeeded, run.succeeded),
            "task-failed": (None, run.failed),
            "task-retried": (None, run.retried),
            "task-revoked": (None, run.revoked),
            "task-rejected": (None, run.rejected),
        }

    def apply(self, events: Iterable[Event], now: float) -> None:
        """Apply events in their order, received at `now` by the local clock."""
        # Looked up once, not per event: a large cluster sends tens of thousands a second.
        held, changed, workers = self._held, self._changed, self._known_workers
        handlers, count_usual = self._handlers, self._usual.count
        host, worker = "", _NO_WORKER
        for event in events:
            found = handlers.get(event.type)
            id_ = event.uuid
            if found is None or id_ is None:
                count_usual(now)
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
                count_usual(now)
                task = task or self._tasks.add(id_)
                self._apply_unusual(handler, task, event, worker, now)
            elif task is None:
                continue
            task.version += 1
            if not task.sources & FROM_EVENT:
                task.sources |= FROM_EVENT
            changed[id_] = task
        count_usual(now)

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
            if event.retries or (task.extra is not None and task.extra.sent_retries):
                task.set_extra(sent_retries=event.retries or 0)
            route = delayed_route(event.routing_key)
            name = event.queue if route is None else self._delayed.sent(task.id, now, route)
            if name:
                task.queue = self._queues.shared_name(name)
                # A client sends the event after the message: a worker's may arrive first.
                received = self._workers.unattributed.take(task.worker, task.id)
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
            self._tasks.texts.add_fields(task, event.fields)
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
