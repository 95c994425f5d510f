"""The workers and queues that the threads know: the receiver finds them, the pollers ask them.

The receiver and the inspector write, every thread reads. A lock guards the changes that take
several steps; one `add`, `copy` or union of a dict or set is atomic, with and without the GIL.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from ...model.entities.worker import BEAT_PREFIX, OFFLINE_AFTER_HEARTBEATS
from ...model.wire.events import TASK_EVENTS, Event

FORGET_AFTER: Final = 180.0
"""Seconds without a sign of life after which a worker is no longer asked: about as long as the
screen keeps a lost worker."""
OVERDUE_AFTER_HEARTBEATS: Final = 1.5
"""Heartbeat intervals without a heartbeat after which the cause is looked for."""
FIRST_INSPECTION: Final = "conf"
"""A command that only the first inspection of a worker has: other questions, about its tasks or
whether it is there, may be asked before."""
MAX_WORKERS: Final = 5_000
"""Workers that are remembered, as many as the model holds; beyond that the silent are forgotten.
With a new name for each container there would be ever more."""
MAX_PIDS: Final = 8
"""Pids remembered per worker."""
MAX_NAMES: Final = 2_000
"""Queues and exchanges each, as many as the model holds: an app may use a queue for each reply."""


class Member(msgspec.Struct):
    """One worker, with what the threads need to inspect it."""

    last_seen_at: float = 0.0
    """Monotonic time of its last event or reply."""
    heartbeat_at: float | None = None
    """Monotonic time of its last heartbeat; None if it sends none."""
    heartbeat_interval: float = 2.0
    """Seconds between its heartbeats."""
    sends_heartbeats: bool = False
    """Whether it has sent a heartbeat by itself, and not only on request."""
    pids: tuple[int | None, ...] = ()
    """The latest pids of its heartbeats and replies."""
    events_enabled: bool = False
    """Whether its task events are known to be enabled, or impossible to enable."""
    without_events: bool = False
    """Whether its task events are impossible to enable."""
    inspected: bool = False
    """Whether it has replied to the first inspection since it came online."""
    serializer: str | None = None
    """The serializer of its replies, if it is not accepted."""
    attempts: int = 0
    """Number of unanswered first inspections."""
    next_attempt: float = 0.0
    """Monotonic time of the next first inspection."""

    def record_process(self, pid: int | None) -> bool:
        """Have a new process inspected again: its `worker-online` may have been missed.

        Returns:
            Whether it is new.
        """
        if pid in self.pids:
            return False
        if self.pids:
            self.reset()
        self.pids = (*self.pids, pid)[-MAX_PIDS:]
        return True

    def reset(self) -> None:
        """Have it inspected again: it has restarted, or its replies may have been missed."""
        self.events_enabled = self.without_events = self.inspected = False
        self.attempts = 0
        self.next_attempt = 0.0


class Roster:
    """The workers, queues and exchanges seen in events and replies."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.members: dict[str, Member] = {}
        self.queues: set[str] = set()
        """Queues that tasks were sent to or that workers consume."""
        self.exchanges: set[str] = set()
        self.has_quorum_queues = False
        """Whether a worker has reported that it consumes a quorum queue."""
        self.events_disabled: set[str] = set()
        """Workers whose task events the user disabled: celtop does not enable them again."""
        self.offline_at: dict[str, float] = {}
        """Monotonic time of the latest `worker-offline` events, by worker."""
        self.last_event_at = time.monotonic()
        """Monotonic time of the last event of any kind."""
        self.call_on_new: Callable[[], object] = lambda: None
        """Called, from any thread, when a worker is new or has restarted."""

    def apply(self, event: Event) -> None:
        """Record an event's sender. One event of a message is enough: they share the sender."""
        now = self.last_event_at = time.monotonic()
        if event.type == "task-sent":
            if event.queue:
                self.add_queue(event.queue)
            if event.exchange:
                self.add_exchange(event.exchange)
            return
        of_task = event.type in TASK_EVENTS
        if not of_task and not event.type.startswith("worker-"):
            return
        with self._lock:
            member = self._member(event.hostname)
            if member is None:
                return
            member.last_seen_at = now
            if of_task:
                member.events_enabled, member.without_events = True, False
            elif event.type == "worker-offline":
                self._remove(event.hostname, now)
            else:
                member.heartbeat_at = now
                member.heartbeat_interval = event.freq or member.heartbeat_interval
                on_request = event.active is None and event.processed is None
                if not on_request or event.type == "worker-online":
                    member.sends_heartbeats = True
                if member.record_process(event.pid):
                    self.call_on_new()
                if event.type == "worker-online":
                    self.events_disabled.discard(event.hostname)
                    member.reset()
                    self.call_on_new()

    def add_queue(self, name: str) -> None:
        """Add a queue, unless there are too many."""
        if len(self.queues) < MAX_NAMES:
            self.queues.add(name)

    def forget_queue(self, name: str) -> None:
        """Forget a queue that the broker no longer has, until it is named again."""
        self.queues.discard(name)

    def add_exchange(self, name: str) -> None:
        """Add an exchange, unless there are too many."""
        if len(self.exchanges) < MAX_NAMES:
            self.exchanges.add(name)

    def replied(self, name: str, command: str) -> Member | None:
        """Record a worker's reply to a command; return the worker, None if it is not one."""
        with self._lock:
            member = self._member(name)
            if member is not None:
                member.last_seen_at = time.monotonic()
                member.inspected |= command == FIRST_INSPECTION
            return member

    @property
    def may_use_delayed_delivery(self) -> bool:
        """Whether there may be RabbitMQ's queues for delayed messages.

        Workers with quorum queues declare them (`celery/worker/consumer/delayed_delivery.py`).
        """
        return self.has_quorum_queues or not any(one.inspected for one in self.members.values())

    def present(self) -> tuple[str, ...]:
        """Return the names of the workers to expect replies from, sorted."""
        since = time.monotonic() - FORGET_AFTER
        members = self.members.copy()
        return tuple(sorted(name for name, one in members.items() if one.last_seen_at > since))

    def serializers(self) -> dict[str, str | None]:
        """Return the workers to expect replies from, with the serializer if it is not accepted."""
        members = self.members.copy()
        return {name: members[name].serializer for name in self.present() if name in members}

    def to_inspect(self, enable_events: bool, *, at_any_time: bool = False) -> tuple[str, ...]:
        """Return the names of the present workers whose first inspection is due, sorted.

        Args:
            enable_events: Whether it includes enabling task events.
            at_any_time: Whether to include those whose first inspection is due later.
        """
        now = time.monotonic()
        members = self.members
        return tuple(
            name
            for name in self.present()
            if (one := members.get(name)) is not None
            and not (
                one.inspected
                and (one.events_enabled or not enable_events or name in self.events_disabled)
            )
            and (at_any_time or one.next_attempt <= now)
        )

    def overdue(self) -> tuple[str, ...]:
        """Return the workers whose heartbeat is overdue, but not so long that they are lost."""
        now = time.monotonic()
        with self._lock:
            return tuple(
                name
                for name, one in self.members.items()
                if one.heartbeat_at is not None
                and OVERDUE_AFTER_HEARTBEATS
                < (now - one.heartbeat_at) / one.heartbeat_interval
                < OFFLINE_AFTER_HEARTBEATS + OVERDUE_AFTER_HEARTBEATS
            )

    def can_enable_events(self, names: Iterable[str]) -> bool:
        """Return whether task events may be enabled on all of these workers."""
        members = self.members
        return not any(
            name in self.events_disabled
            or ((one := members.get(name)) is not None and one.without_events)
            for name in names
        )

    def unobserved(self, enable_events: bool) -> tuple[str, ...]:
        """Return the names of the present workers that only replies show anything of, sorted.

        They send no task events, so that their tasks are unknown, or no heartbeats.

        Args:
            enable_events: Whether task events are enabled on all workers that can send them.
        """
        members = self.members
        return tuple(
            name
            for name in self.present()
            if (one := members.get(name)) is not None
            and (
                one.without_events
                or not one.sends_heartbeats
                or not (enable_events or one.events_enabled)
            )
        )

    def connection_lost(self) -> None:
        """Have every worker inspected again: events were missed."""
        with self._lock:
            for member in self.members.values():
                member.heartbeat_at = None
                member.reset()

    def _remove(self, name: str, now: float) -> None:
        self.members.pop(name, None)
        self.offline_at.pop(name, None)
        self.offline_at[name] = now
        if len(self.offline_at) > MAX_WORKERS:
            del self.offline_at[next(iter(self.offline_at))]

    def _member(self, name: str) -> Member | None:
        if name.startswith(BEAT_PREFIX):
            return None
        member = self.members.get(name)
        if member is None:
            if len(self.members) >= MAX_WORKERS:
                self._forget_absent()
            if len(self.members) >= MAX_WORKERS:
                return None
            member = self.members[name] = Member()
            self.call_on_new()
        return member

    def _forget_absent(self) -> None:
        present = set(self.present())
        self.members = {name: one for name, one in self.members.items() if name in present}
