"""Why a value in a snapshot is null, or not what it seems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isinf

from ..model.entities.queue import Queue
from ..model.entities.worker import Worker
from ..model.state import ClusterState
from .records import Note


def notes_on(state: ClusterState) -> list[Note]:
    """Return the notes on broker, events, tasks, workers and queues, in that order."""
    notes = [Note("broker", text) for text in _broker(state)]
    notes += [Note("events", text) for text in _events(state)]
    notes += [Note("tasks", text) for text in _tasks(state)]
    for name, worker in sorted(state.workers.items()):
        notes += [Note(f"worker {_shown(name)}", _shown(text)) for text in _worker(worker)]
    for name, queue in sorted(state.queues.items()):
        notes += [Note(f"queue {_shown(name)}", _shown(text)) for text in _queue(queue)]
    return notes


def _broker(state: ClusterState) -> Iterator[str]:
    broker = state.broker
    if broker.phase == "lost":
        yield "the connection is lost: everything below is as of before"
    elif broker.phase == "connecting":
        yield "there is no connection yet"
    elif broker.lost_at is not None:
        yield "events sent during an earlier loss of the connection were not heard"
    if broker.latency is None:
        yield "latency_s unknown: not measured yet"


def _events(state: ClusterState) -> Iterator[str]:
    totals = state.totals
    if totals.lost or totals.lost_heartbeats:
        yield (
            f"{totals.lost:,} events and {totals.lost_heartbeats:,} heartbeats were dropped: they "
            "came faster than they were read; states and counts may be behind"
        )
    for reason, count in totals.malformed_reasons.items():
        yield f"{count:,} could not be read: {_shown(reason)}"


def _tasks(state: ClusterState) -> Iterator[str]:
    totals = state.totals
    if totals.evicted:
        yield f"{totals.evicted:,} tasks were forgotten to stay within the limits of memory"
    if state.tasks:
        yield "a field is null where no source told it: each task lists its sources"
    lost = sum(1 for task in state.tasks.values() if task.lost_at is not None)
    if lost:
        yield f"{lost:,} ended unheard: their workers run them no more, runtime_s is unknown"
    nameless = sum(1 for task in state.tasks.values() if task.name is None)
    if nameless:
        yield f"{nameless:,} have no name: their task-received was not heard"


def _worker(worker: Worker) -> Iterator[str]:
    if worker.inspect_error is not None:
        unasked = worker.inspect_error
    elif worker.inspected_at is None:
        unasked = "it has not answered to inspect yet"
    else:
        unasked = "it did not tell"
    told_by_inspect = {
        "pool": worker.pool,
        "concurrency": worker.concurrency,
        "active": worker.active if worker.inspected_at is None else 0,
        "reserved": worker.reserved_ids,
        "scheduled": worker.scheduled_ids,
        "queues": worker.queues,
        "prefetch": worker.prefetch,
        "rss_bytes": worker.rusage,
        "limits": worker.initial_limits,
    }
    if missing := _missing(told_by_inspect):
        yield f"{missing} unknown: {unasked}"
    elif worker.inspect_error is not None:
        yield f"inspect failed: {worker.inspect_error}"
    told_by_heartbeat = {
        "processed": worker.processed,
        "load": worker.load,
        "heartbeat_age_s": worker.last_seen_at,
        "pid": worker.pid,
        "version": worker.software_version,
        "clock_skew_s": worker.clock_skew,
    }
    if missing := _missing(told_by_heartbeat):
        yield f"{missing} unknown: no heartbeat was heard"
    if worker.events_enabled is None:
        yield "events_enabled unknown: no task event of it was heard and it confirmed nothing"
    elif not worker.events_enabled:
        yield "it sends no task events: its tasks are known from inspect only"


def _queue(queue: Queue) -> Iterator[str]:
    yield from queue.notes
    told_rates = any(note.startswith("rates") for note in queue.notes)
    told_depths = any(not note.startswith("rates") for note in queue.notes)
    if queue.measured_at is None:
        yield "waiting, unacked, oldest_age_s, in_per_s, out_per_s, drain_s unknown: not measured"
        return
    depths = {"waiting": queue.waiting, "unacked": queue.unacked}
    if (missing := _missing(depths)) and not told_depths:
        yield f"{missing} unknown: this broker does not tell"
    if queue.oldest_age is None:
        yield _oldest_age(queue)
    rates = {"in_per_s": queue.in_per_s, "out_per_s": queue.out_per_s}
    if (missing := _missing(rates)) and not told_rates:
        why = "waiting is unknown" if queue.waiting is None else "measured too few times yet"
        yield f"{missing} unknown: {why}"
    drain = queue.drain
    if drain is None:
        yield "drain_s unknown: it follows from waiting and the rates"
    elif isinf(drain):
        yield "drain_s: never, at the present rates"
    if queue.consumer_count and not queue.consumers:
        yield f"consumers: {queue.consumer_count} by the broker's count, their names are unknown"
    elif queue.unattended:
        yield "nobody consumes it"


def _oldest_age(queue: Queue) -> str:
    if queue.waiting is None:
        return "oldest_age_s unknown: waiting is unknown"
    if queue.waiting == 0:
        return "oldest_age_s: nothing waits"
    return "oldest_age_s unknown: messages do not tell when they were sent"


def _missing(values: Mapping[str, object]) -> str:
    return ", ".join(name for name, value in values.items() if value is None)


def _shown(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
