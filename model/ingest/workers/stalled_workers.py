"""Finds stalled workers: they send heartbeats, but take no tasks from non-empty queues.

A consumer that the broker dropped, a hanging pool, a half-open connection: such a worker otherwise
looks healthy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...entities.cluster.log import EventLog
from ...entities.queue import Queue
from ...entities.worker import Worker
from ...text.phrases import counted
from .worker_store import WorkerStore

STALLED_AFTER: Final = 30.0
"""Seconds without taking an available task after which a worker counts as stalled."""


def find_stalled_workers(
    workers: WorkerStore,
    queues: Mapping[str, Queue],
    log: EventLog,
    now: float,
    listening: bool,
) -> bool:
    """Update which workers are stalled; return whether any changed. Call it every second.

    While no events can be received, no worker can be judged.
    """
    changed = False
    for worker in workers.workers.values():
        fit = listening and workers.status(worker.name) == "online"
        queue = _available_queue(worker, queues) if fit else None
        idle_counts = (worker.received, worker.processed or 0)
        if queue is None or idle_counts != worker.idle_counts or worker.idle_since is None:
            worker.idle_counts = idle_counts
            worker.idle_since = None if queue is None else now
            if worker.stalled_since is None:
                continue
            worker.stalled_since = None
            log.add(now, "info", "worker", f"{worker.name} is taking tasks again")
        # An old depth may include tasks that it has taken since without the events having arrived.
        elif (
            worker.stalled_since is None
            and now - worker.idle_since >= STALLED_AFTER
            and (queue.measured_at or 0.0) - worker.idle_since >= STALLED_AFTER / 2
        ):
            worker.stalled_since = worker.idle_since
            text = f"{worker.name} has taken no tasks for {now - worker.idle_since:.0f} s, "
            text += f"with {counted(queue.waiting or 0, 'message')} waiting in {queue.name}"
            log.add(now, "warning", "worker", text)
        else:
            continue
        worker.version += 1
        changed = True
    return changed


def _available_queue(worker: Worker, queues: Mapping[str, Queue]) -> Queue | None:
    """Return a non-empty queue from which the worker could take a task now, or None."""
    if worker.concurrency is None or worker.reserved_ids is None or not worker.queues:
        return None
    if not worker.sends_heartbeats:
        return None  # its counts are as old as its last reply
    busy = len(worker.active_ids)
    held = busy + len(worker.reserved_ids)
    held += len(worker.limited_ids)
    if busy >= worker.concurrency or (worker.prefetch and held >= worker.prefetch):
        return None
    for consumed in worker.queues:
        queue = queues.get(consumed.name)
        if queue is not None and queue.waiting:
            return queue
    return None
