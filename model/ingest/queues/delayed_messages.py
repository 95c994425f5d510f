"""The messages of Celery's delayed delivery: how many, when they are due, and for which queues.

The broker counts them by level, which limits when they are due. Their exact times and their queues
are known of those that a `task-sent` event reported.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from typing import Final

from ...entities.messages.delayed import Delayed, Due, Known, Route, due_times
from ...entities.worker import Worker
from ...observations import DelayedMeasured
from .delay_arrivals import DelayArrivals

MAX_KNOWN: Final = 1_000
"""Delayed messages whose times are kept."""
DELIVERY_SECONDS: Final = 10.0
"""Seconds for which the broker may count a message after it was due, or not yet after it was sent.

The management API counts those in quorum queues up to five seconds late."""


class DelayedMessages:
    """The messages that wait for their time."""

    def __init__(self, workers: Mapping[str, Worker]) -> None:
        self._workers = workers
        self._known: list[Known] = []
        self._arrivals = DelayArrivals()
        self._due_times: tuple[object, list[Due]] | None = None
        self.measured = Delayed()
        """The broker's last counts."""
        self.undeliverable_since: float | None = None
        """Since when the broker has had messages that it cannot deliver; None if it has none."""

    def apply(self, seen: DelayedMeasured) -> None:
        """Apply a measurement."""
        self.measured = seen.delayed
        self._arrivals.apply(seen.delayed)
        if not seen.delayed.undeliverable:
            self.undeliverable_since = None
        elif self.undeliverable_since is None:
            self.undeliverable_since = seen.at
        self._known = [
            known
            for known in self._known
            if known.due > seen.at
            and (seen.delayed.messages or known.sent_at > seen.at - DELIVERY_SECONDS)
        ]

    def sent(self, id_: str, at: float, route: Route) -> str:
        """Keep when a message is due whose event was received at a time; return its queue."""
        queue = self._queue(route.routing_key)
        known = Known(at + route.countdown, at, queue, route.routing_key, id_)
        place = bisect_left(self._known, known)
        if self._known[place : place + 1] != [known]:
            self._known.insert(place, known)
            del self._known[MAX_KNOWN:]
        return queue

    @property
    def exists(self) -> bool:
        """Whether the broker has the queues of delayed delivery."""
        return self.measured.measured_at is not None

    @property
    def messages(self) -> int:
        """All messages that wait for their time."""
        return self.measured.messages

    def due_times(self, now: float) -> list[Due]:
        """Return when all messages are due, the earliest first; of some, only a range is known.

        It is derived once a second; the list is not to be changed.
        """
        key = self.measured, len(self._known), int(now)
        if self._due_times is None or self._due_times[0] != key:
            self._due_times = key, due_times(self.measured, self._known, self._arrivals.all, now)
        return self._due_times[1]

    def by_queue(self, now: float) -> Mapping[str, int]:
        """Return the messages for each queue; those whose queue is unknown are under ``""``."""
        counts: Counter[str] = Counter()
        for due in self.due_times(now):
            counts[due.queue] += due.messages
        return counts

    def unbound(self, now: float) -> Mapping[str, int]:
        """Return the messages for each queue that no exchange of delayed delivery leads to."""
        counts: Counter[str] = Counter()
        for known in self._known:
            if known.due > now and self.measured.is_bound(known.routing_key) is False:
                counts[known.queue] += 1
        return counts

    def _queue(self, routing_key: str) -> str:
        """Return the queue of a routing key: by the workers' bindings, otherwise its own name."""
        for worker in self._workers.values():
            for queue in worker.queues or ():
                if queue.routing_key == routing_key:
                    return queue.name
        return routing_key
