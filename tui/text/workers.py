"""A worker's level and queues."""

from __future__ import annotations

from ...model.entities.broker import Listening
from ...model.entities.styles import WORKER_LEVELS, Level
from ...model.entities.worker import Worker
from ...model.health.newness import gone_since, is_new


def level_of(worker: Worker, listening: Listening, now: float) -> Level:
    """Return a worker's level: `bad` if it was lost or has stalled recently, later only `warn`."""
    level = WORKER_LEVELS[worker.health(listening)]
    if level == "bad":
        ended = worker.left_at is not None and not worker.active_ids
        return "bad" if is_new(gone_since(worker), now) and not ended else "warn"
    return level


def queue_names(worker: Worker) -> str | None:
    """Return the names of the queues that a worker consumes."""
    return None if worker.queues is None else ", ".join(queue.name for queue in worker.queues)
