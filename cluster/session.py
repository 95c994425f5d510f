"""One session with one cluster: starts the threads, and applies what they find to the model.

Constructing one is cheap, and importing this module imports neither Celery nor kombu: the first
frame is on the screen before they are loaded, in the threads.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..files import state_folder
from ..model.ingest.redaction import Redaction
from ..model.lookup import HELD_BY_WORKER, TaskLookup
from ..model.observations import QueuePeeked, ResultsRead
from ..model.operations.call import Recovered, SentTask
from ..model.operations.commands import Operation, PauseQueue
from ..model.state import ClusterState
from ..model.wire.events import EventBatch
from ..settings import Settings
from .connection.broker import BrokerConnection
from .control import Control
from .control import RunningOperation as RunningOperation
from .events.open_tasks import OpenTasks
from .events.receiver import Receiver
from .events.roster import Roster
from .inbox import Inbox
from .operations.audit import Audit
from .operations.paused_queues import PausedQueues, identity, is_over
from .polling.inspector import Inspector
from .polling.poller import ScreenInterest
from .polling.queue_poller import QueuePoller
from .results.follower import ResultFollower
from .results.lookups import ResultLookup, look_up

if TYPE_CHECKING:
    from ..model.entities.result import ResultMeta

AUDIT_FILE: Final = "audit.jsonl"
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
        self._redaction = Redaction(settings.redact)
        self.state = state or ClusterState(
            settings.max_tasks,
            settings.max_text_bytes,
            self._redaction,
            progress_paths=settings.progress_path,
        )
        self._broker = BrokerConnection(settings)
        self.state.broker.url = self._broker.shown_url
        self.state.broker.transport = self._broker.scheme
        self._inbox = Inbox(settings.inbox_events)
        self._clock = clock
        self._results = ResultLookup(settings, self._broker.wire, self._redaction.meta)
        self._attention = ScreenInterest(frugal=settings.frugal)
        roster, unfinished = Roster(), OpenTasks()
        self._roster = roster
        self._receiver = Receiver(self._broker, self._inbox, roster, clock, unfinished)
        shared = (self._broker, self._inbox, roster, self._receiver, self._attention, clock)
        self._inspector = Inspector("inspector", *shared, unfinished=unfinished)
        self._queues = QueuePoller("queues", *shared)
        self._following = ResultFollower(
            settings, self._results, unfinished, self._broker, self._receiver, self._inbox,
            self._inspector.query, clock,
        )  # fmt: skip
        self._control = Control(
            self._broker, self._inbox, roster, self._audit(), clock, settings.read_only
        )

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """The threads that talk to the cluster."""
        own = (self._receiver, self._inspector, self._queues)
        return (*own, *self._following.threads, *self._control.threads)

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
        for thread in (self._receiver, self._inspector, self._queues):
            thread.start()
        self._following.start()

    def stop(self, timeout: float = 2.0) -> None:
        """End the threads and remove our queues from the broker, within `timeout` seconds.

        Threads that hang on a silent broker have their connections cut; acts are taken back.
        """
        deadline = time.monotonic() + timeout
        self._control.stop()
        for poller in (self._inspector, self._queues):
            poller.stop()
        self._following.stop()
        self._receiver.stop()
        self._join(time.monotonic() + timeout * POLITE)
        self._results.close()
        self._broker.wire.cut()
        self._join(deadline)
        self._control.leave()

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
            applied += len(observation.events) if isinstance(observation, EventBatch) else 1
            if time.perf_counter() - started >= budget:
                break
        self._following.bring(self.state, self._told_conf(), now)
        return Pumped(applied, len(self._inbox) > 0)

    def call_when_news(self, wake: Callable[[], object]) -> None:
        """Have `wake` called once, from any thread, as soon as there is something to pump."""
        self._inbox.call_when_filled(wake)

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

    def watch_results(self, ids: Sequence[str]) -> None:
        """Say which unfinished tasks are on the screen, or followed: what they report is read."""
        self._following.watch(ids)

    def read_results(self, ids: Sequence[str]) -> None:
        """Have the result backend asked for tasks, once; the model learns what it knows of them."""
        self._following.read(ids)

    @property
    def results_unknown(self) -> str | None:
        """Why nothing tells how far tasks have come, in words; None if the result backend does."""
        return self._following.unknown

    @property
    def read_only(self) -> bool:
        """Whether every act is refused; may be set at any time."""
        return self._control.read_only

    @read_only.setter
    def read_only(self, value: bool) -> None:
        self._control.read_only = value

    def do(self, command: Operation) -> RunningOperation:
        """Begin an act; returns at once. The user has been asked, and what comes of it is told."""
        return self._control.do(command)

    def follows(self, original: SentTask) -> bool:
        """Return whether callbacks or the rest of a chain were to follow a task, or may have been.

        It reads the message: of thousands, not in the thread of the screen.
        """
        return self._control.follows(original)

    def original(self, id_: str) -> SentTask | None:
        """Return what a task was sent with, if that is known exactly without asking anybody."""
        return self._inspector.originals.get(id_)

    def recover(self, ids: Sequence[str]) -> Future[tuple[Recovered, ...]]:
        """Find out what tasks were sent with, wherever that is still known; each in its place."""
        from .lookup.recovery import known_task, recover

        # The model is the caller's alone: all that is needed of it is taken here and now.
        wanted = [known_task(id_, self.state) for id_ in ids]
        queues = sorted({*self.state.queues, *self._roster.queues, *self.settings.queues})
        workers, conf = self._roster.present(), self._told_conf()

        def find() -> tuple[Recovered, ...]:
            originals, reader = self._inspector.originals, self._results.reader(conf)
            return recover(wanted, self._broker, originals, reader, workers, queues, self._clock)

        return look_up(find)

    def peek(self, queue: str, most: int, task: str | None = None) -> Future[QueuePeeked]:
        """Read messages that wait in a queue, without changing anything; the model learns of them.

        Args:
            queue: Its name.
            most: How many at most, the next one first.
            task: Only those of this task name.
        """
        from .messages.reader import MessageReader

        def peek() -> QueuePeeked:
            connection = self._broker.connect()
            try:
                seen = MessageReader(connection, self._broker, self._clock).waiting(
                    queue, most, task
                )
            finally:
                connection.collect()
            seen = self._redaction.peeked(seen)
            self._inbox.put(seen)
            return seen

        return look_up(peek)

    def result(self, id_: str) -> Future[ResultMeta | None]:
        """Look a task up in the result backend; None if it keeps nothing of it.

        Raises:
            ResultsError: From the future: there is no result backend that can be read, and why.
        """
        found = self._results.result(id_, self._told_conf())
        found.add_done_callback(self._take_result)
        return found

    def find_task(self, id_: str) -> Future[TaskLookup]:
        """Look for a task everywhere, also if nothing was ever heard of it; the model learns."""
        from .lookup.find_task import find_task

        task = self.state.tasks.get(id_)
        first = [task.queue] if task is not None and task.queue else []
        known = sorted({*self.state.queues, *self._roster.queues, *self.settings.queues})
        queues = list(dict.fromkeys((*first, *known)))
        workers, conf = self._roster.present(), self._told_conf()

        def find() -> TaskLookup:
            reader = self._results.reader(conf)
            seen = find_task(id_, self._broker, reader, workers, queues, self._clock)
            for one in seen.found:
                # What a worker does with the message that it holds, it alone can tell.
                if one.source != HELD_BY_WORKER:
                    self._inbox.put(one.observation)
            return seen

        return look_up(find)

    def paused(self) -> Mapping[str, PauseQueue]:
        """Return the queues of this cluster that are paused, by this celtop or by another one here.

        One that all its workers say that they consume again is so no more.
        """
        paused = PausedQueues().all(identity(self._broker))
        workers = self.state.workers
        return {queue: its for queue, its in paused.items() if not is_over(its, workers)}

    def _take_result(self, found: Future[ResultMeta | None]) -> None:
        if not found.cancelled() and found.exception() is None and (meta := found.result()):
            self._inbox.put(ResultsRead((meta,), self._clock(), "lookup"))

    def _told_conf(self) -> Mapping[str, Any] | None:
        """Return what some worker told of its configuration."""
        return next((one.conf for one in self.state.workers.values() if one.conf), None)

    def _audit(self) -> Audit:
        named = self.settings.audit_file
        path = (
            state_folder() / AUDIT_FILE
            if named is None
            else Path(named).expanduser()
            if named
            else None
        )
        return Audit(path, lambda: self._broker.shown_url, self._redaction.value)

    def _join(self, deadline: float) -> None:
        for thread in self.threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))
