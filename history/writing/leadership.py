"""Which celtop writes the history, of several that record the same cluster.

One leads and writes. The others stand by: each holds what the leader writes in its place until
that is certainly written. One that takes over writes the rest, and continues findings and counts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from msgspec import structs

from ...model.observations import Observation
from ...model.text import units
from ..reading.beginnings import beginnings, earlier_versions
from ..rows import MAX_AHEAD, MINUTE, Batch, Rollup, Run, StoredFinding, StoredObservation
from ..sql.schema import COUNTS
from ..store import HistoryStore, StoreError
from .lasting_findings import LastingFindings

Level: TypeAlias = Literal["info", "warning", "error"]
Report: TypeAlias = Callable[[Level, str, str | None], object]
"""Takes a line for the log, and why the history is not being written; None if it is."""

MAX_BACKLOG_ROWS: Final = 50_000
"""Rows that wait to be written; of more, the oldest batches are lost."""
HELD_BATCHES: Final = 13
"""Batches that a standby celtop holds at least: the clocks of two hosts differ. They include what
a celtop that was killed, or was stopped for `MAX_SILENCE`, has not written."""


class Leadership:
    """Writes the batches of a celtop that leads, and holds those of one that stands by.

    Args:
        report: Called with what the user should see.
        restore: Called with what the run before knew.
        left_out: Called with a held batch that cannot be stored, and the error.
        max_age: Seconds for which the history is kept.
        clock: Returns epoch seconds.
    """

    def __init__(
        self,
        report: Report,
        restore: Callable[[Observation], object],
        left_out: Callable[[Batch, Exception], object],
        max_age: float,
        clock: Callable[[], float],
    ) -> None:
        self._report = report
        self._restore = restore
        self._left_out = left_out
        self._max_age = max_age
        self._clock = clock
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
        self.leads: bool | None = None
        """Whether this celtop writes the history, and no other; None before the first batch."""

    def write(self, store: HistoryStore, batch: Batch) -> None:
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
            self._write_as_leader(store, batch)
        else:
            self._stand_by(store, batch)

    def _write_as_leader(self, store: HistoryStore, batch: Batch) -> None:
        resumed = self._resumed_findings(store, batch)
        alive_at = max((run.alive_at for run in batch.runs), default=0.0)
        findings = self._findings.continued(batch.findings) + resumed
        findings += self._findings.gone(alive_at)
        while self._held:
            try:
                store.write(self._held[0])
            except StoreError:
                raise
            except Exception as error:
                self._left_out(self._held[0], error)
            self._held.popleft()
        new = [run for run in batch.runs if run.cluster not in self._begun]
        for run in new:
            if not self._stood_by:
                self._counted += store.rollups(run.cluster, int(run.began_at // MINUTE))
                for versions in earlier_versions(store, run):
                    self._restore(versions)
        batch = structs.replace(self._with_observations(batch), findings=findings)
        store.write(self._with_counts(batch))
        self._findings.forget_gone(alive_at)
        self._observations.clear()
        self._resumed |= {run.cluster for run in batch.runs}
        for run in new:
            self._begun.add(run.cluster)
            self._report_gap(store, run)

    def _stand_by(self, store: HistoryStore, batch: Batch) -> None:
        self._stood_by = True
        self._resumed.clear()
        if batch.operations:
            store.write(Batch(operations=batch.operations))
        self._observations |= by_subject(*batch.observations)
        self._held.append(Batch(tasks=batch.tasks, rollups=batch.rollups, runs=batch.runs))
        self._drop_written(store)

    def _drop_written(self, store: HistoryStore) -> None:
        """Drop the held batches that the other celtop has certainly written, or that are too many.

        One that is slow, because its host or the store is, may be further behind than
        `HELD_BATCHES`.
        """
        held = sum(map(number_of_rows, self._held))
        while held > MAX_BACKLOG_ROWS or (
            len(self._held) > HELD_BATCHES
            and all(
                (store.written_at(run.cluster) or 0.0) > run.alive_at for run in self._held[0].runs
            )
        ):
            held -= number_of_rows(self._held.popleft())

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
        kept = (self._observations | by_subject(*batch.observations)).values()
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
        gaps = store.gaps(run.cluster, run.began_at - self._max_age, run.began_at)
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


def by_subject(*rows: StoredObservation) -> dict[tuple[str, str], StoredObservation]:
    """Return the last row of each subject."""
    return {(one.cluster, one.subject): one for one in rows}


def number_of_rows(batch: Batch) -> int:
    """Return how many rows a batch has."""
    return sum(map(len, structs.astuple(batch)))
