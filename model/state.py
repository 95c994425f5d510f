"""What is known of a cluster: one writer applies what I/O threads observed, readers look.

`ClusterState.apply` takes an event, `observe` anything that I/O hands over, and `take_changes`
tells a view what is different. Nothing here reads a clock: `now` is our clock at the moment of
receipt, epoch seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from .entities.broker import Broker
from .entities.changes import Changes as Changes
from .entities.clock_skew import ClockSkews
from .entities.log import EventLog
from .entities.queue import Queue
from .entities.task import Progress, Task
from .entities.task_type import TaskType
from .entities.totals import Rates, Totals
from .entities.worker import Worker
from .ingest.backend_overlay import BackendOverlay
from .ingest.backend_results import BackendResults
from .ingest.failure_groups import FailureGroups
from .ingest.inspect_replies import InspectReplies
from .ingest.lost_tasks import update_lost
from .ingest.operation_log import OperationLog
from .ingest.pace import ProgressRates, estimate
from .ingest.progress import ProgressReader
from .ingest.queue_peeks import QueuePeeks
from .ingest.queue_store import QueueStore
from .ingest.reconciler import Reconciler
from .ingest.redaction import Redaction
from .ingest.stalled_workers import find_stalled_workers
from .ingest.task_events import TaskEvents
from .ingest.task_store import MAX_TASKS, MAX_TEXT_BYTES, TaskStore
from .ingest.worker_store import WorkerStore
from .observations import (
    ConnectionChanged,
    EventsDropped,
    Fault,
    InspectReply,
    InspectTimeout,
    LatencyMeasured,
    LogMessage,
    Observation,
    OperationChanged,
    QueueGone,
    QueueMeasured,
    QueuePeeked,
    ResultsRead,
)
from .operations.outcome import Outcome
from .text.coerce import MAX_NAME_LENGTH, to_text
from .wire.events import TASK_EVENTS, WORKER_EVENTS, Event, EventBatch
from .wire.signatures import PendingSignature

BEAT_PREFIX: Final = "celerybeat@"
"""How beat names itself (Celery 5.7): it answers to a ping, but runs no tasks and is no worker."""

MAX_MALFORMED_REASONS: Final = 50
LOSS_LOG_INTERVAL: Final = 10.0
"""Seconds between two lines about lost events; the counter in `totals` is exact at any time."""


class ClusterState:
    """Tasks, workers, queues and types of one cluster.

    Args:
        max_tasks: How many tasks to hold.
        max_text_bytes: How much memory their texts may take.
        redaction: Masks arguments, results and errors before they are kept.
        progress_paths: Where tasks tell their progress, by pattern of their names
            (`progress.Paths`).
    """

    def __init__(
        self,
        max_tasks: int = MAX_TASKS,
        max_text_bytes: int = MAX_TEXT_BYTES,
        redaction: Redaction | None = None,
        progress_paths: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.redaction = redaction or Redaction()
        self.totals = Totals()
        self.rates = Rates()
        self.log = EventLog()
        self.broker = Broker()
        self._tasks = TaskStore(self.totals, max_tasks, max_text_bytes)
        self._workers = WorkerStore(self.log)
        self._queues = QueueStore(self._workers.workers)
        overlay, reader = BackendOverlay(self._tasks, self._workers), ProgressReader(progress_paths)
        self._progress_rates = ProgressRates()
        self._task_events = TaskEvents(
            self._tasks,
            self._workers,
            self._queues,
            self.totals,
            overlay,
            reader,
            self._progress_rates,
        )
        self._backend_results = BackendResults(
            self._tasks, self._workers, overlay, self._progress_rates, reader, self.redaction
        )
        self._reconciler = Reconciler(self._tasks, self._workers, self._queues.queues)
        self._inspect_replies = InspectReplies(self._tasks, overlay, self.redaction)
        self._operation_log = OperationLog(
            self.log, self._tasks, self._queues, self._workers.workers, self.redaction
        )
        self._queue_peeks = QueuePeeks(self._tasks, self._queues, self.redaction)
        self._other_changed = False
        self._workers_version = 0
        self._dropped_logged_at = float("-inf")
        self._dropped_unlogged = 0
        self._fault_logged: Fault | None = None
        self.tasks: dict[str, Task] = self._tasks.tasks
        """By id, in order of arrival."""
        self.workers: dict[str, Worker] = self._workers.workers
        self.queues: dict[str, Queue] = self._queues.queues
        self.types: dict[str, TaskType] = self._tasks.types
        self.failures = FailureGroups()
        """What fails, grouped; brought up to date by `take_changes`."""
        self.lost: dict[str, Task] = {}
        """The tasks that nobody is known to run any more; brought up to date by `take_changes`."""
        self.operations: dict[int, Outcome] = self._operation_log.outcomes
        """What this session did or does, by the number of the act; the newest last."""
        self._observers: dict[type, Callable[[Any, float], None]] = {
            EventBatch: self._apply_batch,
            InspectReply: self._apply_reply,
            InspectTimeout: self._apply_timeout,
            ConnectionChanged: self._connection_changed,
            LatencyMeasured: self._latency_measured,
            QueueMeasured: self._queue_measured,
            QueueGone: self._queue_gone,
            EventsDropped: self._count_dropped,
            LogMessage: self._add_log_message,
            OperationChanged: self._operation_changed,
            QueuePeeked: self._queue_peeked,
            ResultsRead: self._results_read,
        }

    def apply(self, event: Event, now: float) -> None:
        """Apply an event that was heard at `now`."""
        self._apply((event,), now)
        self._other_changed = True

    def observe(self, observation: Observation, now: float) -> None:
        """Apply what an I/O thread observed; `now` is the time of applying it."""
        self._observers[type(observation)](observation, now)
        self._other_changed = True

    def tick(self, now: float) -> None:
        """Judge what changes by time alone: whether workers are late. Call it once a second."""
        if self._workers.tick(now, self.broker.listening_since):
            self._other_changed = True
        self._log_dropped(now)
        for id_, worker, loss in self._workers.take_missing(now):
            self._tasks.mark_lost_with_worker(id_, worker.name, now, loss)
        self._reconciler.scan(now)
        disconnected = self.broker.listening_since > now
        if find_stalled_workers(self._workers, self.queues, self.log, now, disconnected):
            self._other_changed = True
        if self._tasks.corrections.log_due(self.log, now):
            self._other_changed = True
        self._progress_rates.forget_ended(self.tasks)
        self._update_consumers()

    def take_changes(self) -> Changes:
        """Return what changed since the last call."""
        self._update_consumers()
        changed, evicted = self._tasks.take()
        self.failures.apply(changed.values(), evicted)
        update_lost(self.lost, changed, evicted)
        other, self._other_changed = self._other_changed, False
        return Changes(changed, evicted, other)

    def related(self, task: Task, most: int | None = None) -> list[Task]:
        """Return the held tasks of the same workflow: root, parent, children and siblings."""
        return self._tasks.related(task, most)

    @property
    def pending_signatures(self) -> Mapping[str, tuple[PendingSignature, ...]]:
        """What waiting messages say will follow their tasks, by these tasks' ids."""
        return self._queue_peeks.pending_signatures

    def family(self, root_id: str) -> Mapping[str, Task]:
        """Return the held tasks below a root, by id."""
        return self._tasks.family(root_id)

    def group(self, group_id: str) -> Mapping[str, Task]:
        """Return the held members of a group, by id."""
        return self._tasks.group(group_id)

    def skew(self, host: str | None) -> float:
        """Return the seconds that a host's clock is ahead of ours; 0 where that is not known.

        Subtract it from a time that the host told (`Task.state_at` is by `Task.state_host`, what a
        worker did by `Task.worker`) to have it by our clock.
        """
        return self._workers.skew(host)

    @property
    def skews(self) -> ClockSkews:
        """Seconds that workers' clocks are ahead of ours, of those where it is enough to matter.

        Another mapping once one of them changes.
        """
        return self._workers.skews

    def rate(self, task: Task) -> float | None:
        """Return the share of a running task (0 to 1) that is done per second; None if unknown."""
        pace = self._progress_rates.of(task)
        return None if pace is None else pace.rate()

    def time_left(self, task: Task, now: float) -> float | None:
        """Return the seconds until a running task's bar is full, by its own history, or None."""
        pace = self._progress_rates.of(task)
        return None if pace is None else pace.left(now)

    def estimate(self, task: Task, now: float) -> Progress | None:
        """Return how far a task that tells nothing may have come, by what others of its type took.

        Its `source` is `estimate`; None until there are enough of those.
        """
        return estimate(task, self.types.get(task.name or ""), now, self.skew(task.worker))

    def tasks_to_check(self, now: float) -> tuple[str, ...]:
        """Return ids of tasks that may not be what they seem, at most a hundred.

        Somebody should ask the result backend and the workers for them (`ResultsRead`, and
        `InspectReply` to `query_task`); each stays among them until an answer comes.
        """
        return self._reconciler.due(now)

    def present_workers(self, now: float) -> tuple[str, ...]:
        """Return who would hear a command now: all that are not offline, by name."""
        since = self.broker.listening_since
        return tuple(
            sorted(
                name
                for name, worker in self.workers.items()
                if not name.startswith(BEAT_PREFIX) and worker.status(now, since) != "offline"
            )
        )

    def _apply(self, events: tuple[Event, ...], at: float) -> None:
        totals = self.totals
        received, succeeded = totals.received, totals.succeeded
        failed, retried = totals.failed, totals.retried
        merge = self._task_events.apply
        if self.redaction.active:
            events = tuple(map(self.redaction.event, events))
        for event in events:
            type_ = event.type
            if type_ in TASK_EVENTS:
                merge(event, at)
            elif type_ in WORKER_EVENTS:
                self._workers.apply(event, at)
            elif type_.startswith("task-") and event.uuid:
                merge(event, at)
            elif not type_.startswith("worker-"):
                totals.ignored += 1
        totals.events += len(events)
        # Once for a message, not for an event: all of one message arrived in the same second.
        rates = self.rates
        rates.events.add(at, len(events))
        rates.received.add(at, totals.received - received)
        rates.succeeded.add(at, totals.succeeded - succeeded)
        rates.failed.add(at, totals.failed - failed)
        rates.retried.add(at, totals.retried - retried)
        self._tasks.evict()

    def _apply_batch(self, heard: EventBatch, now: float) -> None:
        self._apply(heard.events, heard.at)
        for reason in heard.malformed:
            self._count_malformed(reason, heard.at)

    def _count_malformed(self, reason: str, at: float) -> None:
        self.totals.malformed += 1
        reasons = self.totals.malformed_reasons
        if reason not in reasons:
            if len(reasons) >= MAX_MALFORMED_REASONS:
                reason = "other"
            else:
                text = f"an event could not be read: {reason}; more like it are only counted"
                self.log.add(at, "warning", "events", text)
        reasons[reason] = reasons.get(reason, 0) + 1

    def _apply_reply(self, answer: InspectReply, now: float) -> None:
        name = to_text(answer.worker, MAX_NAME_LENGTH)
        if not name or name.startswith(BEAT_PREFIX):
            return
        worker = self._workers.learn(name, answer.at)
        before = worker.queues
        self._inspect_replies.apply(answer, worker)
        if answer.asked and answer.error is None and isinstance(answer.reply, Mapping):
            held = [id_ for id_ in answer.asked if id_ in answer.reply]
            self._reconciler.held(worker, held, answer.at)
            self._reconciler.denied(worker, set(answer.asked).difference(held), answer.at)
        self._tasks.evict()
        if worker.queues != before:
            self._workers.version += 1
            self._update_consumers()

    def _apply_timeout(self, silent: InspectTimeout, now: float) -> None:
        for name in silent.workers:
            worker = self.workers.get(name)
            if worker is not None:
                worker.inspect_error = f"{silent.command}: no answer"
                worker.version += 1

    def _connection_changed(self, change: ConnectionChanged, now: float) -> None:
        broker = self.broker
        before = broker.phase
        broker.fault = change.fault
        broker.url = broker.url if change.url is None else change.url
        broker.transport = broker.transport if change.transport is None else change.transport
        broker.retry_at = None if change.retry_in is None else change.at + change.retry_in
        broker.version += 1
        if change.phase == "live":
            if before != "live":
                self._log_live(change.at)
                self._fault_logged = None
                broker.live_since = change.at
                if broker.lost_at is not None:
                    self._reconciler.distrust_before(change.at)
        else:
            if before == "live":
                broker.lost_at = change.at
            broker.live_since = None
            why = f": {change.fault}" if change.fault is not None else ""
            if before == "live":
                self.log.add(change.at, "error", "broker", f"lost{why}")
            elif change.fault is not None and change.fault != self._fault_logged:
                self.log.add(change.at, "warning", "broker", f"not connected{why}")
            self._fault_logged = change.fault or self._fault_logged
        if before != change.phase or broker.since is None:
            broker.phase = change.phase
            broker.since = change.at

    def _log_live(self, at: float) -> None:
        self.log.add(at, "info", "broker", "connected")
        if self.broker.lost_at is not None:
            gap = max(0.0, at - self.broker.lost_at)
            text = f"a gap of {gap:.0f} s: events sent in it were not heard"
            self.log.add(at, "warning", "broker", text)

    def _latency_measured(self, measured: LatencyMeasured, now: float) -> None:
        self.broker.latency = measured.seconds
        self.broker.commands_sent = measured.commands_sent
        self.broker.version += 1

    def _queue_measured(self, seen: QueueMeasured, now: float) -> None:
        self._queues.measured(seen)

    def _queue_gone(self, gone: QueueGone, now: float) -> None:
        self._queues.gone(gone.name, gone.at)

    def _count_dropped(self, lost: EventsDropped, now: float) -> None:
        self.totals.lost += lost.others
        self.totals.lost_heartbeats += lost.heartbeats
        self._dropped_unlogged += lost.others
        if lost.others:
            self._reconciler.distrust_before(lost.at)
        self._log_dropped(lost.at)

    def _log_dropped(self, at: float) -> None:
        if self._dropped_unlogged and at - self._dropped_logged_at >= LOSS_LOG_INTERVAL:
            text = (
                f"{self._dropped_unlogged:,} events dropped: they came faster than they were read"
            )
            self.log.add(at, "error", "events", text)
            self._dropped_logged_at = at
            self._dropped_unlogged = 0
            self._other_changed = True

    def _add_log_message(self, noted: LogMessage, now: float) -> None:
        self.log.add(noted.at, noted.level, noted.source, noted.text)

    def _operation_changed(self, change: OperationChanged, now: float) -> None:
        self._operation_log.apply(change)
        self._tasks.evict()

    def _queue_peeked(self, seen: QueuePeeked, now: float) -> None:
        self._queue_peeks.apply(seen)
        self._tasks.evict()

    def _results_read(self, seen: ResultsRead, now: float) -> None:
        self._backend_results.apply(seen)
        self._reconciler.found((meta.id for meta in seen.metas), seen.at)
        self._reconciler.absent(seen.absent, seen.at)
        self._tasks.evict()

    def _update_consumers(self) -> None:
        if self._workers.version == self._workers_version:
            return
        self._workers_version = self._workers.version
        self._queues.set_consumers(
            worker
            for worker in self.workers.values()
            if self._workers.status(worker.name) != "offline"
        )
        self._other_changed = True
