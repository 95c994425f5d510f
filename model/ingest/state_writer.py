"""How observations change the stores of a cluster's state.

`StateWriter.observe` applies an observation, `take_changes` returns the changes for the views.
Nothing here reads a clock: `now` is the local time in epoch seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from ..entities.changes import Changes
from ..entities.cluster.recorded import RecordedCluster
from ..entities.limits.keep import KEEP
from ..entities.limits.thresholds import Thresholds
from ..entities.task import Task
from ..entities.worker import BEAT_PREFIX
from ..observations import (
    ConnectionChanged,
    ConnectionProved,
    DelayedMeasured,
    EventsDropped,
    FailuresKnown,
    FindingsKnown,
    HistoryRead,
    HistorySearched,
    InspectReply,
    LatencyMeasured,
    LogMessage,
    MemoryMeasured,
    Observation,
    OperationChanged,
    OtherClustersFound,
    OutcomesKnown,
    QuestionsAnswered,
    QuestionsAsked,
    QuestionsFailed,
    QueueGone,
    QueueHeadsKnown,
    QueueMeasured,
    QueuePeeked,
    QueuesPaused,
    ResultsRead,
    ScheduleRead,
    UnackedRead,
    VersionsKnown,
)
from ..operations.commands import PurgeResults
from ..text.coerce import MAX_NAME_LENGTH, to_text
from ..wire.events import Event, EventBatch
from .event_stream import EventStream
from .queues.queue_loads import QueueLoads
from .queues.queue_peeks import QueuePeeks
from .recorded_cluster import restore
from .redaction import Redaction
from .results.backend_overlay import BackendOverlay
from .results.backend_results import BackendResults
from .results.stored_tasks import StoredTasks
from .slowdowns import update_slowdowns
from .stores import Stores
from .tasks.events.task_events import TaskEvents
from .tasks.lost_tasks import update_lost
from .tasks.progress import ProgressReader
from .tasks.progress_rate import ProgressRates
from .tasks.reconciler import Reconciler
from .tasks.store.task_store import MAX_TASKS, MAX_TEXT_BYTES
from .workers.inspect_replies import InspectReplies
from .workers.stalled_workers import find_stalled_workers

TaskEventListener: TypeAlias = Callable[[Event, Task, float], object]
"""Takes a task event, its task, and when the event was received."""


class StateWriter(Stores):
    """All that is known of one cluster, as its one writer applies it.

    `progress_paths` is where tasks report their progress, by pattern of task names
    (`progress.ProgressPaths`); the others are as for `Stores`.
    """

    def __init__(
        self,
        max_tasks: int = MAX_TASKS,
        max_text_bytes: int = MAX_TEXT_BYTES,
        redaction: Redaction | None = None,
        progress_paths: Mapping[str, Mapping[str, str]] | None = None,
        keep: Mapping[str, int] = KEEP,
        thresholds: Thresholds | None = None,
    ) -> None:
        super().__init__(max_tasks, max_text_bytes, redaction, keep, thresholds)
        tasks, workers, queues = self._tasks, self._workers, self._queues
        overlay, reader = BackendOverlay(tasks, workers), ProgressReader(progress_paths)
        rates = self._progress_rates = ProgressRates()
        self._task_events = TaskEvents(
            tasks, workers, queues, self.totals, overlay, reader, rates, self.delayed
        )
        self._apply_events: Callable[[Sequence[Event], float], None] = self._task_events.apply
        self._backend_results = BackendResults(
            tasks, workers, overlay, rates, reader, self.redaction
        )
        self._reconciler = Reconciler(tasks, workers, queues)
        self._inspect_replies = InspectReplies(
            tasks, workers, overlay, self.redaction, self.deploys
        )
        self._queue_peeks = QueuePeeks(tasks, workers, queues, overlay, self.redaction)
        self._stream = EventStream(self.broker, self.totals, self.log)
        self._loads = QueueLoads(self.tasks, self.types, workers, self.queues)
        self._other_changed = False
        self._consumers_versions = (0, 0)
        self._observers = self._handlers()

    def _handlers(self) -> dict[type, Callable[[Any], None]]:
        """Return the method that applies each type of observation."""
        return {
            EventBatch: self._event_batch,
            InspectReply: self._inspect_reply,
            QuestionsAsked: self._questions.asked,
            QuestionsAnswered: self._questions.answered,
            QuestionsFailed: self._questions.failed,
            ConnectionChanged: self._connection_changed,
            ConnectionProved: self._stream.connection_proved,
            LatencyMeasured: self._stream.latency_measured,
            MemoryMeasured: self._stream.memory_measured,
            QueueMeasured: self._queues.measured,
            UnackedRead: self._unacked.apply,
            QueueGone: self._queues.gone,
            DelayedMeasured: self._delayed_measured,
            QueuesPaused: self._queues.paused,
            OtherClustersFound: self._other_clusters_found,
            EventsDropped: self._events_dropped,
            LogMessage: self._log_message,
            OperationChanged: self._operation_changed,
            QueuePeeked: self._queue_peeked,
            ResultsRead: self._results_read,
            HistorySearched: self._searches.add,
            FailuresKnown: self._failures_known,
            FindingsKnown: self._findings_known,
            OutcomesKnown: self._outcomes_known,
            QueueHeadsKnown: self._ages.restore,
            VersionsKnown: self.deploys.restore,
            HistoryRead: StoredTasks(
                self._tasks, self._workers, self.queues, self.totals, self.rates
            ).apply,
            ScheduleRead: self.schedule.apply,
        }

    def observe(self, observation: Observation) -> None:
        """Apply what an I/O thread observed."""
        self._observers[type(observation)](observation)
        self._tasks.evict()
        self._other_changed = True

    def restore(
        self, recorded: RecordedCluster, observed: Iterable[Observation], now: float
    ) -> None:
        """Fill an empty state with what the history recorded.

        It then gets no observations but tasks of the history.

        Args:
            recorded: What was recorded.
            observed: What was last observed of workers, queues and schedule.
            now: Epoch seconds.
        """
        self.recorded = recorded
        for one in observed:
            self.observe(one)
        restore(recorded, now, self.broker, self._workers, self._queues, self._tasks.types)

    def call_on_task_event(self, listener: TaskEventListener) -> None:
        """Call `listener` from now on for each task event, after it was merged into its task.

        It costs time for each event, unlike `take_changes`: only for what has to count them.
        """
        apply, tasks = self._apply_events, self.tasks

        def apply_and_call(events: Sequence[Event], now: float) -> None:
            for event in events:
                apply((event,), now)
                if event.uuid and event.type.startswith("task-"):
                    listener(event, tasks[event.uuid], now)

        self._apply_events = apply_and_call

    def tick(self, now: float) -> None:
        """Update what changes with time alone, such as late workers; call it every second."""
        if self._workers.tick(now, self.broker.listening(now)):
            self._other_changed = True
        if self._stream.log_dropped(now):
            self._other_changed = True
        for id_, worker, loss in self._workers.take_missing(self.broker, now):
            if not self._workers.collected:  # otherwise the collector finds them
                self._tasks.mark_lost_with_worker(id_, worker.name, now, loss)
        self._reconciler.scan(now)
        listening = self.broker.live_since is None or self.broker.phase == "live"
        if find_stalled_workers(self._workers, self.queues, self.log, now, listening):
            self._other_changed = True
        if self._tasks.corrections.log_due(self.log, now):
            self._other_changed = True
        self._progress_rates.forget_ended(self.tasks)
        if self.schedule.entries:
            self.schedule.observed_since = self.broker.listening(now).since
            self.schedule.find_runs(now)
        self._update_consumers()
        self._queues.note_consumers(now)
        if self._loads.update(now):
            self._other_changed = True
        connected = self.totals.first_event_at is not None and listening
        reachable = self.broker.live_since is None or self.broker.is_connected
        if self.series.record(now, connected=connected, reachable=reachable):
            update_slowdowns(self.types.values(), self.series, self.thresholds)

    def take_changes(self) -> Changes:
        """Return what changed since the last call."""
        self._update_consumers()
        changed, evicted = self._tasks.take_changes()
        self.failures.apply(changed.values(), evicted, self._workers.skews)
        update_lost(self.lost, self.types, changed, evicted)
        other, self._other_changed = self._other_changed, False
        return Changes(changed, evicted, other)

    def protect(self, ids: Iterable[str]) -> None:
        """Keep these tasks, such as those marked on the screen, and no longer earlier ones."""
        self._tasks.retention.protect(ids)

    def take_stale_consumers(self, now: float) -> tuple[str, ...]:
        """Return the workers that seem to consume other queues than they reported, once."""
        return self._stale_consumers.take(now)

    def _event_batch(self, batch: EventBatch) -> None:
        events, at = batch.events, batch.at
        self.broker.event_at = at
        totals = self.totals
        before = totals.rated
        if self.redaction.active:
            events = tuple(map(self.redaction.event, events))
        self._apply_events(events, at)
        totals.events += len(events)
        if totals.first_event_at is None:
            totals.first_event_at = at
        # Once per message rather than per event: its events arrived in the same second.
        self.rates.add(at, len(events), before, totals.rated)
        for reason in batch.malformed:
            self._stream.count_malformed(reason, at)

    def _inspect_reply(self, reply: InspectReply) -> None:
        name = to_text(reply.worker, MAX_NAME_LENGTH)
        if not name or name.startswith(BEAT_PREFIX):
            return
        worker = self._workers.saw_reply(name, reply.at)
        if reply.repeated:
            worker.shared_at = reply.at
        before = worker.queues, worker.fact("active_queues").answered_at is None
        self._inspect_replies.apply(reply, worker)
        if reply.requested_ids and reply.error is None and isinstance(reply.reply, Mapping):
            held = [id_ for id_ in reply.requested_ids if id_ in reply.reply]
            self._reconciler.worker_has(worker, held, reply.at)
            self._reconciler.worker_lacks(
                worker, set(reply.requested_ids).difference(held), reply.at
            )
        if reply.command == "active_queues":
            self._questions.version += 1
            self._stale_consumers.replied(worker.name, changed=before[0] != worker.queues)
            if before != (worker.queues, worker.fact("active_queues").answered_at is None):
                self._update_consumers()

    def _connection_changed(self, change: ConnectionChanged) -> None:
        if self._stream.connection_changed(change):
            self._events_missed(change.at)

    def _delayed_measured(self, seen: DelayedMeasured) -> None:
        self.delayed.apply(seen)
        self._queues.set_delayed(self.delayed.by_queue(seen.at))

    def _events_dropped(self, dropped: EventsDropped) -> None:
        self._stream.count_dropped(dropped)
        if dropped.others:
            self._events_missed(dropped.at)

    def _events_missed(self, until: float) -> None:
        self._reconciler.distrust_before(until)
        self.totals.failures_since = until

    def _failures_known(self, known: FailuresKnown) -> None:
        self.failures.remember(known.first_at)
        if known.since is not None:
            self.totals.failures_since = max(known.since, self.totals.failures_since or 0.0)

    def _findings_known(self, known: FindingsKnown) -> None:
        self.earlier_findings = known.began_at

    def _outcomes_known(self, known: OutcomesKnown) -> None:
        for name, outcomes in known.workers.items():
            if (worker := self.workers.get(name)) is not None:
                worker.earlier = outcomes
                worker.version += 1

    def _other_clusters_found(self, found: OtherClustersFound) -> None:
        self.other_clusters = found.clusters

    def _log_message(self, message: LogMessage) -> None:
        self.log.add(message.at, message.level, message.source, message.text)

    def _results_read(self, seen: ResultsRead) -> None:
        self._backend_results.apply(seen)
        self._reconciler.backend_has((meta.id for meta in seen.metas), seen.at)
        self._reconciler.backend_lacks(seen.absent, seen.at)

    def _operation_changed(self, change: OperationChanged) -> None:
        self._operation_log.apply(change)
        if isinstance(change.outcome.operation, PurgeResults) and change.outcome.count:
            self.history.clear()  # the numbers are out of date

    def _queue_peeked(self, seen: QueuePeeked) -> None:
        self._reconciler.left_queue(self._queue_peeks.apply(seen))

    def _update_consumers(self) -> None:
        versions = self._workers.version, self._questions.version
        if versions == self._consumers_versions:
            return
        self._consumers_versions = versions
        present = [
            worker
            for worker in self.workers.values()
            if self._workers.status(worker.name) != "offline"
        ]
        self._queues.set_consumers(present, self._questions.consumers(present))
        self._other_changed = True
