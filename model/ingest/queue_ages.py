"""How long the oldest message of a queue has been waiting.

Celery's messages have no send time. The next message of a queue, which some brokers show, has one
if its sender set the `timestamp` property or sends `task-sent` events. Otherwise only a minimum is
known: since when the same message has been next, or since when a queue without consumers has not
been empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..entities.queue import Queue
from ..entities.states import PENDING
from ..entities.task import Task
from ..observations import QueueHead, QueueMeasured


class QueueAges:
    """Derives the age of the oldest message from measurements.

    `skew` returns the seconds that a host's clock is ahead of the local one.
    """

    def __init__(self, tasks: Mapping[str, Task], skew: Callable[[str | None], float]) -> None:
        self._tasks = tasks
        self._skew = skew

    def apply(self, queue: Queue, seen: QueueMeasured) -> None:
        """Set the age after a measurement, which has been applied otherwise."""
        before, queue.next_since = queue.next_since, {}
        queue.oldest_age = queue.oldest_age_at_least = None
        if not seen.waiting:
            return
        oldest = _filled_since(queue, seen.at) if queue.has_no_consumers else seen.at
        exact = bool(seen.heads)
        for head in seen.heads:
            if head.id is not None:
                since = queue.next_since[head.id] = before.get(head.id, seen.at)
                oldest = min(oldest, since)
            sent_at = self._sent_at(head)
            exact = exact and sent_at is not None
            oldest = min(oldest, seen.at if sent_at is None else sent_at)
        age = seen.at - oldest
        if exact:
            queue.oldest_age = age
        elif age > 0:
            queue.oldest_age_at_least = age

    def _sent_at(self, head: QueueHead) -> float | None:
        """Return when a message was sent, by the local clock; None if unknown."""
        task = self._tasks.get(head.id) if head.id is not None else None
        if task is None or task.sent_at is None or task.state != PENDING:
            return head.sent_at
        return task.sent_at - self._skew(task.state_host)


def _filled_since(queue: Queue, now: float) -> float:
    """Return since when the queue has not been measured as empty."""
    since = now
    for at, waiting in reversed(queue.history):
        if not waiting:
            break
        since = at
    return since
