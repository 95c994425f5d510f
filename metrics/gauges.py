"""Gauges of what is known at one time: of the broker, queues, workers, beat and findings.

What is unknown, or was found out too long ago, has no sample: a 0 would mislead alerts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from ..model.entities.queue import Queue, is_internal
from ..model.entities.worker import BEAT_PREFIX, Worker
from ..model.health.findings import findings
from ..model.health.tasks.schedule_status import entry_statuses
from ..model.state import ClusterState
from ..model.text.sanitize import visible
from .families import OTHER, Family, Kind, Labels, LabelValues

MAX_AGE: Final = 90.0
"""Seconds after which what was measured is no longer known."""
WORKERS_KEPT: Final = 3_600.0
"""Seconds for which the series of a worker that is offline are kept: pods that are replaced all day
must not pile up."""


class _QueueGauge(NamedTuple):
    name: str
    text: str
    value: Callable[[Queue], float | None]


def _consumers(queue: Queue) -> float | None:
    return queue.consumer_count if queue.consumers is None else len(queue.consumers)


def _age(queue: Queue, exact: float | None) -> float | None:
    """Return an age; 0 if no message is waiting."""
    return exact if queue.waiting else 0.0 if queue.waiting == 0 else None


def _runnable_age(queue: Queue) -> float | None:
    return 0.0 if queue.due_at is not None else _age(queue, queue.runnable_age)


def _least_runnable_age(queue: Queue) -> float | None:
    exact = _runnable_age(queue)
    return queue.runnable_age_at_least if exact is None else exact


QUEUE_GAUGES: Final = (
    _QueueGauge(
        "celtop_queue_waiting",
        "Messages waiting in the queue.",
        lambda queue: queue.waiting,
    ),
    _QueueGauge(
        "celtop_queue_unacked",
        "Messages that workers have received and not acknowledged.",
        lambda queue: queue.unacked,
    ),
    _QueueGauge(
        "celtop_queue_delayed",
        "Messages for the queue that wait for their time in delayed delivery.",
        lambda queue: queue.delayed,
    ),
    _QueueGauge(
        "celtop_queue_oldest_age_seconds",
        "Age of the oldest waiting message, if it is known exactly.",
        lambda queue: _age(queue, queue.oldest_age),
    ),
    _QueueGauge(
        "celtop_queue_oldest_runnable_age_seconds",
        "Waiting time of the first message that may run now, if it is known exactly.",
        _runnable_age,
    ),
    _QueueGauge(
        "celtop_queue_oldest_runnable_age_at_least_seconds",
        "The same, or its minimum if it is not known exactly.",
        _least_runnable_age,
    ),
    _QueueGauge(
        "celtop_queue_in_per_second",
        "Messages that arrive in the queue per second.",
        lambda queue: queue.in_per_s,
    ),
    _QueueGauge(
        "celtop_queue_out_per_second",
        "Messages that workers take from the queue per second.",
        lambda queue: queue.out_per_s,
    ),
    _QueueGauge(
        "celtop_queue_consumers",
        "Workers that consume from the queue.",
        _consumers,
    ),
    _QueueGauge(
        "celtop_queue_slots",
        "Tasks that the consumers of the queue can run at once.",
        lambda queue: queue.slots_total,
    ),
    _QueueGauge(
        "celtop_queue_slots_busy",
        "Tasks that the consumers of the queue run, from any queue.",
        lambda queue: queue.slots_busy,
    ),
    _QueueGauge(
        "celtop_queue_paused",
        "Whether the queue was paused by celtop on this machine.",
        lambda queue: float(queue.paused),
    ),
)


class _WorkerGauge(NamedTuple):
    name: str
    text: str
    value: Callable[[Worker], float | None]


WORKER_GAUGES: Final = (
    _WorkerGauge(
        "flower_worker_number_of_currently_executing_tasks",
        "Number of tasks currently executing at a worker",
        lambda worker: worker.running,
    ),
    _WorkerGauge(
        "celtop_worker_running",
        "Tasks that the worker runs.",
        lambda worker: worker.running,
    ),
    _WorkerGauge(
        "celtop_worker_slots",
        "Tasks that the worker can run at once.",
        lambda worker: worker.slots,
    ),
    _WorkerGauge(
        "celtop_worker_reserved",
        "Tasks that the worker has received and not started.",
        lambda worker: None if worker.reserved_ids is None else len(worker.reserved_ids),
    ),
    _WorkerGauge(
        "celtop_worker_scheduled",
        "Tasks with an ETA or countdown that wait in the worker.",
        lambda worker: None if worker.scheduled_ids is None else len(worker.scheduled_ids),
    ),
    _WorkerGauge(
        "celtop_worker_load1",
        "Load average of the worker's host over one minute.",
        lambda worker: worker.load[0] if worker.load else None,
    ),
    _WorkerGauge(
        "celtop_worker_max_resident_memory_bytes",
        "Peak resident memory of the worker's main process.",
        lambda worker: None if worker.rusage is None else worker.rusage.rss_bytes,
    ),
)
"""Of workers that are not offline."""


def queue_families(state: ClusterState, labels: LabelValues, now: float) -> Iterator[Family]:
    """Yield the gauges of the queues that were measured lately."""
    queues = [
        (labels[queue.name], queue)
        for queue in state.queues.values()
        if not is_internal(queue.name) and _is_fresh(queue.measured_at, now)
    ]
    for name, text, value in QUEUE_GAUGES:
        values = ((label, value(queue)) for label, queue in queues)
        yield _gauge(name, text, ("queue",), values)


def worker_families(state: ClusterState, labels: LabelValues, now: float) -> Iterator[Family]:
    """Yield the gauges of the workers; without a connection to the broker they have no samples."""
    listening = state.broker.listening(now)
    workers = []
    if state.broker.is_connected:
        workers = [
            (labels[worker.name], worker, worker.status(listening))
            for worker in state.workers.values()
            if not (worker.name.startswith(BEAT_PREFIX) or is_gone(worker, now))
        ]
    up = [(label, float(status != "offline")) for label, _, status in workers]
    late = [(label, float(status == "late")) for label, _, status in workers]
    lost = [
        (label, float(status == "offline" and worker.left_at is None))
        for label, worker, status in workers
    ]
    names = ("worker",)
    yield _gauge("flower_worker_online", "Worker online status", names, up)
    yield _gauge("celtop_worker_up", "Whether the worker is online or late.", names, up)
    text = "Whether heartbeats of the worker are missing, but not long enough to call it lost."
    yield _gauge("celtop_worker_late", text, names, late)
    text = "Whether the worker vanished without shutting down."
    yield _gauge("celtop_worker_lost", text, names, lost)
    present = [(label, worker) for label, worker, status in workers if status != "offline"]
    for name, text, value in WORKER_GAUGES:
        yield _gauge(name, text, names, ((label, value(worker)) for label, worker in present))
    text = "Tasks that the worker has accepted since it started."
    accepted: dict[Labels, float] = {
        (label,): float(worker.processed)
        for label, worker in present
        if worker.processed is not None and label != OTHER
    }
    yield Family("celtop_worker_processed", "counter", text, names, accepted)


def broker_families(state: ClusterState) -> Iterator[Family]:
    """Yield the gauges of the broker, and celtop's own counters."""
    broker, totals = state.broker, state.totals
    yield _single("celtop_broker_up", "Whether the broker is connected.", broker.is_connected)
    text = "Whether the broker is connected, but accepts no messages."
    yield _single("celtop_broker_blocked", text, broker.phase == "blocked")
    text = "Time of the last round trip to the broker."
    latency = broker.latency if broker.is_connected else None
    yield _single("celtop_broker_latency_seconds", text, latency)
    memory = broker.memory if broker.is_connected else None
    used, maximum = (None, None) if memory is None else (memory.used, memory.maximum)
    yield _single("celtop_redis_memory_bytes", "Memory that Redis uses.", used)
    text = "The maxmemory of Redis, if it has one."
    yield _single("celtop_redis_max_memory_bytes", text, maximum)
    for name, text, value in (
        ("celtop_broker_commands", "Commands sent to the broker.", broker.commands_sent),
        ("celtop_events", "Events received.", totals.events),
        ("celtop_events_lost", "Task events dropped because they came too fast.", totals.lost),
        ("celtop_events_malformed", "Events that could not be read.", totals.malformed),
        ("celtop_evicted_tasks", "Tasks dropped because the memory was full.", totals.evicted),
    ):
        yield _single(name, text, value, "counter")
    held = ((visible(name), count) for name, count in totals.by_state.items())
    yield _gauge("celtop_held_tasks", "Tasks held in memory.", ("state",), held)
    text = "Tasks that are lost: their worker vanished while it ran them."
    yield _single("celtop_lost_tasks", text, len(state.lost))


def schedule_families(state: ClusterState, labels: LabelValues, now: float) -> Iterator[Family]:
    """Yield how late beat is, once its schedule was read."""
    statuses = entry_statuses(state, now) if state.schedule.entries else []
    text = "Entries of beat's schedule."
    yield _single("celtop_beat_entries", text, len(statuses) or None)
    overdue = sum(one.overdue_s is not None for one in statuses)
    text = "Entries of beat's schedule that are due and were not sent."
    yield _single("celtop_beat_entries_overdue", text, overdue if statuses else None)
    text = "Time since the entry was due and not sent; 0 if it is on time."
    late = (
        (labels[one.entry.name], one.overdue_s or 0.0)
        for one in statuses
        if one.word in ("overdue", "scheduled")
    )
    yield _gauge("celtop_beat_overdue_seconds", text, ("entry",), late)


class FindingCounts:
    """Findings by code and severity; those that are gone count as 0."""

    def __init__(self) -> None:
        self._seen: set[Labels] = set()

    def family(self, state: ClusterState, now: float) -> Family:
        """Return the findings as they are now."""
        counts = dict.fromkeys(sorted(self._seen), 0.0)
        for finding in findings(state, now):
            labels = finding.code, finding.severity
            counts[labels] = counts.get(labels, 0.0) + 1.0
        self._seen.update(counts)
        text = "Findings, such as a queue without consumers; see docs/findings.md."
        return Family("celtop_findings", "gauge", text, ("code", "severity"), counts)


def is_gone(worker: Worker | None, now: float) -> bool:
    """Return whether a worker has been offline for so long that its series have ended."""
    if worker is None:
        return True
    ended = worker.left_at if worker.left_at is not None else worker.lost_at
    if ended is None or (worker.last_seen_at or 0.0) > ended:
        return False
    return now - ended > WORKERS_KEPT


def _is_fresh(at: float | None, now: float) -> bool:
    return at is not None and now - at <= MAX_AGE


def _single(name: str, text: str, value: float | None, kind: Kind = "gauge") -> Family:
    return Family(name, kind, text, (), {} if value is None else {(): float(value)})


def _gauge(
    name: str, text: str, label_names: Labels, values: Iterable[tuple[str, float | None]]
) -> Family:
    """Return a gauge by label; values of one label are added up, of times the longest counts."""
    combine: Callable[[float, float], float] = max if name.endswith("_seconds") else float.__add__
    found: dict[Labels, float] = {}
    for label, value in values:
        if value is not None:
            before = found.get((label,))
            number = float(value)
            found[label,] = number if before is None else combine(before, number)
    return Family(name, "gauge", text, label_names, found)
