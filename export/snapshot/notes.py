"""The notes of a snapshot: why a value is null, or not what it seems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import inf, isinf
from typing import TypeVar

from ...model.entities.cluster.recorded import RecordedCluster
from ...model.entities.fact import NEVER_ASKED
from ...model.entities.queue import Queue
from ...model.entities.worker import Worker
from ...model.health.finding import Finding
from ...model.state import ClusterState
from ...model.text.phrases import counted, named
from ...model.text.units import iso
from ..encoding.json import utf8
from .records import Note

T = TypeVar("T")


def notes_on(state: ClusterState, found: Iterable[Finding]) -> list[Note]:
    """Return the findings as notes, then notes on broker, events, tasks, workers and queues."""
    notes = [Note(utf8(finding.subject), utf8(str(finding))) for finding in found]
    if state.recorded is not None:
        return [*notes, *_recorded(state.recorded)]
    notes += [Note("broker", text) for text in _broker(state)]
    notes += [Note("events", text) for text in _events(state)]
    notes += [Note("tasks", text) for text in (*_tasks(state), *_history(state))]
    notes += _shared("worker", state.workers, _worker)
    if not state.queues and state.fact("depths") == NEVER_ASKED:
        notes.append(Note("queues", "unknown: not measured yet"))
    notes += _shared("queue", state.queues, _queue)
    return notes


def source_note(recorded: RecordedCluster) -> Note:
    """Return the note that a state was read from the history."""
    at = iso(recorded.at)
    return Note("broker", f"not connected: this is from the history, last written at {at}")


def _recorded(recorded: RecordedCluster) -> Iterator[Note]:
    """Yield the notes on a state that was read from the history."""
    yield source_note(recorded)
    yield Note("events", "succeeded_per_s, failed_per_s unknown: not connected")
    yield Note(
        "tasks", "finished tasks of the history only; tasks that have not ended are left out"
    )
    yield Note(
        "workers",
        "as they were last observed, heartbeat_age_s before now; failed counts the last recorded "
        "hour; fields that are null are not in the history",
    )
    yield Note(
        "queues",
        "as they were last measured, at measured_at; in_per_s and out_per_s are those of the last "
        "recorded minute; fields that are null are not in the history",
    )
    yield Note(
        "types",
        "received, succeeded, failed, retried and revoked count all that the history has; states, "
        "tasks and run times are those of the stored tasks that were loaded",
    )


def _shared(
    noun: str, items: Mapping[str, T], notes_of: Callable[[T], Iterable[str]]
) -> Iterator[Note]:
    """Return the notes on workers or queues; a note that several have appears only once."""
    names_by_text: dict[str, list[str]] = {}
    for name, item in sorted(items.items()):
        for text in dict.fromkeys(notes_of(item)):
            names_by_text.setdefault(text, []).append(name)
    for text, names in names_by_text.items():
        subject = noun if len(names) == 1 else f"{noun}s"
        if len(names) == 1 or len(names) < len(items):
            subject += f" {named(names)}"
        yield Note(utf8(subject), utf8(text))


def _broker(state: ClusterState) -> Iterator[str]:
    broker = state.broker
    if broker.phase == "lost":
        yield "the connection is lost; this is the state before that"
    elif broker.phase == "connecting":
        yield "not connected yet"
    elif broker.lost_at is not None:
        yield "events sent while the connection was lost were missed"
    if broker.latency is None:
        yield "latency_s unknown: not measured yet"


def _events(state: ClusterState) -> Iterator[str]:
    totals = state.totals
    if totals.lost_heartbeats:
        yield f"{counted(totals.lost_heartbeats, 'heartbeat')} dropped to make room for events"
    if not state.observed:
        yield ("succeeded_per_s, failed_per_s unknown: some workers may not send task events")
    for reason, count in totals.malformed_reasons.items():
        yield f"{counted(count, 'unreadable event')}: {utf8(reason)}"


def _tasks(state: ClusterState) -> Iterator[str]:
    totals = state.totals
    if totals.evicted:
        yield f"{counted(totals.evicted, 'task')} removed to stay within the memory limits"
    if state.tasks:
        yield "a field is unknown if no source reports it"
    lost = sum(1 for task in state.tasks.values() if task.lost_at is not None)
    if lost:
        yield f"{lost:,} ended without an event: no worker runs them, runtime_s is unknown"
    nameless = sum(1 for task in state.tasks.values() if task.name is None)
    if nameless:
        yield f"{nameless:,} without a name: their task-received event was missed"


def _history(state: ClusterState) -> Iterator[str]:
    for searched in state.history.values():
        if searched.incomplete:
            which = f" matching {searched.filter}" if searched.filter else ""
            yield utf8(f"finished tasks{which} in the result backend: {searched.text}")


def _worker(worker: Worker) -> Iterator[str]:
    from_inspect: dict[str, dict[str, object]] = {
        "stats": {
            "pool": worker.pool,
            "concurrency": worker.concurrency,
            "prefetch": worker.prefetch,
            "rss_bytes": worker.rusage,
            "uptime_s": worker.started_at,
        },
        "active": {"active": worker.running},
        "reserved": {"reserved": worker.reserved_ids},
        "scheduled": {"scheduled": worker.scheduled_ids},
        "active_queues": {"queues": worker.queues},
        "registered": {"limits": worker.initial_limits},
    }
    unknown: dict[str, list[str]] = {}
    for command, values in from_inspect.items():
        if missing := _missing(values):
            reason = worker.fact(command).reason or f"missing from the reply to {command}"
            unknown.setdefault(reason, []).append(missing)
    for reason, fields in unknown.items():
        yield f"{', '.join(fields)} unknown: {reason}"
    from_heartbeat = {
        "processed": worker.processed,
        "load": worker.load,
        "heartbeat_age_s": worker.clock_skew,
        "pid": worker.pid,
        "version": worker.software_version,
        "clock_skew_s": worker.clock_skew,
    }
    if missing := _missing(from_heartbeat):
        yield f"{missing} unknown: no heartbeat received"
    if worker.events_enabled is False:
        yield "failed unknown: it sends no task events"
    elif worker.events_enabled is None:
        yield "events_enabled unknown: no task event received, and no reply confirms the setting"


def _queue(queue: Queue) -> Iterator[str]:
    yield from _work(queue)
    yield from queue.notes
    rates_explained = any(note.startswith("rates") for note in queue.notes)
    depths_explained = any(not note.startswith("rates") for note in queue.notes)
    if queue.measured_at is None:
        yield (
            "waiting, unacked, oldest_age_s, oldest_age_at_least_s, runnable_age_s, "
            "runnable_age_at_least_s, in_per_s, out_per_s, drain_s, more_slots, measured_at "
            "unknown: not measured"
        )
        return
    if queue.delayed is None:
        yield "delayed unknown: for which queues some messages are, only task-sent events report"
    depths = {"waiting": queue.waiting, "unacked": queue.unacked}
    if (missing := _missing(depths)) and not depths_explained:
        yield f"{missing} unknown: not available on this broker"
    if queue.waiting != 0:
        yield from _ages(queue)
    rates = {"in_per_s": queue.in_per_s, "out_per_s": queue.out_per_s}
    if (missing := _missing(rates)) and not rates_explained:
        reason = "waiting is unknown" if queue.waiting is None else "too few measurements yet"
        yield f"{missing} unknown: {reason}"
    drain = queue.drain
    if drain is None:
        yield "drain_s, more_slots unknown: they follow from waiting, in_per_s and out_per_s"
        return
    if queue.more_processes(inf) is None:
        yield "more_slots unknown: no run times of its tasks are known"
    if isinf(drain):
        yield "drain_s: never at the current rates"


def _consumers_reason(queue: Queue) -> str:
    known, count = queue.known_consumers, queue.consumer_count
    if count is None:
        reason = queue.fact("consumers").reason
    else:
        reason = f"{count:,} according to the broker, {len(known) or 'no'} names known"
    return f"{reason}; known are {', '.join(known)}" if known else reason


def _ages(queue: Queue) -> Iterator[str]:
    """Explain the ages of messages that are waiting."""
    ages = [("oldest_age", queue.oldest_age, queue.oldest_age_at_least)]
    if queue.due_at is None:
        ages.append(("runnable_age", queue.runnable_age, queue.runnable_age_at_least))
    else:
        yield "runnable_age_s, runnable_age_at_least_s: no waiting message may run before due_at"
    bounded = [f"{name}_s" for name, exact, least in ages if exact is None and least is not None]
    if bounded:
        yield (
            f"{', '.join(bounded)} unknown: the send time is unknown, only the minimum is observed"
        )
    unknown = [
        f"{name}_s, {name}_at_least_s"
        for name, exact, least in ages
        if exact is None and least is None
    ]
    if unknown:
        reason = "the send time of the oldest message is unknown"
        if queue.waiting is None:
            reason = "waiting is unknown"
        yield f"{', '.join(unknown)} unknown: {reason}"


def _work(queue: Queue) -> Iterator[str]:
    """Explain the consumers, and what follows from their work and from the latest tasks."""
    values = {
        "consumers": queue.consumers,
        "slots_busy": queue.slots_busy,
        "slots_total": queue.slots_total,
        "slots_shared": queue.slots_shared,
        "reserved": queue.reserved,
        "backlog": queue.backlog,
        "capacity_per_s": queue.capacity,
    }
    if queue.consumers is None:
        yield f"{_missing(values)} unknown: {_consumers_reason(queue)}"
        return
    if queue.slots_total is not None and queue.capacity is None:
        del values["capacity_per_s"]
        yield "capacity_per_s unknown: no run times of its tasks are known"
    if queue.waiting is None and queue.reserved is not None:
        del values["backlog"]
        yield "backlog unknown: waiting is unknown"
    if missing := _missing(values):
        yield f"{missing} unknown: not all consumers have reported their tasks"


def _missing(values: Mapping[str, object]) -> str:
    return ", ".join(name for name, value in values.items() if value is None)
