"""Takes a snapshot: the state of the cluster at one moment, as the records of the contract.

Workers and queues are sorted by name, tasks by arrival, oldest first. Texts are not escaped: that
depends on the format.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite
from operator import attrgetter
from typing import Final, TypeVar

import msgspec

from ...model.entities.broker import Broker, Listening
from ...model.entities.clock_skew import NO_SKEWS
from ...model.entities.limits.keep import KINDS, Kind
from ...model.entities.messages.delayed import times_text
from ...model.entities.messages.unacked import Unacked
from ...model.entities.queue import Queue
from ...model.entities.series.rates import RATE_WINDOW, SecondRing
from ...model.entities.states import source_names
from ...model.entities.task import Task, TaskExtra
from ...model.entities.worker import Limits, Worker
from ...model.health.finding import Finding
from ...model.health.findings import findings
from ...model.ingest.tasks.rate_limited import holding_limit
from ...model.query.language import EVERY_TASK, Query
from ...model.state import ClusterState
from ...model.text.units import iso
from ..encoding.json import utf8, utf8_or_none
from .notes import notes_on
from .records import (
    SCHEMA,
    AttemptRecord,
    BrokerRecord,
    DelayedRecord,
    DueRecord,
    FindingRecord,
    LimitsRecord,
    ProgressRecord,
    QueueRecord,
    Snapshot,
    TaskRecord,
    TotalsRecord,
    UnackedRecord,
    WindowsRecord,
    WorkerRecord,
)

R = TypeVar("R", bound=msgspec.Struct)

_NO_EXTRA: Final = TaskExtra()


def take_snapshot(state: ClusterState, now: float, query: Query = EVERY_TASK) -> Snapshot:
    """Return the snapshot at `now`, the current time in epoch seconds.

    Only its `tasks` are limited by a query.
    """
    listening = state.broker.listening(now)
    workers = sorted(state.workers.values(), key=attrgetter("name"))
    found = findings(state, now)
    return Snapshot(
        schema=SCHEMA,
        taken_at=iso(now),
        notes=notes_on(state, found),
        broker=_broker(state.broker),
        totals=_totals(state, now),
        workers=[worker_record(worker, now, listening) for worker in workers],
        queues=[queue_record(queue, state, now) for _, queue in sorted(state.queues.items())],
        tasks=[
            task_record(task, now, state)
            for task in sorted(state.tasks.values(), key=lambda task: task.arrival)
            if query.matches(task, now)
        ],
        findings=[finding_record(finding) for finding in found],
        windows=_windows(state.kept_since),
        delayed=_delayed(state, now) if state.delayed.exists else None,
    )


def _windows(since: Mapping[Kind, float]) -> WindowsRecord:
    return WindowsRecord(**{f"{kind}_since_at": iso(since.get(kind)) for kind in KINDS})


def _broker(broker: Broker) -> BrokerRecord:
    return _record(
        BrokerRecord,
        broker,
        status=broker.phase,
        error=None if broker.fault is None else utf8(str(broker.fault)),
        latency_s=_number(broker.latency),
    )


def finding_record(finding: Finding) -> FindingRecord:
    """Return the record of a finding."""
    return FindingRecord(
        code=finding.code,
        severity=finding.severity,
        subject=utf8(finding.subject),
        text=utf8(finding.text),
        evidence={
            utf8(name): iso(value) if name.endswith("_at") else _plain(value)
            for name, value in finding.evidence.items()
        },
        next_step=utf8(finding.next_step) or None,
        since_at=iso(finding.since),
        grew_at=iso(finding.grew_at),
    )


def _totals(state: ClusterState, now: float) -> TotalsRecord:
    totals, rates = state.totals, state.rates
    return TotalsRecord(
        tasks={utf8(name): count for name, count in sorted(totals.by_state.items())},
        events=totals.events,
        events_lost=totals.lost + totals.lost_heartbeats,
        events_malformed=totals.malformed,
        succeeded_per_s=_rate(state, rates.succeeded, now),
        failed_per_s=_rate(state, rates.failed, now),
        corrected=dict(sorted(totals.corrections.items())),
    )


def _rate(state: ClusterState, counts: SecondRing, now: float) -> float | None:
    until = state.broker.observed_until(now)
    return _number(counts.per_second(until, RATE_WINDOW)) if state.observed else None


def worker_record(worker: Worker, now: float, listening: Listening) -> WorkerRecord:
    """Return the record of a worker."""
    last_seen_at = worker.last_seen_at or 0.0
    # A worker without a clock skew has sent none, also not on request.
    heartbeats = worker.clock_skew is not None or worker.sends_heartbeats
    queues, load, rusage = worker.queues, worker.load, worker.rusage
    return _record(
        WorkerRecord,
        worker,
        status=worker.status(listening),
        active=worker.running,
        reserved=None if worker.reserved_ids is None else len(worker.reserved_ids),
        scheduled=None if worker.scheduled_ids is None else len(worker.scheduled_ids),
        queues=None if queues is None else [utf8(queue.name) for queue in queues],
        load=None if load is None else [part for part in load if isfinite(part)],
        heartbeat_age_s=_number(max(0.0, now - last_seen_at)) if heartbeats else None,
        version=utf8_or_none(worker.software_version),
        rss_bytes=None if rusage is None else rusage.rss_bytes,
        clock_skew_s=_number(worker.clock_skew),
        limits=None if worker.initial_limits is None else _limits(worker.limits),
        silent=worker.stalled_since is not None,
        failed=None if worker.failed_of_seen is None else worker.failed_of_seen[0],
        uptime_s=_number(worker.uptime_at(now)),
    )


def _limits(limits: dict[str, Limits]) -> dict[str, LimitsRecord]:
    return {
        utf8(name): LimitsRecord(utf8_or_none(its.rate), _number(its.soft), _number(its.hard))
        for name, its in sorted(limits.items())
    }


def queue_record(queue: Queue, state: ClusterState, now: float) -> QueueRecord:
    """Return the record of a queue."""
    consumers = queue.consumers
    return _record(
        QueueRecord,
        queue,
        consumers=None if consumers is None else [utf8(name) for name in consumers],
        by_priority=dict(queue.by_priority),
        oldest_age_s=_number(queue.oldest_age),
        oldest_age_at_least_s=_number(queue.oldest_age_at_least),
        runnable_age_s=_number(queue.runnable_age),
        runnable_age_at_least_s=_number(queue.runnable_age_at_least),
        capacity_per_s=_number(queue.capacity),
        more_slots=queue.more_processes(inf),
        measured_at=iso(queue.measured_at),
        drain_s=_number(queue.drain),
        kind=queue.kind or None,
        bytes=queue.message_bytes,
        held=[_unacked(held, state.is_abandoned(held, now)) for held in queue.held],
    )


def _unacked(held: Unacked, worker_gone: bool | None) -> UnackedRecord:
    return _record(
        UnackedRecord,
        held,
        id=utf8_or_none(held.id or None),
        name=utf8_or_none(held.name or None),
        since_at=iso(held.since),
        redelivery_at=iso(held.redelivered_at),
        worker_gone=worker_gone,
    )


def _delayed(state: ClusterState, now: float) -> DelayedRecord:
    delayed = state.delayed
    times = delayed.due_times(now)
    return DelayedRecord(
        messages=sum(due.messages for due in times),
        due=[
            DueRecord(
                earliest_at=iso(due.earliest),
                latest_at=iso(due.latest),
                messages=due.messages,
                queue=utf8(due.queue) or None,
                undeliverable=due.undeliverable,
            )
            for due in times
        ],
        text=times_text(times, now),
        measured_at=iso(delayed.measured.measured_at),
    )


def task_record(task: Task, now: float, state: ClusterState | None = None) -> TaskRecord:
    """Return the record of one task; durations are corrected by its worker's clock skew.

    Without the model that holds the task, there are neither corrections nor estimates.
    """
    skew = 0.0 if state is None else state.skews.get(task.worker or "", 0.0)
    until = now if state is None else state.broker.observed_until(now)
    time_left = None if state is None else state.time_left(task, now)
    estimate = None if state is None else state.estimate(task, now)
    extra = task.extra or _NO_EXTRA
    progress = task.progress
    return _record(
        TaskRecord,
        task,
        runtime_s=_number(task.elapsed(until + skew)),
        waited_s=_number(task.waited(NO_SKEWS if state is None else state.skews)),
        retries=task.known_retries,
        progress=None if progress is None else _record(ProgressRecord, progress),
        attempts=[_record(AttemptRecord, attempt) for attempt in task.attempts],
        sources=list(source_names(task.sources)),
        revoke_requested_at=iso(extra.revoke_requested_at) if task.revoking else None,
        retry_of=utf8_or_none(extra.retry_of),
        retried_as=utf8_or_none(extra.retried_as),
        time_left_s=_number(time_left),
        estimate=None if estimate is None else _record(ProgressRecord, estimate),
        redelivery_at=iso(None if state is None else state.redelivery_at(task)),
        held_by_rate_limit=utf8_or_none(_held_by(task, now, state)),
        backend_state=utf8_or_none(extra.backend_state),
        created_at=iso(extra.created_at),
        periodic_task_name=utf8_or_none(extra.periodic_task_name),
    )


def _held_by(task: Task, now: float, state: ClusterState | None) -> str | None:
    worker = None if state is None else state.workers.get(task.worker or "")
    if worker is None:
        return None
    return holding_limit(task, worker, now + (worker.clock_skew or 0.0))


def _record(record: type[R], source: object, **given: object) -> R:
    """Return a record of some given fields and, for all others, the source's of the same name."""
    for name in record.__struct_fields__:
        if name not in given:
            value = getattr(source, name)
            given[name] = iso(value) if name.endswith("_at") else _plain(value)
    return record(**given)


def _plain(value: object) -> object:
    if isinstance(value, str):
        return utf8(value)
    return _number(value) if isinstance(value, float) else value


def _number(value: float | None) -> float | None:
    """Return a number that JSON can represent: rounded to 1e-6, and null for infinity."""
    return round(value, 6) if value is not None and isfinite(value) else None
