"""Takes a snapshot: the state of the cluster at one moment, as the records of the contract.

Workers and queues are sorted by name, tasks by arrival, oldest first. Texts are not escaped: that
depends on the format.
"""

from __future__ import annotations

from math import isfinite
from typing import Final

from ..model.entities.broker import Broker
from ..model.entities.queue import Queue
from ..model.entities.states import source_names
from ..model.entities.task import Attempt, Progress, Task, TaskExtra
from ..model.entities.worker import Limits, Worker
from ..model.state import ClusterState
from ..model.text.units import iso
from .json import utf8, utf8_or_none
from .notes import notes_on
from .records import (
    SCHEMA,
    AttemptRecord,
    BrokerRecord,
    LimitsRecord,
    ProgressRecord,
    QueueRecord,
    Snapshot,
    TaskRecord,
    TotalsRecord,
    WorkerRecord,
)

RATE_WINDOW: Final = 10
"""Seconds over which the rates in `totals` are averaged."""

_NO_EXTRA: Final = TaskExtra()


def take_snapshot(state: ClusterState, now: float) -> Snapshot:
    """Return the snapshot at `now`, the current time in epoch seconds."""
    listening_since = state.broker.listening_since
    return Snapshot(
        schema=SCHEMA,
        taken_at=iso(now),
        notes=notes_on(state),
        broker=_broker(state.broker),
        totals=_totals(state, now),
        workers=[
            _worker(worker, now, listening_since) for _, worker in sorted(state.workers.items())
        ],
        queues=[_queue(queue) for _, queue in sorted(state.queues.items())],
        tasks=[
            task_record(task, now, state)
            for task in sorted(state.tasks.values(), key=lambda task: task.arrival)
        ],
    )


def _broker(broker: Broker) -> BrokerRecord:
    return BrokerRecord(
        url=utf8(broker.url),
        transport=utf8(broker.transport),
        status=broker.phase,
        error=None if broker.fault is None else utf8(str(broker.fault)),
        latency_s=_number(broker.latency),
        commands_sent=broker.commands_sent,
    )


def _totals(state: ClusterState, now: float) -> TotalsRecord:
    totals, rates = state.totals, state.rates
    return TotalsRecord(
        tasks={utf8(name): count for name, count in sorted(totals.by_state.items())},
        events=totals.events,
        events_lost=totals.lost + totals.lost_heartbeats,
        events_malformed=totals.malformed,
        succeeded_per_s=_number(rates.succeeded.per_second(now, RATE_WINDOW)),
        failed_per_s=_number(rates.failed.per_second(now, RATE_WINDOW)),
        corrected=dict(sorted(totals.corrections.items())),
    )


def _worker(worker: Worker, now: float, listening_since: float) -> WorkerRecord:
    inspected, last_seen_at = worker.inspected_at is not None, worker.last_seen_at
    queues, load, rusage = worker.queues, worker.load, worker.rusage
    return WorkerRecord(
        name=utf8(worker.name),
        status=worker.status(now, listening_since),
        pool=utf8_or_none(worker.pool),
        concurrency=worker.concurrency,
        # Ids follow each event; the number in a heartbeat is up to an interval old.
        active=len(worker.active_ids) if inspected else worker.active,
        reserved=None if worker.reserved_ids is None else len(worker.reserved_ids),
        scheduled=None if worker.scheduled_ids is None else len(worker.scheduled_ids),
        processed=worker.processed,
        queues=None if queues is None else [utf8(queue.name) for queue in queues],
        load=None if load is None else [part for part in load if isfinite(part)],
        heartbeat_age_s=None if last_seen_at is None else _number(max(0.0, now - last_seen_at)),
        pid=worker.pid,
        version=utf8_or_none(worker.software_version),
        prefetch=worker.prefetch,
        rss_bytes=None if rusage is None else rusage.rss_bytes,
        clock_skew_s=_number(worker.clock_skew),
        events_enabled=worker.events_enabled,
        limits=None if worker.initial_limits is None else _limits(worker.limits),
        silent=worker.stalled_since is not None,
    )


def _limits(limits: dict[str, Limits]) -> dict[str, LimitsRecord]:
    return {
        utf8(name): LimitsRecord(utf8_or_none(its.rate), _number(its.soft), _number(its.hard))
        for name, its in sorted(limits.items())
    }


def _queue(queue: Queue) -> QueueRecord:
    return QueueRecord(
        name=utf8(queue.name),
        waiting=queue.waiting,
        unacked=queue.unacked,
        consumers=[utf8(name) for name in queue.consumers],
        by_priority=dict(queue.by_priority),
        oldest_age_s=_number(queue.oldest_age),
        in_per_s=_number(queue.in_per_s),
        out_per_s=_number(queue.out_per_s),
        drain_s=_number(queue.drain),
    )


def task_record(task: Task, now: float, state: ClusterState | None = None) -> TaskRecord:
    """Return the record of one task; durations are corrected by its worker's clock skew.

    Without the model that holds the task, there are neither corrections nor estimates.
    """
    skew = 0.0 if state is None else state.skews.get(task.worker or "", 0.0)
    time_left = None if state is None else state.time_left(task, now)
    estimate = None if state is None else state.estimate(task, now)
    extra = task.extra or _NO_EXTRA
    return TaskRecord(
        id=utf8(task.id),
        name=utf8_or_none(task.name),
        state=utf8(task.state),
        worker=utf8_or_none(task.worker),
        queue=utf8_or_none(task.queue),
        args=utf8_or_none(task.args),
        kwargs=utf8_or_none(task.kwargs),
        result=utf8_or_none(task.result),
        exception=utf8_or_none(task.exception),
        traceback=utf8_or_none(task.traceback),
        sent_at=iso(task.sent_at),
        received_at=iso(task.received_at),
        started_at=iso(task.started_at),
        finished_at=iso(task.finished_at),
        eta_at=iso(task.eta_at),
        expires_at=iso(task.expires_at),
        runtime_s=_number(task.elapsed(now + skew)),
        waited_s=_number(task.waited()),
        retries=task.retries,
        progress=None if task.progress is None else _progress(task.progress),
        attempts=[_attempt(attempt) for attempt in task.attempts],
        root_id=utf8_or_none(task.root_id),
        parent_id=utf8_or_none(task.parent_id),
        group_id=utf8_or_none(task.group_id),
        sources=list(source_names(task.sources)),
        revoke_requested_at=iso(extra.revoke_requested_at) if task.revoking else None,
        retry_of=utf8_or_none(extra.retry_of),
        retried_as=utf8_or_none(extra.retried_as),
        time_left_s=_number(time_left),
        estimate=None if estimate is None else _progress(estimate),
        lost_at=iso(task.lost_at),
        loss=task.loss,
        backend_state=utf8_or_none(extra.backend_state),
    )


def _progress(progress: Progress) -> ProgressRecord:
    return ProgressRecord(
        fraction=_number(progress.fraction),
        current=_number(progress.current),
        total=_number(progress.total),
        text=utf8_or_none(progress.text),
        source=utf8(progress.source),
    )


def _attempt(attempt: Attempt) -> AttemptRecord:
    return AttemptRecord(
        number=attempt.number,
        state=utf8(attempt.state),
        worker=utf8_or_none(attempt.worker),
        received_at=iso(attempt.received_at),
        started_at=iso(attempt.started_at),
        finished_at=iso(attempt.finished_at),
        exception=utf8_or_none(attempt.exception),
        traceback=utf8_or_none(attempt.traceback),
    )


def _number(value: float | None) -> float | None:
    """Return a number that JSON can represent: rounded to 1e-6, and null for infinity."""
    return round(value, 6) if value is not None and isfinite(value) else None
