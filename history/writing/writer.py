"""The thread that writes the history: one transaction for each batch, and the retention between.

Monitoring never waits for it. If the store cannot be written, batches are kept until they are too
many; the loss is counted, and reported when it begins and when it is over.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from msgspec import structs

from ...model.observations import Observation
from ...model.text.phrases import counted
from ..open import history_file, open_store
from ..retention_clock import RetentionClock
from ..rows import Batch
from ..sqlite.store import move_aside
from ..store import CorruptStoreError, HistoryStore, NewerStoreError, StoreError
from .leadership import MAX_BACKLOG_ROWS, Leadership, Report, by_subject, number_of_rows

MIN_PAUSE: Final = 1.0
MAX_PAUSE: Final = 3.0
"""Seconds between two attempts while the store cannot be written."""
REFUSED_PAUSE: Final = 30.0
"""Seconds between two attempts if it is unlikely that it can be written soon."""
PRUNE_INTERVAL: Final = 60.0
"""Seconds between two looks at what is too old, if there was nothing more to delete."""
PRUNE_PAUSE: Final = 0.5
"""Seconds between two slices of the retention: others may write, and it costs little at a time."""
DAY: Final = 86_400.0


class Retention(NamedTuple):
    """How much history is kept."""

    max_age: float = 7 * DAY
    """Seconds."""
    max_bytes: int = 1 << 30


class HistoryWriter(threading.Thread):
    """Writes batches to a store.

    Args:
        location: As for `open_store`.
        retention: What is deleted.
        report: Called with what the user should see.
        restore: Called with what the run before knew, in this thread.
        open_: Opens the store.
        clock: Returns epoch seconds.
    """

    def __init__(
        self,
        location: str,
        retention: Retention,
        report: Report,
        restore: Callable[[Observation], object] = lambda known: None,
        open_: Callable[[str], HistoryStore] = open_store,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(name="history-writer", daemon=True)
        self._location = location
        self._retention = retention
        self._report = report
        self._leadership = Leadership(report, restore, self._leave_out, retention.max_age, clock)
        self._open = open_
        self._clock = clock
        self._changed = threading.Condition()
        self._batches: deque[Batch] = deque()
        self._backlog = 0
        self._stopping = False
        self._store: HistoryStore | None = None
        self._failing = False
        self._pause = MIN_PAUSE
        self._max_pause = MAX_PAUSE
        self._prune_at = time.monotonic()
        self._retention_clock: RetentionClock | None = None
        """None until the store was opened."""
        self.lost = 0
        """Tasks that were not written, because the store could not be for too long."""
        self.fault: str | None = None
        """Why the history is not being written; None if it is."""
        self.size = 0
        """Bytes that the store took when that was last looked at; 0 before."""

    @property
    def leads(self) -> bool | None:
        """Whether this celtop writes the history, and no other; None before the first batch."""
        return self._leadership.leads

    @property
    def waiting(self) -> int:
        """Tasks that have yet to be written, from any thread."""
        with self._changed:
            return sum(len(batch.tasks) for batch in self._batches)

    def put(self, batch: Batch) -> None:
        """Have a batch written; returns at once."""
        with self._changed:
            self._batches.append(batch)
            self._backlog += number_of_rows(batch)
            while self._backlog > MAX_BACKLOG_ROWS and len(self._batches) > 1:
                oldest = self._batches.popleft()
                self._backlog -= number_of_rows(oldest)
                self.lost += len(oldest.tasks)
                # These are not made again for as long as nothing changes.
                kept = by_subject(*oldest.observations, *self._batches[0].observations)
                rest = structs.replace(self._batches[0], observations=tuple(kept.values()))
                self._batches[0] = rest
            self._changed.notify()

    def stop(self) -> None:
        """End the thread after it has written what is waiting, if it can."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def run(self) -> None:
        """Write until stopped."""
        try:
            while (batch := self._next()) is not None:
                if self._attempt(batch):
                    self._written(batch)
                elif self._stopping:
                    break
                else:
                    self._rest()
        finally:
            if self._store is not None:
                self._store.close()

    def _next(self) -> Batch | None:
        """Return the oldest batch, which stays in the backlog; None to end."""
        while True:
            with self._changed:
                if not self._batches and not self._stopping:
                    wait = self._prune_at - time.monotonic()
                    if self._store is None or wait > 0:
                        self._changed.wait(None if self._store is None else wait)
                if self._batches:
                    return self._batches[0]
                if self._stopping:
                    return None
            self._prune()

    def _written(self, batch: Batch) -> None:
        with self._changed:
            # It may have been dropped while it was written.
            if self._batches and self._batches[0] is batch:
                self._batches.popleft()
                self._backlog -= number_of_rows(batch)
        if self._failing:
            lost = f"; {counted(self.lost, 'task')} could not be written" if self.lost else ""
            self._report("info", f"The history is being written again{lost}.", None)
        self._failing, self.fault, self._pause = False, None, MIN_PAUSE
        if time.monotonic() >= self._prune_at:
            self._prune()

    def _attempt(self, batch: Batch, *, again: bool = True) -> bool:
        """Write a batch, in a new file if the present one is damaged; return whether it worked."""
        try:
            if self._store is None:
                self._store = self._open(self._location)
                if self._retention_clock is None:
                    self._retention_clock = RetentionClock(self._store.written_steadily_at())
            self._leadership.write(self._store, batch)
        except CorruptStoreError as error:
            return self._move_aside(error) and again and self._attempt(batch, again=False)
        except StoreError as error:
            self._fail(error)
            return False
        except Exception as error:
            self._leave_out(batch, error)
        return True

    def _leave_out(self, batch: Batch, error: Exception) -> None:
        """Count a batch as lost that would fail each time, and keep all others waiting."""
        self.lost += len(batch.tasks)
        self._report(
            "warning",
            f"Rows of the history cannot be stored, and are left out:"
            f" {type(error).__name__}: {error}.",
            None,
        )

    def _fail(self, error: StoreError) -> None:
        """Report an error, the first time; the store is opened again for the next attempt."""
        self.fault = str(error)
        if not self._failing:
            self._failing = True
            self._report("error", f"{error} Monitoring continues.", self.fault)
        if self._store is not None:
            self._store.close()
            self._store = None
        self._max_pause = MAX_PAUSE if error.transient else REFUSED_PAUSE
        if isinstance(error, NewerStoreError):
            self._pause = REFUSED_PAUSE

    def _move_aside(self, error: CorruptStoreError) -> bool:
        """Rename a damaged file; return whether a new one can take its place."""
        if self._store is not None:
            self._store.close()
            self._store = None
        path = history_file(self._location)
        if path is None:
            self._fail(error)
            return False
        try:
            moved = move_aside(path, self._clock())
        except OSError as reason:
            self._fail(StoreError(f"{error} It cannot be moved aside: {reason.strerror}."))
            return False
        self._report("warning", f"{error} It was moved to {moved}; a new history begins.", None)
        return True

    def _rest(self) -> None:
        """Wait before the next attempt, unless the thread is to end."""
        pause, self._pause = self._pause, min(max(self._pause * 2, MIN_PAUSE), self._max_pause)
        deadline = time.monotonic() + pause
        with self._changed:
            while not self._stopping and (rest := deadline - time.monotonic()) > 0:
                self._changed.wait(rest)

    def _prune(self) -> None:
        """Delete one slice of what is too old or too much."""
        self._prune_at = time.monotonic() + PRUNE_INTERVAL
        if self._store is None or self._retention_clock is None or self.leads is False:
            return
        now = self._retention_clock.now(self._clock(), time.monotonic())
        try:
            pruned = self._store.prune(now, *self._retention)
        except CorruptStoreError as error:
            self._move_aside(error)
        except StoreError as error:
            self._fail(error)
        else:
            self.size = pruned.size
            if pruned.more:
                self._prune_at = time.monotonic() + PRUNE_PAUSE
