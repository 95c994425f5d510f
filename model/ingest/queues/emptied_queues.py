"""Decides whether a pending task is gone with the messages of its queue.

That is so after a purge or FLUSHALL, or a restart of Redis without its data.

An empty queue alone proves nothing: a worker may have the message, or may have finished the task.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from ...entities.messages.delayed import delayed_route
from ...entities.queue import STATISTICS_DELAY, Queue
from ...entities.states import PENDING
from ...entities.task import Loss, Task
from ...entities.worker import Worker
from ..tasks.store.task_store import TaskStore

EMPTY_SECONDS: Final = 3.0
"""Seconds for which an empty queue is no proof: the event of a worker may be in transit."""
NO_ENTRY_SECONDS: Final = 30.0
"""Seconds after which no entry of the result backend is expected: there may be no backend."""


class Evidence(msgspec.Struct, frozen=True, gc=False):
    """The questions about a task that is neither in its queue nor reported by a worker."""

    events_complete: bool
    """Whether no event has been missed since the task was sent."""
    since: float | None = None
    """When it was first looked for, by the local clock; None if nothing was asked."""
    lacking: frozenset[str] = frozenset()
    """The workers that have replied that they do not have it."""
    absent: bool = False
    """Whether the result backend has no entry."""


class EmptiedQueues:
    """The queues that are empty, and what the workers can have reported since."""

    def __init__(
        self,
        tasks: TaskStore,
        workers: Mapping[str, Worker],
        queues: Mapping[str, Queue],
        gone_at: Mapping[str, float],
    ) -> None:
        self._tasks = tasks
        self._workers = workers
        self._queues = queues
        self._gone_at = gone_at
        self._now = 0.0
        self._empty: dict[str, tuple[float, int]] = {}
        """When each queue was first found to be empty or gone, and the newest task at that time."""
        self._names: frozenset[str] = frozenset()
        self._send_events = True
        self._seen_at = 0.0

    def scan(self, now: float) -> None:
        """Find the empty queues; call it before `loss`, every second."""
        self._now, newest = now, self._tasks.newest_arrival
        empty = {name: self._empty.get(name) or (now, newest) for name in self._gone_at}
        for name, queue in self._queues.items():
            if queue.waiting == 0:
                empty[name] = self._empty.get(name) or (now, newest)
        self._empty = empty
        # Silent workers count too: they may have a task, unlike those that have shut down.
        workers = [worker for worker in self._workers.values() if worker.left_at is None]
        self._names = frozenset(worker.name for worker in workers)
        self._send_events = all(worker.events_enabled for worker in workers)
        self._seen_at = min((worker.last_seen_at or 0.0 for worker in workers), default=now)

    def loss(self, task: Task, evidence: Evidence) -> Loss | None:
        """Return why a pending task is lost; None if it may be somewhere, or is not pending."""
        name = task.queue or ""
        if task.state != PENDING or task.lost_at is not None or name not in self._empty:
            return None
        if task.extra is not None and delayed_route(task.extra.routing_key) is not None:
            return None  # it may wait for its time elsewhere
        since, newest = self._empty[name]
        is_gone = name in self._gone_at
        if task.arrival > newest:
            # It may have been sent after the measurement: a sender's clock proves nothing.
            if is_gone or evidence.since is None:
                return None
            since = evidence.since
        settled = since + EMPTY_SECONDS
        queue = (
            Queue(name, measured_at=self._now, consumer_count=0) if is_gone else self._queues[name]
        )
        if (queue.measured_at or 0.0) < settled:
            return None
        # The broker returns the messages of closed connections to their queue.
        unacked = 0 if queue.consumer_count == 0 else queue.unacked
        if queue.statistics_at is not None and queue.statistics_at < settled + STATISTICS_DELAY:
            unacked = unacked or None  # it may be older than the task
        lacking = self._names <= evidence.lacking
        reported = self._would_be_reported(task, queue, settled)
        if reported and evidence.events_complete:
            return "emptied" if unacked == 0 or lacking else None
        if not lacking or evidence.since is None:
            return None
        if evidence.absent and (self._names or unacked == 0):
            return "unknown"
        # An event may have been missed, but the message is not waiting any more.
        has_no_entry = self._now - evidence.since >= NO_ENTRY_SECONDS
        return "unheard" if reported and has_no_entry and unacked == 0 else None

    def _would_be_reported(self, task: Task, queue: Queue, settled: float) -> bool:
        """Return whether a worker that had received the task would have sent its event by now.

        A worker sends the events of a task before its next heartbeat; a solo pool, after the task.
        A type may send no events (`Task.send_events`).
        """
        kind = self._tasks.types.get(task.name or "")
        received = kind is not None and kind.received > 0
        return (
            self._send_events
            and self._seen_at >= settled - 1.0
            and (received or queue.has_no_consumers)
        )
