"""Taking a snapshot: all that is known of a cluster at one moment, as the records of the contract.

Workers and queues come by name, tasks in the order in which celtop learned of them, the oldest
first. Texts of tasks are as they came, after redaction: escaping them is up to the format.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Final, TypeAlias

from ..model.entities.broker import Broker
from ..model.entities.queue import Queue
from ..model.entities.states import source_names
from ..model.entities.task import Attempt, Progress, Task, TaskExtra
from ..model.entities.worker import Limits, Worker
from ..model.state import ClusterState
from ..model.text.units import iso
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
"""Seconds over which the rates under `totals` are means."""

_NO_EXTRA: Final = TaskExtra()

Redact: TypeAlias = Callable[[str], str]


def take(state: ClusterState, now: float, redact: Redact | None = None) -> Snapshot:
    """Return what is known at `now` (epoch seconds).

    Args:
        state: The model.
        now: The time, by our clock.
        redact: Applied to each text that a task carries: arguments, results, errors, progress.
    """
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
            task_record(
                task,
                now,
                redact,
                state.time_left(task, now),
                state.estimate(task, now),
                state.skews.get(task.worker or "", 0.0),
            )
            for task in sorted(state.tasks.values(), key=lambda task: task.arrival)
        ],
    )


def _broker(broker: Broker) -> BrokerRecord:
    return BrokerRecord(
        url=_text(broker.url),
        transport=_text(broker.transport),
        status=broker.phase,
        error=None if broker.fault is None else _text(str(broker.fault)),
        latency_s=_number(broker.latency),
        commands_sent=broker.commands_sent,
    )


def _totals(state: ClusterState, now: float) -> TotalsRecord:
    totals, rates = state.totals, state.rates
    return TotalsRecord(
        tasks={_text(name): count for name, count in sorted(totals.by_state.items())},
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
        name=_text(worker.name),
        status=worker.status(now, listening_since),
        pool=_maybe(worker.pool),
        concurrency=worker.concurrency,
        # Ids follow each event; the number in a heartbeat is up to an interval old.
        active=len(worker.active_ids) if inspected else worker.active,
        reserved=None if worker.reserved_ids is None else len(worker.reserved_ids),
        scheduled=None if worker.scheduled_ids is None else len(worker.scheduled_ids),
        processed=worker.processed,
        queues=None if queues is None else [_text(queue.name) for queue in queues],
        load=None if load is None else [part for part in load if isfinite(part)],
        heartbeat_age_s=None if last_seen_at is None else _number(max(0.0, now - last_seen_at)),
        pid=worker.pid,
        version=_maybe(worker.software_version),
        prefetch=worker.prefetch,
        rss_bytes=None if rusage is None else rusage.rss_bytes,
        clock_skew_s=_number(worker.clock_skew),
        events_enabled=worker.events_enabled,
        limits=None if worker.initial_limits is None else _limits(worker.limits),
        silent=worker.stalled_since is not None,
    )


def _limits(limits: dict[str, Limits]) -> dict[str, LimitsRecord]:
    return {
        _text(name): LimitsRecord(_maybe(its.rate), _number(its.soft), _number(its.hard))
        for name, its in sorted(limits.items())
    }


def _queue(queue: Queue) -> QueueRecord:
    return QueueRecord(
        name=_text(queue.name),
        waiting=queue.waiting,
        unacked=queue.unacked,
        consumers=[_text(name) for name in queue.consumers],
        by_priority=dict(queue.by_priority),
        oldest_age_s=_number(queue.oldest_age),
        in_per_s=_number(queue.in_per_s),
        out_per_s=_number(queue.out_per_s),
        drain_s=_number(queue.drain),
    )


def task_record(
    task: Task,
    now: float,
    redact: Redact | None = None,
    time_left: float | None = None,
    estimate: Progress | None = None,
    skew: float = 0.0,
) -> TaskRecord:
    """Return what is known of one task.

    Args:
        task: The task.
        now: As of `take`.
        redact: As of `take`.
        time_left: `ClusterState.time_left` of it.
        estimate: `ClusterState.estimate` of it.
        skew: Seconds that its worker's clock is ahead of ours (`ClusterState.skews`). Times stay
            by that clock, what has elapsed is true.
    """
    redact = redact or _unchanged
    extra = task.extra or _NO_EXTRA
    return TaskRecord(
        id=_text(task.id),
        name=_maybe(task.name),
        state=_text(task.state),
        worker=_maybe(task.worker),
        queue=_maybe(task.queue),
        args=_told(task.args, redact),
        kwargs=_told(task.kwargs, redact),
        result=_told(task.result, redact),
        exception=_told(task.exception, redact),
        traceback=_told(task.traceback, redact),
        sent_at=iso(task.sent_at),
        received_at=iso(task.received_at),
        started_at=iso(task.started_at),
        finished_at=iso(task.finished_at),
        eta_at=iso(task.eta_at),
        expires_at=iso(task.expires_at),
        runtime_s=_number(task.elapsed(now + skew)),
        waited_s=_number(task.waited()),
        retries=task.retries,
        progress=None if task.progress is None else _progress(task.progress, redact),
        attempts=[_attempt(attempt, redact) for attempt in task.attempts],
        root_id=_maybe(task.root_id),
        parent_id=_maybe(task.parent_id),
        group_id=_maybe(task.group_id),
        sources=list(source_names(task.sources)),
        revoke_requested_at=iso(extra.revoke_requested_at) if task.revoking else None,
        retry_of=_maybe(extra.retry_of),
        retried_as=_maybe(extra.retried_as),
        time_left_s=_number(time_left),
        estimate=None if estimate is None else _progress(estimate, redact),
        lost_at=iso(task.lost_at),
        loss=task.loss,
        backend_state=_maybe(extra.backend_state),
    )


def _progress(progress: Progress, redact: Redact) -> ProgressRecord:
    return ProgressRecord(
        fraction=_number(progress.fraction),
        current=_number(progress.current),
        total=_number(progress.total),
        text=_told(progress.text, redact),
        source=_text(progress.source),
    )


def _attempt(attempt: Attempt, redact: Redact) -> AttemptRecord:
    return AttemptRecord(
        number=attempt.number,
        state=_text(attempt.state),
        worker=_maybe(attempt.worker),
        received_at=iso(attempt.received_at),
        started_at=iso(attempt.started_at),
        finished_at=iso(attempt.finished_at),
        exception=_told(attempt.exception, redact),
        traceback=_told(attempt.traceback, redact),
    )


def _number(value: float | None) -> float | None:
    """Return a number that JSON can hold: to the microsecond, and null for infinity."""
    return round(value, 6) if value is not None and isfinite(value) else None


def _text(text: str) -> str:
    """Return a text that UTF-8 can hold: a lone surrogate is spelt out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _maybe(text: str | None) -> str | None:
    return None if text is None else _text(text)


def _told(text: str | None, redact: Redact) -> str | None:
    return None if text is None else _text(redact(text))


def _unchanged(text: str) -> str:
    return text
