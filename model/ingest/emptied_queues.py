"""Decides whether a pending task is gone, because its queue was emptied by a purge or FLUSHALL.

An empty queue alone proves nothing: a worker may have the message, or may have finished the task.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec

from ..entities.queue import Queue
from ..entities.task import Loss
from ..entities.worker import Worker

EMPTY_SECONDS: Final = 3.0
"""Seconds for which an empty queue is no proof: the event of a worker may be in transit."""


class PendingTask(msgspec.Struct, frozen=True, gc=False):
    """What is known about a task that is neither in its queue nor reported by a worker."""

    since: float
    """When it was first found in that state."""
    events_complete: bool
    """Whether no event has been missed since it was sent."""
    type_received: bool
    """Whether tasks of its type are known to send events."""
    lacking: frozenset[str]
    """The workers that have replied that they do not have it."""
    absent: bool
    """Whether the result backend has no entry."""


def loss_of(task: PendingTask, queue: Queue, workers: Collection[Worker]) -> Loss | None:
    """Return why a task of this queue is lost; None if it may be somewhere.

    `workers` are those that have not shut down, with those that are silent.
    """
    settled = task.since + EMPTY_SECONDS
    if queue.waiting != 0 or (queue.measured_at or 0.0) < settled:
        return None
    # The broker returns the messages of closed connections to their queue.
    unacked = 0 if queue.consumer_count == 0 else queue.unacked
    lacking = all(worker.name in task.lacking for worker in workers)
    # A worker sends the events of a task before its next heartbeat; a solo pool, after the task.
    reported = (
        task.events_complete
        and (task.type_received or queue.has_no_consumers)
        and all(worker.events_enabled for worker in workers)
        and all((worker.last_seen_at or 0.0) >= settled - 1.0 for worker in workers)
    )
    if reported and (unacked == 0 or lacking):
        return "emptied"
    if lacking and task.absent and (workers or unacked == 0):
        return "unknown"
    return None
