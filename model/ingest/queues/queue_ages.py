"""How long the oldest message of a queue has been waiting, and the first one that may run.

Celery's messages have no send time. The next message of a queue, which some brokers show, has one
if its sender set the `timestamp` property or sends `task-sent` events. Otherwise only a minimum is
known: since when the same message has been next, or since when a queue without consumers has not
been empty. Where the broker shows no message, those count that `task-sent` events report; if they
are all, the ages are exact.

A message with an ETA in the future may not run yet, like the next attempt of a retried task: its
waiting counts from its ETA.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ...entities.queue import Queue
from ...entities.states import PENDING
from ...entities.task import Task
from ...observations import QueueHead, QueueHeadsKnown, QueueMeasured
from .sent_messages import SentMessages


class QueueAges:
    """Derives the age of the oldest message from measurements.

    `skew` returns the seconds that a host's clock is ahead of the local one, `sent` the messages
    of a queue that events report.
    """

    def __init__(
        self,
        tasks: Mapping[str, Task],
        skew: Callable[[str | None], float],
        sent: Callable[[Queue, float], SentMessages | None],
    ) -> None:
        self._tasks = tasks
        self._skew = skew
        self._sent = sent
        self._earlier: dict[str, dict[str, float]] = {}
        """Since when messages have been next, by an earlier run, until their queue is measured."""

    def restore(self, known: QueueHeadsKnown) -> None:
        """Take over since when messages have been next, by the next measurement."""
        self._earlier = dict(known.next_since)

    def apply(self, queue: Queue, seen: QueueMeasured) -> None:
        """Set the ages after a measurement, which has been applied otherwise."""
        before, queue.next_since = queue.next_since, {}
        earlier = self._earlier.pop(queue.name, {}) if self._earlier else {}
        queue.oldest_age = queue.oldest_age_at_least = None
        queue.runnable_age = queue.runnable_age_at_least = queue.due_at = None
        if not seen.waiting:
            return
        for head in (*seen.heads, *(seen.runnable or ())):
            if head.id is not None:
                queue.next_since[head.id] = min(
                    before.get(head.id, seen.at),
                    earlier.get(head.id, seen.at),
                    seen.at if head.next_since is None else head.next_since,
                )
        filled_since = queue.filled_since(seen.at) if queue.has_no_consumers else seen.at
        age, exact = self._age(seen.heads, queue, seen.at, due=False)
        age = max(age, seen.at - filled_since)
        queue.oldest_age = age if exact else None
        queue.oldest_age_at_least = None if exact or age <= 0 else age
        if seen.runnable:
            age, exact = self._age(seen.runnable, queue, seen.at, due=True)
            queue.runnable_age = age if exact else None
            queue.runnable_age_at_least = None if exact or age <= 0 else age
        elif seen.runnable is not None:
            queue.due_at = seen.due_at
        if not seen.heads and (sent := self._sent(queue, seen.at)) is not None:
            _set_from_events(queue, sent, seen.at)

    def _age(
        self, heads: Sequence[QueueHead], queue: Queue, now: float, *, due: bool
    ) -> tuple[float, bool]:
        """Return the longest age of some messages, and whether it is exact or a minimum.

        With `due`, it counts from the ETA of those that have one.
        """
        oldest, exact = now, bool(heads)
        for head in heads:
            seen_at = queue.next_since.get(head.id or "", now)
            since, sent_at = seen_at, self._sent_at(head)
            known = sent_at is not None
            if sent_at is not None:
                since = min(since, sent_at)
            if due and head.eta_at is not None:
                # A message that was seen before its ETA was also sent before it.
                known = known or seen_at <= head.eta_at
                since = max(since, head.eta_at)
            exact = exact and known
            oldest = min(oldest, since)
        return now - oldest, exact

    def _sent_at(self, head: QueueHead) -> float | None:
        """Return when a message was sent, by the local clock; None if unknown."""
        task = self._tasks.get(head.id) if head.id is not None else None
        if task is None or task.sent_at is None or task.state != PENDING:
            return head.sent_at
        return task.sent_at - self._skew(task.state_host)


def _set_from_events(queue: Queue, sent: SentMessages, now: float) -> None:
    """Set the ages from the messages that events report; others may wait besides them."""
    is_all = sent.count == queue.waiting
    if sent.oldest_since is not None:
        age = max(0.0, now - sent.oldest_since)
        queue.oldest_age = age if is_all else None
        queue.oldest_age_at_least = None if is_all else max(age, queue.oldest_age_at_least or 0.0)
    if sent.runnable_since is not None:
        age = max(0.0, now - sent.runnable_since)
        queue.runnable_age = age if is_all else None
        queue.runnable_age_at_least = None if is_all else age
    elif is_all:
        queue.due_at = sent.due_at
