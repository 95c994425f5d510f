"""The loop of a process without a screen: pumps sessions, and passes their changes to sinks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from ..cluster.session import Pumped
    from ..model.entities.changes import Changes
    from ..model.state import ClusterState

PUMP_BUDGET: Final = 0.05
"""Seconds of applying the observations of one session before the next one is looked at."""
PUMP_PAUSE: Final = 0.001
"""Seconds left to the receiving threads while there is a backlog."""
BUSY_INTERVAL: Final = 0.05
"""Seconds between two pumps while events arrive: each pump costs CPU time, too."""

DRAIN_SECONDS: Final = 5.0
"""Seconds at the end in which events that have been received are still applied."""

COLLECTED_TOPICS: Final = frozenset({"overview", "workers", "queues", "schedule"})
"""The topics that sessions poll (`Session.watch`), as for an open Overview."""

T = TypeVar("T")
Call: TypeAlias = Callable[[], object]


class Sink(Protocol):
    """Takes the changes of a cluster: metrics, rows of the store, alerts."""

    def update(self, state: ClusterState, changes: Changes, now: float) -> object:
        """Take what changed since the last call; called about once a second, also without changes.

        It must return soon: events wait meanwhile. An error of it ends the loop.

        Args:
            state: The model of the cluster, which only the calling thread may read.
            changes: What changed; each change is passed once.
            now: The local time in epoch seconds.
        """


class Source(Protocol):
    """The part of a `cluster.session.Session` that the loop uses."""

    @property
    def state(self) -> ClusterState:
        """The model."""

    def pump(self, now: float, budget: float) -> Pumped:
        """Apply waiting observations to the model."""

    def call_on_update(self, callback: Callable[[], object]) -> None:
        """Call `callback` once, as soon as there is something to pump."""


class Collected(NamedTuple):
    """One cluster: its session, which was started, and the sinks of its changes."""

    source: Source
    sinks: Sequence[Sink]
    cluster: str = ""
    """The name of the cluster."""


class CollectorLoop:
    """Keeps the models of clusters up to date in the calling thread.

    The clusters may be replaced while it runs, from the same thread.
    """

    def __init__(
        self, clusters: Sequence[Collected], clock: Callable[[], float] = time.time
    ) -> None:
        self.clusters = tuple(clusters)
        self._clock = clock
        # An Event cannot be set in a signal handler: its lock may be held by the same thread.
        self._calls: SimpleQueue[Call] = SimpleQueue()
        self._stopping = False

    def run(self) -> None:
        """Run until `stop` is called; the sinks have all changes then."""
        second = int(self._clock())
        while not self._stopping:
            applied, more = self._pump()
            self._run_calls()
            now = self._clock()
            if int(now) != second:
                second = int(now)
                self._pass_on(now)
            if more:
                time.sleep(PUMP_PAUSE)
            elif applied:
                time.sleep(BUSY_INTERVAL)
            else:
                self._wait(1.0 - self._clock() % 1.0)
        deadline = time.monotonic() + DRAIN_SECONDS
        while self._pump()[1] and time.monotonic() < deadline:
            time.sleep(PUMP_PAUSE)
        self._pass_on(self._clock())

    def stop(self) -> None:
        """End `run` soon; from any thread, or from a signal handler."""
        self._stopping = True
        self._wake()

    def ask(self, question: Callable[[], T], timeout: float) -> T:
        """Return what `question` returns in the loop's thread, which owns the models.

        To be called from other threads.

        Raises:
            TimeoutError: The loop did not run it within `timeout` seconds.
        """
        answer: Future[T] = Future()

        def reply() -> None:
            if not answer.set_running_or_notify_cancel():
                return
            try:
                answer.set_result(question())
            except Exception as error:
                answer.set_exception(error)

        self._calls.put(reply)
        try:
            return answer.result(timeout)
        finally:
            answer.cancel()

    def _pump(self) -> tuple[int, bool]:
        """Return the number of observations that were applied, and whether more are waiting."""
        pumped = [source.pump(self._clock(), PUMP_BUDGET) for source, *_ in self.clusters]
        return sum(each.applied for each in pumped), any(each.more for each in pumped)

    def _pass_on(self, now: float) -> None:
        for source, sinks, _ in self.clusters:
            source.state.tick(now)
            changes = source.state.take_changes()
            for sink in sinks:
                sink.update(source.state, changes, now)

    def _wait(self, seconds: float) -> None:
        """Wait for an observation or `stop`, at most for some seconds."""
        for source, *_ in self.clusters:
            source.call_on_update(self._wake)
        try:
            self._calls.get(timeout=seconds)()
        except Empty:
            return
        self._run_calls()

    def _run_calls(self) -> None:
        while not self._calls.empty():
            self._calls.get()()

    def _wake(self) -> None:
        self._calls.put(_nothing)


def _nothing() -> None:
    """Only end the wait."""
