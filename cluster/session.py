"""One session with one cluster: starts the threads, and applies what they find to the model.

Constructing one is cheap, and importing this module imports neither Celery nor kombu: the first
frame is on the screen before they are loaded, in the threads.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from ..model.events import Heard
from ..model.state import ClusterState
from ..settings import Settings
from .connection import Broker
from .inbox import Inbox
from .inspector import Inspector
from .poller import Attention
from .queues import QueuePoller
from .receiver import Receiver
from .roster import Roster

POLITE: Final = 0.6
"""The share of the time to stop in which threads may take leave of the broker."""


class Pumped(NamedTuple):
    """What one pump did."""

    applied: int
    """How many events and other observations."""
    more: bool
    """Whether some are left for the next."""


class Session:
    """A live model of the cluster that `settings` names; read `state`, call `pump` to move it on.

    Args:
        settings: Which broker, and how.
        state: The model to keep, if the caller has one.
        clock: Our clock, in epoch seconds.
    """

    def __init__(
        self,
        settings: Settings,
        state: ClusterState | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.state = state or ClusterState(settings.max_tasks, settings.max_text_bytes)
        self._broker = Broker(settings)
        self.state.broker.url = self._broker.shown_url
        self.state.broker.transport = self._broker.scheme
        self._inbox = Inbox(settings.inbox_events)
        self._attention = Attention(frugal=settings.frugal)
        roster = Roster()
        self._receiver = Receiver(self._broker, self._inbox, roster, clock)
        shared = (self._broker, self._inbox, roster, self._receiver, self._attention, clock)
        self._inspector = Inspector("inspector", *shared)
        self._queues = QueuePoller("queues", *shared)

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """The threads that talk to the cluster."""
        return (self._receiver, self._inspector, self._queues)

    @property
    def backlog(self) -> int:
        """How many events wait to be applied."""
        return self._inbox.events

    def start(self) -> None:
        """Begin to listen; returns at once, whatever the broker does."""
        for library in ("amqp", "celery", "kombu", "redis"):
            # What they would print to stderr lands in the middle of the screen; all that matters
            # of it comes to us as an exception and goes to our own log.
            logging.getLogger(library).addHandler(logging.NullHandler())
        for thread in self.threads:
            thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """End the threads and remove our queues from the broker, within `timeout` seconds.

        Threads that hang on a silent broker have their connections cut.
        """
        deadline = time.monotonic() + timeout
        for poller in (self._inspector, self._queues):
            poller.stop()
        self._receiver.stop()
        self._join(time.monotonic() + timeout * POLITE)
        self._broker.wire.cut()
        self._join(deadline)

    def pump(self, now: float, budget: float) -> Pumped:
        """Apply what has come in, for about `budget` seconds.

        Args:
            now: Our clock, in epoch seconds.
            budget: Seconds of real time; at least one observation is applied.
        """
        started = time.perf_counter()
        applied = 0
        while (observation := self._inbox.take()) is not None:
            self.state.observe(observation, now)
            applied += len(observation.events) if isinstance(observation, Heard) else 1
            if time.perf_counter() - started >= budget:
                break
        return Pumped(applied, len(self._inbox) > 0)

    def refresh(self) -> None:
        """Ask workers and queues now, whatever the schedule; if there is no connection, try now."""
        self._receiver.retry()
        self._inspector.wake(refresh=True)
        self._queues.wake(refresh=True)

    @property
    def refreshed(self) -> bool:
        """Whether all that `refresh` asked for has been answered, or given up: pump, and look."""
        return self._inspector.refreshed and self._queues.refreshed

    def watch(self, topics: frozenset[str]) -> None:
        """Say what is on the screen: `workers`, `worker:NAME`, `queues`; it is asked more often."""
        if topics != self._attention.topics:
            self._attention.topics = topics
            self._inspector.wake()
            self._queues.wake()

    def _join(self, deadline: float) -> None:
        for thread in self.threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))
