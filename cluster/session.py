"""A session with one cluster: runs the I/O threads and applies their observations to the model.

Creating a session is cheap, and importing this module imports neither Celery nor kombu: the first
frame is on the screen before the threads load them.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..model.confirm.targets import known_targets
from ..model.entities.cluster.log import Level
from ..model.entities.limits.thresholds import Thresholds
from ..model.ingest.redaction import Redaction
from ..model.observations import Observation
from ..model.operations.call import SentTask
from ..model.operations.commands import Operation, PauseQueue
from ..model.operations.kept_change import KeptChange
from ..model.state import ClusterState
from ..model.wire.events import EventBatch
from ..settings import Settings
from .connection.broker import BrokerConnection
from .control import Control
from .control import RunningOperation as RunningOperation
from .glibc import limit_heaps
from .history.session_history import SessionHistory
from .inbox import Inbox
from .kept_changes import KeptChanges
from .lookups import Lookups
from .observers import Observers
from .operations.audit import Audit, audit_file, user_name
from .operations.queues.paused_queues import PausedQueues, is_over
from .results.lookups import ResultLookup

if TYPE_CHECKING:
    from ..model.entities.changes import Changes
    from .history.prometheus_history import ChartHistory as ChartHistory
    from .history.stored_history import StoredHistory as StoredHistory
    from .history.stored_search import StoredSearch as StoredSearch

ONE_SHOT_COMMANDS: Final = 40.0
"""Commands of a session for one command, to which optional ones may add up."""
GRACEFUL_SHARE: Final = 0.6
"""The share of the time to stop that threads have to disconnect cleanly before they are cut off."""


class Pumped(NamedTuple):
    """The result of one `Session.pump`."""

    applied: int
    """Number of events and other observations applied."""
    more: bool
    """Whether more observations are waiting."""


def new_state(settings: Settings) -> ClusterState:
    """Return an empty model with the limits of the settings."""
    return ClusterState(
        settings.max_tasks,
        settings.max_text_bytes,
        Redaction(settings.redact),
        progress_paths=settings.progress_path,
        keep=settings.keep,
        thresholds=Thresholds(**settings.findings),
    )


class Session:
    """A live model of the cluster that `settings` names.

    Call `start` once, then `pump` regularly; read the model from `state` in the same thread. All
    other methods return at once, and those that look something up return a future.

    Args:
        state: The model to update; None creates one.
        one_shot: Whether it is for one command, which polls workers and queues only on request,
            over one connection, and without asking again for replies that are late.
    """

    def __init__(
        self, settings: Settings, state: ClusterState | None = None, *, one_shot: bool = False
    ) -> None:
        self.settings = settings
        self.tap: Callable[[float, Observation | None], object] | None = None
        """Called with the time and each observation that is applied, and with None for each `tick`;
        it must return soon."""
        self.next_frame_at: Callable[[], float] = lambda: 0.0
        """Returns when the screen paints changes at the earliest, monotonic seconds, from any
        thread: what only the next frame shows is not decoded before."""
        redaction = Redaction(settings.redact)
        self.state = state or new_state(settings)
        self._broker = BrokerConnection(settings, ONE_SHOT_COMMANDS if one_shot else math.inf)
        self.state.broker.url = self._broker.shown_url
        self.state.broker.transport = self._broker.scheme
        self.state.broker.transport_options = dict(settings.broker_transport_options)
        self._inbox = Inbox(settings.inbox_events)
        self._conf: Mapping[str, Any] | None = None
        self._results = ResultLookup(settings, self._broker.meter, redaction)
        self._paused = PausedQueues()
        self._observers = Observers(
            settings,
            self._broker,
            self._inbox,
            self._results,
            lambda: self._paused.pauses(self._broker.identity),
            lambda: self.next_frame_at(),
            one_shot=one_shot,
        )
        roster = self._observers.roster
        self.history = SessionHistory(
            settings, self.cluster, user_name(), self._inbox, roster, redaction
        )
        """Reads the history of this cluster, and writes it."""
        self.lookups = Lookups(
            settings,
            self.state,
            self._broker,
            roster,
            self._observers.polling.inspector.sent_cache,
            self._results,
            self._inbox,
            redaction,
            self._worker_conf,
        )
        """Finds tasks, messages and results on request."""
        self._changes = KeptChanges(
            self._broker.identity, self.state, self._observers.polling.inspector.ask_soon
        )
        self._control = self._new_control(redaction)

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """The threads that talk to the cluster, and those of its history."""
        return (*self._observers.threads, *self.history.threads, *self._control.threads)

    @property
    def cluster(self) -> str:
        """The cluster's name in the history: the one given to it, or its broker's URL."""
        return self.settings.cluster or self._broker.identity

    @property
    def backlog(self) -> int:
        """Number of events waiting to be applied."""
        return self._inbox.events

    @property
    def commands_sent(self) -> int:
        """Number of commands sent to the broker so far, over all connections."""
        return self._broker.meter.sent

    @property
    def round_trip(self) -> float:
        """Seconds from a request to the broker's reply, by the last connect; 0 before."""
        return self._broker.round_trip

    def start(self, *, inspect: bool = True) -> None:
        """Start the threads, which begin with a `refresh`; returns at once.

        Args:
            inspect: Whether to inspect workers: what only they can answer stays unknown otherwise.
        """
        limit_heaps()
        for library in ("amqp", "celery", "kombu", "redis"):
            # Their stderr output would land in the middle of the screen; the errors that matter
            # reach us as exceptions and go to our own log.
            logging.getLogger(library).addHandler(logging.NullHandler())
        self._observers.start(inspect=inspect)
        if self.settings.from_history is not None:
            self.history.follow(self.settings.from_history)

    def stop(self, timeout: float = 2.0) -> None:
        """End the threads and remove our queues from the broker, within `timeout` seconds.

        Operations under way are cancelled. Connections to a broker that does not respond are cut.
        """
        deadline = time.monotonic() + timeout
        self.history.stop()
        self._results.begin_search().set()
        self._control.stop()
        self._observers.stop()
        if self.state.broker.is_connected:
            self._join(time.monotonic() + timeout * GRACEFUL_SHARE)
        self._results.close()
        self._broker.meter.cut()
        self._join(deadline)
        self._control.leave()

    def pump(self, now: float, budget: float) -> Pumped:
        """Apply waiting observations to the model, for about `budget` seconds.

        Args:
            now: The time in epoch seconds.
            budget: Seconds of real time; at least one observation is applied.
        """
        started = time.perf_counter()
        applied, replied, tap, history = 0, False, self.tap, self.history.sink
        while (observation := self._inbox.take()) is not None:
            self.state.observe(observation)
            if tap is not None:
                tap(now, observation)
            if isinstance(observation, EventBatch):
                applied += len(observation.events)
            else:
                applied += 1
                replied = True
                if history is not None:
                    history.observe(observation)
            if time.perf_counter() - started >= budget:
                break
        if stale := self.state.take_stale_consumers(now):
            self._observers.polling.inspector.ask_soon("active_queues", stale)
        # No event has it: of a thousand workers without, all would be looked at each time.
        if replied:
            self._conf = self._worker_conf()
        self._observers.sync(self.state, self._conf, now)
        return Pumped(applied, len(self._inbox) > 0)

    def tick(self, now: float) -> None:
        """Update what changes with time alone, such as late workers; call it every second."""
        self.state.tick(now)
        if self.tap is not None:
            self.tap(now, None)

    def take_changes(self, now: float) -> Changes:
        """Return what changed since the last call, for the screen; the history gets it, too."""
        changes = self.state.take_changes()
        if self.history.sink is not None:
            self.history.sink.update(self.state, changes, now)
        return changes

    def call_on_update(self, callback: Callable[[], object]) -> None:
        """Call `callback` once, from any thread, as soon as there is something to pump."""
        self._inbox.call_on_put(callback)

    def log(self, level: Level, source: str, text: str) -> None:
        """Add a line to the log, from any thread."""
        self._inbox.log(level, source, text)

    def prove_connection(self) -> None:
        """Have the broker send something soon, which shows whether the connection works."""
        self._observers.receiver.prove_soon()

    def cut_connections(self) -> None:
        """Cut all connections to the broker, which does not respond: waiting for it ends."""
        self._broker.meter.cut()

    def refresh(self, *, workers: bool = True) -> None:
        """Measure queues and inspect workers now; if disconnected, try to connect now.

        Args:
            workers: Whether to inspect workers.
        """
        self._observers.refresh(workers=workers)

    def inspect_revoked(self) -> bool:
        """Ask the workers which of the messages that wait they will discard as revoked.

        Returns:
            Whether they are asked: messages were read, and the budget of commands allows it.
            `refreshed` is false until they have replied.
        """
        state = self.state
        any_read = any(state.messages_in(one.name) for one in state.queues.values() if one.waiting)
        return any_read and self._observers.polling.inspect_revoked()

    def read_schedule(self) -> Future[None]:
        """Read beat's schedule now, and regularly from then on; the model is updated."""
        return self._observers.schedule.read()

    @property
    def refreshed(self) -> bool:
        """Whether every `refresh` is complete, or was given up; `pump` before reading `state`."""
        return self._observers.polling.refreshed

    @property
    def messages_read(self) -> bool:
        """Whether the messages in all queues were read, if they are at all; `pump` first."""
        waiting = {name for name, queue in self.state.queues.items() if queue.waiting}
        return waiting <= self._observers.follower.history.queues_done

    @property
    def history_loaded(self) -> bool:
        """Whether the finished tasks were read, or cannot be; `pump` before reading `state`."""
        return self._observers.follower.history.complete

    def watch(self, topics: frozenset[str]) -> None:
        """Set the topics to poll more often.

        They are `workers`, `worker:NAME`, `queues`, `consumers` (of queues), `schedule`, and
        `overview` if all of these may be older.
        """
        self._observers.watch(topics)

    def watch_results(self, ids: Sequence[str]) -> None:
        """Follow the progress of these unfinished tasks, in place of the tasks before."""
        self._observers.follower.watch(ids)

    def read_results(self, ids: Sequence[str]) -> None:
        """Read these tasks from the result backend once; the model is updated."""
        self._observers.follower.read(ids)

    @property
    def progress_unavailable(self) -> str | None:
        """Why the result backend cannot provide progress; None if it can."""
        return self._observers.follower.progress_unavailable

    @property
    def read_only(self) -> bool:
        """Whether every operation is refused; may be set at any time."""
        return self._control.read_only

    @read_only.setter
    def read_only(self, value: bool) -> None:
        self._control.read_only = value

    def do(self, operation: Operation) -> RunningOperation:
        """Start an operation, without asking for confirmation; returns at once."""
        known = known_targets(self.state, operation)
        return self._control.do(operation, known, self._changes.inverse(operation))

    def has_links(self, sent: SentTask) -> bool:
        """Return whether a task's message has, or may have, callbacks or the rest of a chain.

        This decodes the message: for thousands of tasks, call it outside the screen's thread.
        """
        return self._control.has_links(sent)

    def paused_queues(self) -> Mapping[str, PauseQueue]:
        """Return the queues of this cluster that were paused from this machine, by name.

        A queue that all its workers report consuming again is left out.
        """
        cluster, workers = self._broker.identity, self.state.workers
        pauses = self._paused.pauses(cluster)
        return {
            queue: its
            for queue, its in self._paused.all(cluster).items()
            if not is_over(its, pauses[queue].at if queue in pauses else None, workers)
        }

    def kept_changes(self, now: float) -> Sequence[KeptChange]:
        """Return the changes of limits and consumers of this cluster made from this machine.

        The latest is last. One that no worker has any more is forgotten.
        """
        return self._changes.update(self._paused.all(self._broker.identity), now)

    def _new_control(self, redaction: Redaction) -> Control:
        settings = self.settings
        path = audit_file(settings.audit_file)
        return Control(
            self._broker,
            self._inbox,
            self._observers.roster,
            Audit(path, lambda: self._broker.shown_url, redaction.value),
            settings.read_only,
            settings.audit_required,
            results=self._observers.follower.reader,
            redact=redaction.text,
            switch_entries=self._observers.schedule.switch if settings.app is not None else None,
        )

    def _worker_conf(self) -> Mapping[str, Any] | None:
        """Return a worker's configuration, if one has reported it."""
        return next((one.conf for one in self.state.workers.values() if one.conf), None)

    def _join(self, deadline: float) -> None:
        for thread in self.threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))
