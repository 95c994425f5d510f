"""A session whose observations come from a recording: no broker is asked, nothing is changed."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

from ..cluster.session import Pumped, RunningOperation, Session, new_state
from ..model.observations import OperationChanged
from ..model.operations.outcome import Outcome
from ..model.records.record import END, TICK, Record
from ..model.state import ClusterState
from ..model.wire.events import EventBatch
from ..settings import Settings
from .checkpoints import Checkpoints
from .lookups import REFUSAL, RecordedLookups
from .playback import Playback
from .reader import Recording

if TYPE_CHECKING:
    from ..model.operations.call import SentTask
    from ..model.operations.commands import Operation, PauseQueue
    from ..model.operations.kept_change import KeptChange


class ReplaySession(Session):
    """A model that follows the position of a playback in a recording.

    Its `pump` applies what was observed up to the position, which is also the clock of everything
    that shows the model. The calls of `ClusterState.tick` are part of the recording.

    Args:
        settings: The settings, from `replay_settings`.
        recording: The recording.
        playback: The position; it begins at the beginning.
        clock: The real time that the position moves with, in seconds.
    """

    def __init__(
        self,
        settings: Settings,
        recording: Recording,
        playback: Playback,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.recording = recording  # first: it names the cluster
        super().__init__(settings)
        self._clock = clock
        self.playback = playback
        self._numbers = itertools.count(1)
        self._scan = threading.Thread(target=self._find_end, name="recording-end", daemon=True)
        self._stopped = False
        self._callback: Callable[[], object] | None = None
        self._checkpoints: Checkpoints | None = None
        """None without a screen, on which nothing goes back."""
        self._rewind()
        self.lookups = RecordedLookups(lambda: self.state, settings)

    # The recording

    def _rewind(self) -> None:
        header, state = self.recording.header, new_state(self.settings)
        state.broker.url = header.cluster
        state.broker.transport = header.transport
        state.broker.transport_options = dict(header.transport_options)
        self._go_on(state, self.playback.begin, 0)

    def _go_on(self, state: ClusterState, at: float, records: int) -> None:
        """Go on from a position, with the model after so many records."""
        self.state = state
        self.problem: str | None = None
        """Why the rest of the recording cannot be shown; None if there is nothing wrong."""
        self._applied = records
        self._records = self.recording.records(records)
        self._next: Record | None = None
        self.playback.position = at
        self.playback.is_over = False

    def seek(self, at: float) -> None:
        """Move to a time. To go back, or far ahead again, `state` is a new model."""
        playback = self.playback
        last = playback.end if playback.end is not None else max(at, playback.position)
        at = min(max(at, playback.begin), last)
        known = None if self._checkpoints is None else self._checkpoints.before(at)
        if known is not None and (at < playback.position or known.at > playback.position):
            self._go_on(known.state(), known.at, known.records)
        elif at < playback.position:
            self._rewind()
        playback.target = at
        self.wake()

    def wake(self) -> None:
        """Have the position looked at now."""
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()

    def pump(self, now: float, budget: float) -> Pumped:
        """Apply what was observed up to the position, for about `budget` seconds."""
        started = time.perf_counter()
        pumped = self._pump(started, budget)
        if self._checkpoints is not None and not self.playback.is_over:
            spent = time.perf_counter() - started
            self._checkpoints.add(self.state, self.playback.position, self._applied, spent)
        return pumped

    def _pump(self, started: float, budget: float) -> Pumped:
        applied = self._apply_own()
        playback = self.playback
        target = playback.advance(self._clock())
        while not playback.is_over:
            record = self._next = self._next or next(self._records, None)
            if record is None or record.kind == END:
                self._finish(record)
                break
            if record.at > target:
                playback.position = max(playback.position, target)
                return Pumped(applied, False)
            self._next = None
            self._applied += 1
            applied += self._apply(record)
            playback.position = max(playback.position, record.at)
            if time.perf_counter() - started >= budget:
                return Pumped(applied, True)
        return Pumped(applied, False)

    def run_to_end(self) -> None:
        """Apply the whole rest at once."""
        self.playback.paused = False
        self.playback.target = float("inf")
        while self.pump(0.0, 1.0).more:
            pass

    def _apply(self, record: Record) -> int:
        """Apply a record; return how many events and other observations it has."""
        observation = record.observation
        try:
            if observation is not None:
                self.state.observe(observation)
            elif record.kind == TICK:
                self.state.tick(record.at)
        except Exception as error:  # nothing but a forged observation could cause it
            self.problem = f"an observation of {record.kind} is invalid ({error!r})"
            self._records = iter(())
            return 0
        return len(observation.events) if isinstance(observation, EventBatch) else 1

    def _finish(self, end: Record | None) -> None:
        playback = self.playback
        if end is None:
            self.problem = self.problem or self.recording.damage
        else:
            playback.position = max(playback.position, end.at)
        playback.end = playback.target = playback.position
        playback.is_over = playback.paused = True

    def _apply_own(self) -> int:
        """Apply the observations of this process itself, such as refused operations."""
        applied = 0
        while (own := self._inbox.take()) is not None:
            self.state.observe(own)
            applied += 1
        return applied

    def _find_end(self) -> None:
        last = self.playback.begin
        for at in self.recording.times():
            last = max(last, at)
            if self._stopped:
                return
        if self.playback.end is None:
            self.playback.end = last

    # The session

    @property
    def cluster(self) -> str:
        """The recorded cluster."""
        return self.recording.header.cluster

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """No thread talks to a cluster."""
        return ()

    @property
    def refreshed(self) -> bool:
        """There is nothing to wait for."""
        return True

    @property
    def messages_read(self) -> bool:
        """There is nothing to wait for."""
        return True

    @property
    def history_loaded(self) -> bool:
        """There is nothing to wait for."""
        return True

    @property
    def progress_unavailable(self) -> str | None:
        """Why progress is unavailable: it is shown as it was recorded."""
        return None

    @property
    def read_only(self) -> bool:
        """Every operation is refused."""
        return True

    @read_only.setter
    def read_only(self, value: bool) -> None:
        """Do nothing: a recording cannot be changed."""

    def start(self, *, inspect: bool = True) -> None:
        """Find the end of the recording in a thread, for the length of the slider.

        From now on, copies of the model are kept to go back to.
        """
        self._checkpoints = Checkpoints()
        self._scan.start()

    def stop(self, timeout: float = 2.0) -> None:
        """End the thread."""
        self._stopped = True
        if self._scan.is_alive():
            self._scan.join(timeout)

    def tick(self, now: float) -> None:
        """Do nothing: the recording has its own ticks."""

    def call_on_update(self, callback: Callable[[], object]) -> None:
        """Call `callback` once, as soon as the user has moved the position."""
        self._callback = callback

    def prove_connection(self) -> None:
        """Do nothing, as there is no connection."""

    def cut_connections(self) -> None:
        """Do nothing, as there is no connection."""

    def refresh(self, *, workers: bool = True) -> None:
        """Do nothing, as there is no cluster to ask."""

    def watch(self, topics: frozenset[str]) -> None:
        """Do nothing, as nothing is polled."""

    def watch_results(self, ids: Sequence[str]) -> None:
        """Do nothing, as nothing is polled."""

    def read_results(self, ids: Sequence[str]) -> None:
        """Do nothing, as nothing is read."""

    def read_schedule(self) -> Future[None]:
        """Return at once: the schedule is as it was recorded."""
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def do(self, operation: Operation) -> RunningOperation:
        """Refuse an operation."""
        at = self.playback.position
        running = RunningOperation(
            Outcome(next(self._numbers), operation, at, ended_at=at, refusal=REFUSAL)
        )
        self._inbox.put(OperationChanged(running.outcome, at))
        running.future.set_result(running.outcome)
        return running

    def has_links(self, sent: SentTask) -> bool:
        """Return False: no message is kept."""
        return False

    def paused_queues(self) -> Mapping[str, PauseQueue]:
        """Return nothing: the file of paused queues is about clusters of today."""
        return {}

    def kept_changes(self, now: float) -> Sequence[KeptChange]:
        """Return nothing: so is the file of other changes."""
        return ()
