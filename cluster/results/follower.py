"""What becomes of tasks, by the result backend: pushed, polled, and read once when we came.

A session has one of these. Its threads know no model: what they need of it is brought to them by
the one who pumps, a few times a second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from ...model.observations import LogMessage
from ...model.state import ClusterState
from ...settings import Settings
from ..connection.broker import BrokerConnection
from ..events.open_tasks import OpenTasks
from ..events.receiver import Receiver
from ..inbox import Inbox
from .backends.base import ResultReader
from .history import ResultHistory
from .lookups import ResultLookup
from .poller import ResultPoller
from .push import ResultPush

SYNC_INTERVAL: Final = 0.25
"""Seconds between two looks at the model."""
CONF_TIMEOUT: Final = 6.0
"""Seconds in which a worker may yet tell of a result backend."""
_MAX_PRUNED: Final = 2_000


class ResultFollower:
    """Follows unfinished tasks in the result backend that the settings or the workers name.

    Args:
        settings: How much of it.
        lookup: Opens the reader.
        open_tasks: The tasks that matter.
        broker: Where messages wait.
        receiver: Its connections begin what is read once.
        inbox: Where to leave what is learned.
        ask_workers: Called with tasks that the model doubts, and with those who have them; None
            is everyone.
        clock: Our clock, in epoch seconds.
    """

    def __init__(
        self,
        settings: Settings,
        lookup: ResultLookup,
        open_tasks: OpenTasks,
        broker: BrokerConnection,
        receiver: Receiver,
        inbox: Inbox,
        ask_workers: Callable[[Sequence[str], frozenset[str] | None], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._lookup = lookup
        self._open_tasks = open_tasks
        self._inbox = inbox
        self._clock = clock
        self._conf: Mapping[str, Any] | None = None
        self._synced_at = 0.0
        self._started_at: float | None = None
        self._prune_from = 0
        self._noted: str | None = None
        self._ask = ask_workers
        self._holders: dict[str, str | None] = {}
        frugal = settings.frugal
        self.push = ResultPush(self.reader, open_tasks, inbox, clock, frugal=frugal)
        self.poller = ResultPoller(
            self.reader, open_tasks, self.push, inbox, self._ask_workers, clock, frugal=frugal
        )
        # As few commands as may be: what is past is not worth one for each old result.
        most = 0 if frugal else settings.history
        self.history = ResultHistory(self.reader, broker, receiver, inbox, open_tasks, most, clock)
        if frugal:
            self.history.max_messages = 0

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """The threads that talk to the result backend."""
        return (self.push, self.poller, self.history)

    @property
    def progress_unavailable(self) -> str | None:
        """Why it cannot be known how far tasks have come, in words; None if it can."""
        return self.reader().unavailable or self.poller.fault

    def reader(self) -> ResultReader:
        """Return what reads the results, as far as it is known by now which backend it is."""
        return self._lookup.reader(self._conf)

    def start(self) -> None:
        """Begin."""
        self._started_at = time.monotonic()
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """Ask the threads to end."""
        for one in (self.push, self.poller, self.history):
            one.stop()

    def watch(self, ids: Sequence[str]) -> None:
        """Follow these tasks closely, in place of those before."""
        if self._open_tasks.watch(ids):
            self.poller.wake()

    def read(self, ids: Sequence[str]) -> None:
        """Have these tasks read once, as soon as may be."""
        self._open_tasks.request_read(ids)
        self.poller.wake()

    def sync(self, state: ClusterState, conf: Mapping[str, Any] | None, now: float) -> None:
        """Take from the model what the threads need; cheap, and mostly nothing at all.

        Args:
            state: The model; this is the thread that may look at it.
            conf: What a worker told of its configuration.
            now: Our clock, in epoch seconds.
        """
        moment = time.monotonic()
        self._conf = conf
        if moment - self._synced_at < SYNC_INTERVAL:
            return
        self._synced_at = moment
        self._prune(state)
        tasks_to_check = state.tasks_to_check(now)
        held = state.tasks
        self._holders = {id_: held[id_].worker for id_ in tasks_to_check if id_ in held}
        self.poller.tasks_to_check = tasks_to_check
        self.history.add_queues(queue.name for queue in state.queues.values() if queue.waiting)
        self._note_unavailable(moment)

    def _ask_workers(self, ids: Sequence[str]) -> None:
        names = [self._holders.get(id_) for id_ in ids]
        known = frozenset(name for name in names if name is not None)
        self._ask(ids, known if len(known) and None not in names else None)

    def _prune(self, state: ClusterState) -> None:
        """Let go of what has ended, by whatever the model knows it; a part each time."""
        ids = (*self._open_tasks.running, *self._open_tasks.waiting)
        self._prune_from = self._prune_from if self._prune_from < len(ids) else 0
        for id_ in islice(ids, self._prune_from, self._prune_from + _MAX_PRUNED):
            task = state.tasks.get(id_)
            if task is not None and task.finished:
                self._open_tasks.mark_ended(id_)
        self._prune_from += _MAX_PRUNED

    def _note_unavailable(self, moment: float) -> None:
        """Say once in the log why there is nothing to see of how far tasks have come."""
        waited = self._started_at is not None and moment - self._started_at > CONF_TIMEOUT
        why = self.reader().unavailable
        if why is not None and why != self._noted and (waited or self._conf is not None):
            self._noted = why
            text = f"How far tasks have come is told only by events of their own: {why}"
            self._inbox.put(LogMessage("info", "results", text, self._clock()))
