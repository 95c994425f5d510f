"""Workers that beat, and yet take nothing from queues that are not empty.

A consumer that the broker lost, a pool that hangs, a connection of which only one half lives: such
a worker looks as healthy as any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..entities.log import EventLog
from ..entities.queue import Queue
from ..entities.worker import Worker
from .worker_store import WorkerStore

STALLED_AFTER: Final = 30.0
"""Seconds for which a worker may leave what it could take."""


def find_stalled_workers(
    workers: WorkerStore,
    queues: Mapping[str, Queue],
    log: EventLog,
    now: float,
    disconnected: bool = False,
) -> bool:
    """Judge all workers anew; return whether any fell silent, or is so no more.

    Call it once a second.

    Args:
        workers: The workers.
        queues: The queues by name.
        log: Where to tell of it.
        now: The time, by our clock.
        disconnected: Whether we are cut off, so that nothing can be said of anybody.
    """
    changed = False
    for worker in workers.workers.values():
        fit = not disconnected and workers.status(worker.name) == "online"
        queue = _available_queue(worker, queues) if fit else None
        idle_counts = (worker.received, worker.processed or 0)
        if queue is None or idle_counts != worker.idle_counts or worker.idle_since is None:
            worker.idle_counts = idle_counts
            worker.idle_since = None if queue is None else now
            if worker.stalled_since is None:
                continue
            worker.stalled_since = None
            log.add(now, "info", "worker", f"{worker.name} is silent no more")
        # A depth measured long before may be of what it has taken since, and not told of yet.
        elif (
            worker.stalled_since is None
            and now - worker.idle_since >= STALLED_AFTER
            and (queue.measured_at or 0.0) - worker.idle_since >= STALLED_AFTER / 2
        ):
            worker.stalled_since = worker.idle_since
            text = f"{worker.name} is silent: {queue.waiting:,} wait in {queue.name}, "
            text += f"and it took none for {now - worker.idle_since:.0f} s"
            log.add(now, "warning", "worker", text)
        else:
            continue
        worker.version += 1
        changed = True
    return changed


def _available_queue(worker: Worker, queues: Mapping[str, Queue]) -> Queue | None:
    """Return a queue that a worker could take something from at once, or None."""
    if worker.concurrency is None or worker.reserved_ids is None or not worker.queues:
        return None
    busy = len(worker.active_ids)
    held = busy + len(worker.reserved_ids)
    if busy >= worker.concurrency or (worker.prefetch and held >= worker.prefetch):
        return None
    for consumed in worker.queues:
        queue = queues.get(consumed.name)
        if queue is not None and queue.waiting:
            return queue
    return None
