"""Follows tasks in the result backend: published changes, polling, and the history at startup.

Each session has one follower. Its threads cannot access the model; `sync` passes on what they need
from it, a few times a second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

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
"""Seconds between two updates from the model."""
CONF_TIMEOUT: Final = 6.0
"""Seconds to wait for a worker's configuration, which names the result backend."""
_MAX_PRUNED: Final = 500


class ResultFollower:
    """Follows unfinished tasks in the result backend that the settings or the workers name.

    Args:
        receiver: Each of its connections reads the history once.
        ask_workers: Called with suspect tasks, the workers to ask (None for all), and the queues
            in which the tasks may wait.
        found_unknown: Called when an unknown task has ended, although workers send no events.
        next_frame_at: Returns when a screen paints changes at the earliest, monotonic seconds.
        collected: Whether a collector follows them in its place, so that it only reads on request.
    """

    def __init__(
        self,
        settings: Settings,
        lookup: ResultLookup,
        open_tasks: OpenTasks,
        broker: BrokerConnection,
        receiver: Receiver,
        inbox: Inbox,
        ask_workers: Callable[[Sequence[str], frozenset[str] | None, Sequence[str]], None],
        found_unknown: Callable[[], object],
        next_frame_at: Callable[[], float] = lambda: 0.0,
        *,
        collected: bool = False,
    ) -> None:
        self._lookup = lookup
        self._open_tasks = open_tasks
        self._inbox = inbox
        self._conf: Mapping[str, Any] | None = None
        self._synced_at = 0.0
        self._started_at: float | None = None
        self._prune_from = 0
        self._noted: str | None = None
        self._ask = ask_workers
        self._holders: dict[str, str | None] = {}
        self._queues: tuple[str, ...] = ()
        self._collected = collected
        frugal = settings.frugal or collected
        self.push = ResultPush(
            self.reader,
            open_tasks,
            inbox,
            frugal=frugal,
            found_unknown=found_unknown,
            next_frame_at=next_frame_at,
        )
        self.poller = ResultPoller(
            self.reader, open_tasks, self.push, inbox, self._ask_workers, frugal=frugal
        )
        # Reading the history costs a command for each old result.
        limit = 0 if frugal else settings.load_results
        self.history = ResultHistory(self.reader, broker, receiver, inbox, open_tasks, limit)
        if frugal:
            self.history.max_messages = 0

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """The threads that read the result backend."""
        if self._collected:
            return (self.poller, self.history)
        return (self.push, self.poller, self.history)

    @property
    def progress_unavailable(self) -> str | None:
        """Why the result backend cannot provide progress, in words; None if it can."""
        return self.reader().unavailable or self.poller.fault

    def reader(self) -> ResultReader:
        """Return the reader of the result backend that is known by now."""
        return self._lookup.reader(self._conf)

    def start(self) -> None:
        """Start the threads."""
        self._started_at = time.monotonic()
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """Ask the threads to end."""
        for one in (self.push, self.poller, self.history):
            one.stop()

    def watch(self, ids: Sequence[str]) -> None:
        """Follow the progress of these tasks, in place of the tasks before."""
        if not self._collected and self._open_tasks.watch(ids):
            self.poller.wake()

    def read(self, ids: Sequence[str]) -> None:
        """Read these tasks once, as soon as possible."""
        self._open_tasks.request_read(ids)
        self.poller.wake()

    def sync(self, state: ClusterState, conf: Mapping[str, Any] | None, now: float) -> None:
        """Pass on what the threads need from the model, in the model's thread; cheap."""
        moment = time.monotonic()
        if conf is not self._conf:
            self._conf = conf
            self.push.wake()
            self.poller.wake()
        if moment - self._synced_at < SYNC_INTERVAL:
            return
        self._synced_at = moment
        self._prune(state)
        if self._collected:
            return
        tasks_to_check = state.tasks_to_check(now)
        held = state.tasks
        self._holders = {id_: held[id_].worker for id_ in tasks_to_check if id_ in held}
        is_new = tasks_to_check and not self.poller.tasks_to_check
        self.poller.tasks_to_check = tasks_to_check
        if is_new:
            self.poller.wake()
        self._watch_unobserved(state)
        waiting = {one.name: one.waiting for one in state.queues.values() if one.waiting}
        self._queues = tuple(waiting)
        self.history.add_queues(waiting)
        measured = [one for one in state.queues.values() if one.measured_at is not None]
        self.history.any_held = any(one.unacked != 0 for one in measured)
        self.history.unattended = {
            name: queue.waiting or 0 for name, queue in state.queues.items() if queue.unattended
        }
        self.history.wake_if_due()
        self._note_unavailable(moment)

    def _watch_unobserved(self, state: ClusterState) -> None:
        """Follow the tasks of workers that send no events by their messages and results."""
        without = [one for one in state.workers.values() if one.events_enabled is False]
        consumed = {queue.name for worker in without for queue in worker.queues or ()}
        waiting = (name for name in sorted(consumed) if name in state.queues)
        self.history.repeated_queues = tuple(n for n in waiting if state.queues[n].waiting)
        self.push.include_unknown = bool(without)

    def _ask_workers(self, ids: Sequence[str]) -> None:
        names = [self._holders.get(id_) for id_ in ids]
        known = frozenset(name for name in names if name is not None)
        self._ask(ids, known if len(known) and None not in names else None, self._queues)

    def _prune(self, state: ClusterState) -> None:
        """Remove tasks that have finished according to the model, some at each call."""
        ids = (*self._open_tasks.running, *self._open_tasks.waiting)
        self._prune_from = self._prune_from if self._prune_from < len(ids) else 0
        for id_ in islice(ids, self._prune_from, self._prune_from + _MAX_PRUNED):
            task = state.tasks.get(id_)
            if task is not None and task.finished:
                self._open_tasks.mark_ended(id_)
        self._prune_from += _MAX_PRUNED

    def _note_unavailable(self, moment: float) -> None:
        """Log once why the result backend cannot provide progress."""
        waited = self._started_at is not None and moment - self._started_at > CONF_TIMEOUT
        why = self.reader().unavailable
        if why is not None and why != self._noted and (waited or self._conf is not None):
            self._noted = why
            self._inbox.log("info", "results", f"Progress is shown from events only: {why}")
