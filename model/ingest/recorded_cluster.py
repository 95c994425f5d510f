"""Fills the model with what the history last recorded, without a connection to the broker.

Workers and queues are as they were last observed, or have the values of their last recorded minute.
Workers have the status of then: nothing is concluded from the time since.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..entities.broker import Broker
from ..entities.cluster.recorded import RecordedCluster, RecordedType, RecordedValues
from ..entities.fact import NEVER_ASKED
from ..entities.fault import Fault
from ..entities.queue import Queue
from ..entities.task_type import TaskType
from ..entities.worker import Rusage, Worker
from ..text import units
from .queues.queue_store import MAX_QUEUES, QueueStore
from .tasks.store.task_types import MAX_TYPES, TaskTypes
from .workers.worker_store import MAX_WORKERS, WorkerStore

NOT_RECORDED: Final = Fault("history", "not in the history", "")
_INSPECTED: Final = ("stats", "active", "reserved", "scheduled", "active_queues", "registered")


def restore(
    recorded: RecordedCluster,
    now: float,
    broker: Broker,
    workers: WorkerStore,
    queues: QueueStore,
    types: TaskTypes,
) -> None:
    """Fill stores with what was recorded, except what they have from the last observations.

    `now` is in epoch seconds.
    """
    unknown = NEVER_ASKED.failed(recorded.at, NOT_RECORDED)
    for each in recorded.workers[:MAX_WORKERS]:
        worker = workers.workers.get(each.name) or workers.add_recorded(each.name, each.at)
        _fill_worker(worker, each.values)
        if (left_at := recorded.left_at.get(each.name)) is not None:
            worker.left_at, worker.last_seen_at = left_at, min(worker.last_seen_at or 0.0, left_at)
        if (lost_at := recorded.lost_at.get(each.name)) is not None:
            worker.lost_at, worker.last_seen_at = lost_at, min(worker.last_seen_at or 0.0, lost_at)
    for worker in workers.workers.values():
        for command in _INSPECTED:
            worker.facts.setdefault(command, unknown)
    for each in recorded.queues[:MAX_QUEUES]:
        queue = queues.get_or_create(each.name)
        if queue is not None:
            _fill_queue(queue, each)
    for queue in queues.queues.values():
        if queue.measured_at is not None:
            queue.notes = (f"measured {units.ago(queue.measured_at, now)}", *queue.notes)
    for kind in recorded.types[:MAX_TYPES]:
        _count(types.setdefault(kind.name, TaskType(kind.name)), kind)
    # Statuses are those at this time; a worker that is late by then was so when it was recorded.
    times = [worker.last_seen_at or 0.0 for worker in workers.workers.values()] or [recorded.at]
    broker.phase, broker.lost_at = "lost", max(times)
    broker.live_since, broker.event_at = min(times), max(times)


def _fill_worker(worker: Worker, values: Mapping[str, float]) -> None:
    rss, load = values.get("rss"), values.get("load")
    if worker.active is None:
        worker.active = _whole(values, "busy")
    if worker.slots is None:
        worker.concurrency = _whole(values, "slots")
    if worker.rusage is None and rss is not None:
        worker.rusage = Rusage(rss_bytes=round(rss))
    if worker.load is None and load is not None:
        worker.load = (load,)
    worker.succeeded = _whole(values, "n_succeeded") or 0
    worker.failed = _whole(values, "n_failed") or 0
    worker.retried = _whole(values, "n_retried") or 0


def _fill_queue(queue: Queue, recorded: RecordedValues) -> None:
    values = recorded.values
    if queue.measured_at is None:
        queue.waiting, queue.measured_at = _whole(values, "waiting"), recorded.at
        queue.delayed = None
        queue.facts["depth"] = NEVER_ASKED.answered(recorded.at)
    if queue.waiting and queue.oldest_age is None and queue.oldest_age_at_least is None:
        # Ages that are only known to be at least so long are recorded, too.
        queue.oldest_age_at_least = values.get("oldest") or None
        queue.runnable_age_at_least = values.get("runnable") or None
    if queue.out_per_s is None:
        queue.in_per_s, queue.out_per_s = values.get("in_per_s"), values.get("out_per_s")
        queue.notes = tuple(note for note in queue.notes if not note.startswith("rates"))


def _count(kind: TaskType, recorded: RecordedType) -> None:
    kind.is_recorded = True
    kind.received, kind.succeeded = recorded.received, recorded.succeeded
    kind.failed, kind.retried = recorded.failed, recorded.retried
    kind.revoked, kind.last_at = recorded.revoked, recorded.last_at


def _whole(values: Mapping[str, float], name: str) -> int | None:
    value = values.get(name)
    return None if value is None else round(value)
