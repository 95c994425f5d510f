"""The thread that writes the history: one transaction for each batch, and the retention between.

Monitoring never waits for it. If the store cannot be written, batches are kept until they are too
many; the loss is counted, and reported when it begins and when it is over.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Literal, NamedTuple, TypeAlias

from msgspec import structs

from ...model.observations import Observation
from ...model.text import units
from ...model.text.phrases import counted
from ..open import history_file, open_store
from ..reading.beginnings import beginnings, earlier_versions
from ..retention_clock import RetentionClock
from ..rows import MAX_AHEAD, MINUTE, Batch, Rollup, Run, StoredFinding, StoredObservation
from ..sql.schema import COUNTS
from ..sqlite.store import move_aside
from ..store import CorruptStoreError, HistoryStore, NewerStoreError, StoreError
from .lasting_findings import LastingFindings

Level: TypeAlias = Literal["info", "warning", "error"]
Report: TypeAlias = Callable[[Level, str, str | None], object]
"""Takes a line for the log, and why the history is not being written; None if it is."""

MAX_BACKLOG_ROWS: Final = 50_000
"""Rows that wait to be written; of more, the oldest batches are lost."""
MIN_PAUSE: Final = 1.0
MAX_PAUSE: Final = 3.0
"""Seconds between two attempts while the store cannot be written."""
REFUSED_PAUSE: Final = 30.0
"""Seconds between two attempts if it is unlikely that it can be written soon."""
PRUNE_INTERVAL: Final = 60.0
"""Seconds between two looks at what is too old, if there was nothing more to delete."""
PRUNE_PAUSE: Final = 0.5
"""Seconds between two slices of the retention: others may write, and it costs little at a time."""
HELD_BATCHES: Final = 13
"""Batches that a standby celtop holds at least: the clocks of two hosts differ. They include what
a celtop that was killed, or was stopped for `MAX_SILENCE`, has not written."""
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
        self._restore = restore
        self._open = open_
        self._clock = clock
        self._changed = threading.Condition()
        self._batches: deque[Batch] = deque()
        self._backlog = 0
        self._stopping = False
        self._store: HistoryStore | None = None
        self._failing = False
        self._held: deque[Batch] = deque()
        """The last batches of a celtop that stands by: it writes them when it takes over."""
        self._observations: dict[tuple[str, str], StoredObservation] = {}
        """What it would have written meanwhile of each subject."""
        self._findings = LastingFindings()
        self._restored: set[str] = set()
        """Clusters of which it was read since when findings last."""
        self._resumed: set[str] = set()
        """Clusters whose findings in the history are those of this celtop."""
        self._stood_by = False
        self._counted: list[Rollup] = []
        """The rollups of the minute in which this celtop began, by the one before it."""
        self._begun: set[str] = set()
        """Clusters whose run has been written."""
        self._pause = MIN_PAUSE
        self._max_pause = MAX_PAUSE
        self._prune_at = time.monotonic()
        self._retention_clock: RetentionClock | None = None
        """None until the store was opened."""
        self.lost = 0
        """Tasks that were not written, because the store could not be for too long."""
        self.fault: str | None = None
        """Why the history is not being written; None if it is."""
        self.leads: bool | None = None
        """Whether this celtop writes the history, and no other; None before the first batch."""
        self.size = 0
        """Bytes that the store took when that was last looked at; 0 before."""

    @property
    def waiting(self) -> int:
        """Tasks that have yet to be written, from any thread."""
        with self._changed:
            return sum(len(batch.tasks) for batch in self._batches)

    def put(self, batch: Batch) -> None:
        """Have a batch written; returns at once."""
        with self._changed:
            self._batches.append(batch)
            self._backlog += _rows(batch)
            while self._backlog > MAX_BACKLOG_ROWS and len(self._batches) > 1:
                oldest = self._batches.popleft()
                self._backlog -= _rows(oldest)
                self.lost += len(oldest.tasks)
                # These are not made again for as long as nothing changes.
                kept = _by_subject(*oldest.observations, *self._batches[0].observations)
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
                self._backlog -= _rows(batch)
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
            self._write(self._store, batch)
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

    def _write(self, store: HistoryStore, batch: Batch) -> None:
        """Write a batch; if another celtop writes this history, only what it cannot see.

        The rest is held until it is certain that the other one has written it, too.
        """
        leads = all([store.lead(run.cluster) for run in batch.runs])
        for run in batch.runs:
            if run.cluster not in self._restored:
                for known in beginnings(store, run.cluster, run.began_at):
                    self._restore(known)
                self._restored.add(run.cluster)
        if leads and self.leads is False:
            self._report("info", "The history is written by this celtop now.", None)
        elif not leads and self.leads is not False:
            self._report("info", "Another celtop writes the history; this one stands by.", None)
        self.leads = leads
        self._findings.take(batch.findings)
        if leads:
            resumed = self._resumed_findings(store, batch)
            findings = self._findings.continued(batch.findings) + resumed
            for run in batch.runs:
                findings += self._findings.settle(run.alive_at)
            while self._held:
                try:
                    store.write(self._held[0])
                except StoreError:
                    raise
                except Exception as error:
                    self._leave_out(self._held[0], error)
                self._held.popleft()
            new = [run for run in batch.runs if run.cluster not in self._begun]
            for run in new:
                if not self._stood_by:
                    self._counted += store.rollups(run.cluster, int(run.began_at // MINUTE))
                    for versions in earlier_versions(store, run):
                        self._restore(versions)
            batch = structs.replace(self._with_observations(batch), findings=findings)
            store.write(self._with_counts(batch))
            self._observations.clear()
            self._resumed |= {run.cluster for run in batch.runs}
            for run in new:
                self._begun.add(run.cluster)
                self._report_gap(store, run)
            return
        self._stood_by = True
        self._resumed.clear()
        if batch.operations:
            store.write(Batch(operations=batch.operations))
        self._observations |= _by_subject(*batch.observations)
        self._held.append(Batch(tasks=batch.tasks, rollups=batch.rollups, runs=batch.runs))
        self._drop_written(store)

    def _drop_written(self, store: HistoryStore) -> None:
        """Drop the held batches that the other celtop has certainly written, or that are too many.

        One that is slow, because its host or the store is, may be further behind than
        `HELD_BATCHES`.
        """
        held = sum(map(_rows, self._held))
        while held > MAX_BACKLOG_ROWS or (
            len(self._held) > HELD_BATCHES
            and all(
                (store.written_at(run.cluster) or 0.0) > run.alive_at for run in self._held[0].runs
            )
        ):
            held -= _rows(self._held.popleft())

    def _resumed_findings(self, store: HistoryStore, batch: Batch) -> tuple[StoredFinding, ...]:
        """Return the rows of findings with which this celtop begins to write."""
        rows: tuple[StoredFinding, ...] = ()
        for run in batch.runs:
            if run.cluster in self._resumed:
                continue
            found = store.findings(run.cluster, run.alive_at, run.alive_at)
            lasting = [one for one in found if one.ended_at is None]
            written_at = store.written_at(run.cluster)
            rows += self._findings.resume(run, lasting, written_at)
        return rows

    def _with_observations(self, batch: Batch) -> Batch:
        """Add those that were held while another celtop wrote, as if they were new."""
        if not self._observations:
            return batch
        now = self._clock()
        kept = (self._observations | _by_subject(*batch.observations)).values()
        return structs.replace(
            batch, observations=tuple(structs.replace(one, at=now) for one in kept)
        )

    def _with_counts(self, batch: Batch) -> Batch:
        """Add what another celtop has counted in the minute in which this one began."""
        if not (self._counted and batch.rollups):
            return batch
        counted = {(one.cluster, one.kind, one.name, one.minute): one for one in self._counted}
        rollups = []
        for row in batch.rollups:
            before = counted.get((row.cluster, row.kind, row.name, row.minute))
            if before is not None:
                values = dict(row.values)
                for name in COUNTS:
                    if name in before.values:
                        values[name] = values.get(name, 0.0) + before.values[name]
                row = structs.replace(row, values=values)
            rollups.append(row)
        return structs.replace(batch, rollups=tuple(rollups))

    def _report_gap(self, store: HistoryStore, run: Run) -> None:
        """Report the time before a run in which nothing was recorded, or a clock set back."""
        written_at = store.written_at(run.cluster) or 0.0
        ahead = written_at - run.alive_at
        if ahead > MAX_AHEAD:
            self._report(
                "warning",
                f"The history was written until {units.date_time(written_at)},"
                f" {units.duration(ahead)} from now: a clock was set back or is ahead."
                " Tasks that ended after now are not listed.",
                None,
            )
            return
        gaps = store.gaps(run.cluster, run.began_at - self._retention.max_age, run.began_at)
        if not gaps or gaps[-1].ended_at < run.began_at:
            return
        gap = gaps[-1]
        why = "the celtop before this one was killed" if gap.killed else "no celtop was running"
        lasted = units.duration(gap.ended_at - gap.began_at)
        self._report(
            "warning" if gap.killed else "info",
            f"Nothing was recorded for {lasted} since {units.date_time(gap.began_at)}: {why}.",
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


def _by_subject(*rows: StoredObservation) -> dict[tuple[str, str], StoredObservation]:
    """Return the last row of each subject."""
    return {(one.cluster, one.subject): one for one in rows}


def _rows(batch: Batch) -> int:
    return sum(map(len, structs.astuple(batch)))
