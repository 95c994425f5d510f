"""The threads that observe one cluster: its events, workers, queues, schedule and results.

They cannot access the model: they put what they observe into the inbox, and `Observers.sync` passes
on what they need from the model.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from ..model.entities.queue import Pause
from ..model.state import ClusterState
from ..settings import Settings
from .connection.broker import BrokerConnection
from .events.open_tasks import OpenTasks
from .events.receiver import Receiver
from .events.roster import Roster
from .inbox import Inbox
from .polling.poller import ScreenInterest
from .polling.polling import Polling
from .results.follower import ResultFollower
from .results.lookups import ResultLookup
from .schedule.reader import ScheduleReader


class Observers:
    """Starts and stops the threads, and directs what they poll.

    Args:
        results: Finds the reader of the result backend.
        pauses: Returns the queues recorded as paused.
        next_frame_at: Returns when a screen paints changes at the earliest, monotonic seconds.
        one_shot: Whether workers and queues are polled on request only, over one connection.
    """

    def __init__(
        self,
        settings: Settings,
        broker: BrokerConnection,
        inbox: Inbox,
        results: ResultLookup,
        pauses: Callable[[], dict[str, Pause]],
        next_frame_at: Callable[[], float] = lambda: 0.0,
        *,
        one_shot: bool,
    ) -> None:
        collected = settings.from_history is not None and not one_shot
        self._interest = ScreenInterest(
            frugal=settings.frugal, one_shot=one_shot, collected=collected
        )
        self.roster, open_tasks = Roster(), OpenTasks()
        self.receiver = Receiver(
            broker, inbox, self.roster, open_tasks, listens=settings.from_history is None
        )
        self.polling = Polling(
            broker, inbox, self.roster, self.receiver, self._interest, open_tasks, pauses
        )
        self.schedule = ScheduleReader(settings, broker, inbox, self.receiver, self._interest)
        self.follower = ResultFollower(
            settings,
            results,
            open_tasks,
            broker,
            self.receiver,
            inbox,
            self.polling.inspector.query,
            self.polling.inspector.found_unknown,
            next_frame_at,
            collected=collected,
        )

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """All threads, once `start` was called."""
        return (self.receiver, *self.polling.threads, self.schedule, *self.follower.threads)

    def start(self, *, inspect: bool) -> None:
        """Start the threads, which begin with a `refresh` unless a collector observes for them.

        Args:
            inspect: Whether to inspect workers.
        """
        self.polling.prepare(inspect=inspect)
        if not self._interest.collected:
            self.refresh()
        for thread in (self.receiver, *self.polling.threads, self.schedule):
            thread.start()
        self.follower.start()

    def stop(self) -> None:
        """Ask the threads to end."""
        for thread in (*self.polling.threads, self.schedule):
            thread.stop()
        self.follower.stop()
        self.receiver.stop()

    def refresh(self, *, workers: bool = True) -> None:
        """Measure queues and inspect workers now; if disconnected, try to connect now.

        Args:
            workers: Whether to inspect workers.
        """
        self.receiver.retry_now()
        self.polling.refresh(workers=workers)
        if self.schedule.wanted or self._interest.collected:
            self.schedule.read()

    def watch(self, topics: frozenset[str]) -> None:
        """Set the topics to poll more often; the schedule is read from the first call on."""
        if not self.schedule.wanted and not self._interest.collected:
            self.schedule.wanted = True
            self.schedule.wake()
        if self.polling.watch(topics) and "schedule" in topics:
            self.schedule.wake()

    def sync(self, state: ClusterState, conf: Mapping[str, Any] | None, now: float) -> None:
        """Pass on what the threads need from the model, in the model's thread; cheap.

        Args:
            state: The model.
            conf: A worker's configuration; None until one has reported it.
            now: The time in epoch seconds.
        """
        if conf is not self.schedule.conf:
            self.schedule.conf = conf
            self.schedule.wake()
        self.follower.sync(state, conf, now)
