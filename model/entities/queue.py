"""A queue on the broker."""

from __future__ import annotations

from collections import deque
from math import ceil
from typing import Final

import msgspec

from .fact import NEVER_ASKED, Fact
from .messages.delayed import level_of
from .messages.unacked import Unacked
from .series.rates import RATE_WINDOW, SecondRing

MAX_DEPTHS_KEPT: Final = 120
"""Measured depths kept for the trend."""


STATISTICS_DELAY: Final = 5.0
"""Seconds by which the numbers of RabbitMQ's management API may be late: its
`collect_statistics_interval`."""

DEFAULT_QUEUE: Final = "celery"
"""The queue of tasks that are sent to no other (`task_default_queue`), if not configured."""


def is_internal(name: str) -> bool:
    """Return whether a queue is Celery's own: for events, remote control, replies, or delays."""
    return (
        name.startswith(("celeryev", "reply."))
        or name.endswith(".pidbox")
        or level_of(name) is not None
        or not name
    )


class Pause(msgspec.Struct, frozen=True, gc=False):
    """A pause of a queue by celtop on this machine: workers' consumers that were cancelled."""

    workers: tuple[str, ...]
    at: float | None = None
    """Since when, epoch seconds; None if an older celtop paused it."""
    by: str | None = None
    """The user who paused it."""
    drained: bool = False
    """Whether only drains of its workers cancelled them: others may consume the queue."""


class Position(msgspec.Struct, frozen=True, gc=False):
    """A message's place in its queue when it was last read."""

    before: int
    """Messages that will be consumed before it."""
    at: float
    """When the queue was read, epoch seconds."""
    at_least: bool = False
    """Whether the message was not among the `before` messages that were read."""


class Queue(msgspec.Struct, eq=False):
    """One queue; an unknown number is None, with the reason in `notes`."""

    name: str
    version: int = 0
    waiting: int | None = None
    unacked: int | None = None
    unacked_at_least: int | None = None
    """The minimum if `unacked` is unknown; None if it may be 0."""
    held: tuple[Unacked, ...] = ()
    """Some of its unacknowledged messages, the oldest first; only on Redis."""
    kind: str = ""
    """`classic` or `quorum` on RabbitMQ; empty if unknown, or on another broker."""
    message_bytes: int | None = None
    """Bytes of its messages' bodies."""
    max_priority: int | None = None
    """The highest priority that it distinguishes (`x-max-priority`); None if it has none."""
    delayed: int | None = 0
    """Messages for it that wait for their time in delayed delivery (RabbitMQ), and are not counted
    as waiting; None if it is unknown which queue some are for."""
    statistics_at: float | None = None
    """When RabbitMQ's management API reported `unacked` and `message_bytes`, which may have been
    some seconds old then; None if they were measured with `waiting`, or are unknown."""
    by_priority: dict[str, int] = {}
    """Waiting messages by priority step, `{"0": n}`; empty if the broker has none."""
    known_consumers: tuple[str, ...] = ()
    """Sorted names of the workers that are known to consume from it; see `consumers`."""
    receivers: frozenset[str] = frozenset()
    """The same names as a set."""
    consumer_count: int | None = None
    """Consumers by the broker's own count; None if it does not count them."""
    consumed_at: float | None = None
    """When it was last seen to have consumers, epoch seconds; None if it never was."""
    unconsumed_since: float | None = None
    """Since when it was seen to have no consumers, epoch seconds; None if it has some, or if that
    is unknown."""
    facts: dict[str, Fact] = {}
    """The questions about it: `depth`, `consumers`."""
    measured_at: float | None = None
    missing_since: float | None = None
    """Since when the broker was found to have no queue of this name; None if it has one, or if
    that is unknown."""
    oldest_age: float | None = None
    """Seconds that the oldest message had been waiting when measured; None if not known exactly."""
    oldest_age_at_least: float | None = None
    """The minimum of an age that is not known exactly; None if it may be 0."""
    runnable_age: float | None = None
    """Seconds for which the first message that may run now had been waiting when measured, since
    it was sent or due; of several priorities the longest. None if not known exactly."""
    runnable_age_at_least: float | None = None
    """The minimum of such an age that is not known exactly; None if it may be 0."""
    due_at: float | None = None
    """When its next task is due, if none of the waiting messages may run before."""
    next_since: dict[str, float] = {}
    """When each message that is next to be consumed, or the first that may run, was first seen as
    such, by task id."""
    next_names: tuple[str, ...] = ()
    """The names of the tasks that are next to be consumed, where the broker shows them."""
    in_per_s: float | None = None
    out_per_s: float | None = None
    slots_busy: int | None = None
    """Tasks that its consumers run, from any queue; None if that is unknown of one of them."""
    slots_total: int | None = None
    """Tasks that its consumers can run at once."""
    slots_shared: bool | None = None
    """Whether one of them consumes other queues too."""
    reserved: int | None = None
    """Tasks of it that its consumers have received but not started, except those with an ETA."""
    runtime: float | None = None
    """Mean run time of its latest tasks, seconds; of those that have not ended, of their type."""
    history: deque[tuple[float, int]] = msgspec.field(
        default_factory=lambda: deque(maxlen=MAX_DEPTHS_KEPT)
    )
    """(epoch seconds, waiting), oldest first."""
    notes: tuple[str, ...] = ()
    pause: Pause | None = None
    """The recorded pause; see `paused`."""
    received: SecondRing = msgspec.field(default_factory=lambda: SecondRing(RATE_WINDOW * 2))
    """Tasks received from it, by `task-received` events."""

    @property
    def id(self) -> str:
        """The name: the row's id in tables."""
        return self.name

    def fact(self, question: str) -> Fact:
        """Return what is known about a question."""
        return self.facts.get(question, NEVER_ASKED)

    @property
    def has_consumers(self) -> bool:
        """Whether it certainly has a consumer, by name or by the broker's count."""
        return bool(self.known_consumers or self.consumer_count)

    @property
    def consumers(self) -> tuple[str, ...] | None:
        """Sorted names of all workers that consume from it; None if not all are known.

        They are known if every present worker has replied to `active_queues`, or if there are as
        many as the broker counts.
        """
        known, count = self.known_consumers, self.consumer_count
        if count is not None:
            return known if count <= len(known) else None
        return known if self.fact("consumers").is_answered else None

    @property
    def has_no_consumers(self) -> bool:
        """Whether it certainly has no consumers."""
        return self.consumers == ()

    @property
    def paused(self) -> bool:
        """Whether it is paused, and not all of the paused workers consume it again.

        A queue of a drained worker is not paused while other workers consume it.
        """
        if self.pause is None or self.receivers.issuperset(self.pause.workers):
            return False
        return not (self.pause.drained and self.receivers.difference(self.pause.workers))

    @property
    def unattended(self) -> bool:
        """Whether messages are waiting and it certainly has no consumers, though not paused."""
        return bool(self.waiting) and self.has_no_consumers and not self.paused

    def filled_since(self, now: float) -> float:
        """Return since when it has not been measured as empty; `now` if it is."""
        since = now
        for at, waiting in reversed(self.history):
            if not waiting:
                break
            since = at
        return since

    @property
    def drain(self) -> float | None:
        """Seconds until it is empty at current rates; None if unknown, infinity if never."""
        if not self.waiting:
            return None if self.waiting is None else 0.0
        if self.in_per_s is None or self.out_per_s is None:
            return None
        net = self.out_per_s - self.in_per_s
        return self.waiting / net if net > 0 else float("inf")

    @property
    def backlog(self) -> int | None:
        """Messages that wait in it, and its tasks that wait in workers; None if unknown."""
        if self.waiting is None or self.reserved is None:
            return None
        return self.waiting + self.reserved

    @property
    def capacity(self) -> float | None:
        """Its tasks per second that its consumers can run if they run nothing else."""
        if self.slots_total == 0:
            return 0.0
        if not self.slots_total or not self.runtime:
            return None
        return self.slots_total / self.runtime

    def more_processes(self, seconds: float) -> int | None:
        """Return how many more processes empty it in some seconds; None if unknown.

        In an infinite time: with how many it no longer grows.
        """
        waiting, arriving, taken = self.waiting, self.in_per_s, self.out_per_s
        if waiting is None or arriving is None or taken is None or not self.runtime:
            return None
        return max(0, ceil((waiting / seconds + arriving - taken) * self.runtime))
