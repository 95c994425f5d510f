"""A worker's slots and queues."""

from __future__ import annotations

from ...model.entities.worker import Worker


def slots(worker: Worker) -> int | None:
    """Return how many tasks a worker can run at once."""
    return worker.slots


def queue_names(worker: Worker) -> str | None:
    """Return the names of the queues that a worker consumes."""
    return None if worker.queues is None else ", ".join(queue.name for queue in worker.queues)
