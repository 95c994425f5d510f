"""The workers and queues that the threads know of: what one of them hears, another asks about.

Written by the receiver and the inspector, read by the pollers. Each attribute is replaced whole or
is a dict or set that is only added to, so no lock is needed beyond the interpreter's own.
"""

from __future__ import annotations

import time
from typing import Final

from ...model.state import BEAT_PREFIX
from ...model.wire.events import TASK_EVENTS, Event

FORGET_AFTER: Final = 180.0
"""Seconds of silence after which a worker is no longer asked: about as long as a dead one shows."""
MOST_MEMBERS: Final = 5_000
"""Workers that are remembered, as many as the model holds; beyond that the silent are forgotten.
Where each has a name of its own (a new container each time) there would be ever more of them."""
MOST_NAMES: Final = 2_000
"""Queues that are asked about, and exchanges: as many as the model holds. Who gives each reply a
queue of its own shall not have celtop count them all."""


class Member:
    """One worker, as far as asking it needs."""

    __slots__ = (
        "asked",
        "beat_at",
        "eventful",
        "frequency",
        "greeted",
        "last_seen_at",
        "next_greeting",
        "pids",
    )

    def __init__(self) -> None:
        self.last_seen_at = 0.0
        """When anything last came from it, monotonic."""
        self.beat_at: float | None = None
        """When its last heartbeat came, monotonic; None if it sends none."""
        self.frequency = 2.0
        """Seconds between its heartbeats."""
        self.pids: tuple[int | None, int | None] = (None, None)
        """The process that sent the last heartbeat, and the one before that."""
        self.eventful = False
        """Whether its task events are known to be on, or not to be had."""
        self.greeted = False
        """Whether it has answered since it came up."""
        self.asked = 0
        """How often it was greeted in vain."""
        self.next_greeting = 0.0
        """When to greet it again, monotonic."""

    def beats(self, pid: int | None) -> bool:
        """Note whose heartbeat it was; True if two processes take turns under one name."""
        last, before = self.pids
        if pid == last:
            return False
        self.pids = (pid, last)
        return pid is not None and pid == before

    def must_be_greeted_again(self) -> None:
        """Note that it is new, or that what it was told may be forgotten."""
        self.eventful = self.greeted = False
        self.asked = 0
        self.next_greeting = 0.0


class Roster:
    """Who is there, by our own ears."""

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}
        self.queues: set[str] = set()
        """Names of queues that tasks were sent to or that workers consume."""
        self.exchanges: set[str] = set()
        self.doubles: set[str] = set()
        """Names under which more than one worker is up."""
        self.muted: set[str] = set()
        """Workers whose task events were switched off on purpose: so they stay."""
        self.offline_at: dict[str, float] = {}
        """When workers said good-bye, monotonic; the last ones to do so."""
        self.last_seen_at = time.monotonic()
        """When any event last came, monotonic."""

    def heard(self, event: Event) -> None:
        """Note who sent an event. One of a message is enough: they all come from one sender."""
        now = self.last_seen_at = time.monotonic()
        if event.type == "task-sent":
            if event.queue:
                self.learn_queue(event.queue)
            if event.exchange:
                self.learn_exchange(event.exchange)
            return
        of_task = event.type in TASK_EVENTS
        if not of_task and not event.type.startswith("worker-"):
            return
        member = self._member(event.hostname)
        if member is None:
            return
        member.last_seen_at = now
        if of_task:
            member.eventful = True
        elif event.type == "worker-offline":
            self.members.pop(event.hostname, None)
            self.offline_at.pop(event.hostname, None)
            self.offline_at[event.hostname] = now
            if len(self.offline_at) > MOST_MEMBERS:
                del self.offline_at[next(iter(self.offline_at))]
        else:
            member.beat_at = now
            member.frequency = event.freq or member.frequency
            if member.beats(event.pid):
                self.doubles.add(event.hostname)
            if event.type == "worker-online":
                self.muted.discard(event.hostname)
                member.must_be_greeted_again()

    def learn_queue(self, name: str) -> None:
        """Note the name of a queue, as long as there are not too many."""
        if len(self.queues) < MOST_NAMES:
            self.queues.add(name)

    def learn_exchange(self, name: str) -> None:
        """Note the name of an exchange, as long as there are not too many."""
        if len(self.exchanges) < MOST_NAMES:
            self.exchanges.add(name)

    def answered(self, name: str) -> Member | None:
        """Note that a worker answered, and return it; None if it is not a worker."""
        member = self._member(name)
        if member is not None:
            member.last_seen_at = time.monotonic()
            member.greeted = True
        return member

    def present(self) -> tuple[str, ...]:
        """Return the names of the workers that are worth asking, sorted."""
        since = time.monotonic() - FORGET_AFTER
        members = self.members.copy()
        return tuple(sorted(name for name, one in members.items() if one.last_seen_at > since))

    def strangers(self, eventful: bool) -> tuple[str, ...]:
        """Return the names of the present workers that are to be greeted now, sorted.

        Args:
            eventful: Whether one is a stranger until its task events are on.
        """
        now = time.monotonic()
        members = self.members
        return tuple(
            name
            for name in self.present()
            if (one := members.get(name)) is not None
            and not (one.greeted and (one.eventful or not eventful or name in self.muted))
            and one.next_greeting <= now
        )

    def connection_lost(self) -> None:
        """Forget what has to be found out again after a gap."""
        for member in self.members.copy().values():
            member.beat_at = None
            member.must_be_greeted_again()

    def _member(self, name: str) -> Member | None:
        if name.startswith(BEAT_PREFIX):
            return None
        member = self.members.get(name)
        if member is None:
            if len(self.members) >= MOST_MEMBERS:
                self._forget_the_silent()
            if len(self.members) >= MOST_MEMBERS:
                return None
            member = self.members[name] = Member()
        return member

    def _forget_the_silent(self) -> None:
        present = set(self.present())
        self.members = {name: one for name, one in self.members.copy().items() if name in present}
        self.doubles = self.doubles & present
