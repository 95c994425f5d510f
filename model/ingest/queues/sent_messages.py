"""The messages that wait in a queue according to `task-sent` events, where the broker shows none.

A task that was sent and has not been received still waits: this holds for queues whose consumers
all send task events, and for events since the last gap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from ...entities.broker import Broker
from ...entities.messages.delayed import delayed_route
from ...entities.queue import Queue
from ...entities.states import PENDING
from ...entities.task import Task
from ...entities.worker import Worker

SCAN_INTERVAL: Final = 5.0
"""Seconds between two searches of all tasks."""


class SentMessages(msgspec.Struct):
    """The messages of one queue that events report."""

    count: int = 0
    oldest_since: float | None = None
    """When the oldest one was sent, by the local clock."""
    runnable_since: float | None = None
    """Since when the first one that may run has been waiting: when it was sent or due."""
    due_at: float | None = None
    """When the first of the others is due."""


class SentTasks:
    """Finds the waiting messages of all queues among the tasks.

    `skew` returns the seconds that a host's clock is ahead of the local one.
    """

    def __init__(
        self,
        tasks: Mapping[str, Task],
        workers: Mapping[str, Worker],
        broker: Broker,
        skew: Callable[[str | None], float],
    ) -> None:
        self._tasks = tasks
        self._workers = workers
        self._broker = broker
        self._skew = skew
        self._found: dict[str, SentMessages] = {}
        self._scanned_at = float("-inf")

    def waiting_in(self, queue: Queue, now: float) -> SentMessages | None:
        """Return the messages that wait in a queue; None if none are known."""
        unknown = (queue.consumer_count or 0) > len(queue.known_consumers)
        if unknown or self._broker.family != "amqp" or not self._are_reported(queue):
            return None
        if not 0.0 <= now - self._scanned_at < SCAN_INTERVAL:
            self._scanned_at = now
            self._scan(now)
        return self._found.get(queue.name)

    def _are_reported(self, queue: Queue) -> bool:
        """Return whether all consumers send events of the tasks that they receive."""
        known = [self._workers.get(name) for name in queue.known_consumers]
        return all(one is not None and one.events_enabled for one in known)

    def _scan(self, now: float) -> None:
        self._found = {}
        since = self._broker.live_since
        for task in self._tasks.values():
            if task.state != PENDING or task.sent_at is None or task.queue is None:
                continue
            sent_at = task.sent_at - self._skew(task.state_host)
            if since is None or sent_at < since or task.lost_at is not None:
                continue
            if task.extra is not None and delayed_route(task.extra.routing_key) is not None:
                continue
            found = self._found.setdefault(task.queue, SentMessages())
            found.count += 1
            found.oldest_since = min(sent_at, found.oldest_since or sent_at)
            if task.eta_at is not None and task.eta_at > now:
                found.due_at = min(task.eta_at, found.due_at or task.eta_at)
            else:
                start = max(sent_at, task.eta_at or sent_at)
                found.runnable_since = min(start, found.runnable_since or start)
