"""A worker's slots and queues, and why it counts as stalled."""

from __future__ import annotations

from ...model.entities.worker import Worker
from ...model.text import units


def slots(worker: Worker) -> int | None:
    """Return how many tasks a worker can run at once."""
    return len(worker.processes) or worker.concurrency


def busy(worker: Worker) -> int | None:
    """Return how many tasks a worker runs now."""
    return worker.active if worker.active is not None else len(worker.active_ids) or None


def stall_text(worker: Worker, now: float) -> str:
    """Return what is wrong with a stalled worker."""
    since = worker.idle_since or worker.stalled_since or now
    names = queue_names(worker) if worker.queues and len(worker.queues) == 1 else "its queues"
    return f"sends heartbeats, but took no task from {names} for {units.duration(int(now - since))}"


def queue_names(worker: Worker) -> str | None:
    """Return the names of the queues that a worker consumes."""
    return None if worker.queues is None else ", ".join(queue.name for queue in worker.queues)
