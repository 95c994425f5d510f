"""Turns the changes of a model into rows of the history, a batch a second at most.

Nothing is looked up per event: of the changed tasks only those that ended are kept until the next
batch. Texts need no masking here, as the model has already masked them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import Any, Final, TypeAlias

from msgspec import structs

from ...model.entities.changes import Changes
from ...model.entities.series.time_series import STEP, Mark, TimeSeries
from ...model.entities.states import FINISHED, FROM_HISTORY, SUCCESS, is_only_read
from ...model.entities.task import Task
from ...model.health.finding import Finding
from ...model.ingest.series_recorder import RATES, TYPE_RATES, Subjects
from ...model.operations.outcome import Outcome
from ...model.operations.summary import sentence
from ...model.state import ClusterState
from ..rows import (
    LONG_RUN,
    MINUTE,
    Batch,
    Rollup,
    Run,
    StoredLog,
    StoredMark,
    StoredOperation,
    StoredTask,
    SubjectKind,
)
from ..sql.run_gaps import QUIET_INTERVAL
from ..sql.schema import SHARE
from ..task_body import stored_task
from .finding_rows import FindingRows

BATCH_INTERVAL: Final = 1.0
"""Seconds from one batch to the next; `QUIET_INTERVAL` while no task ends, as each is a
transaction."""
BATCH_TOLERANCE: Final = 0.2
"""Seconds that it may be due earlier: a caller that checks once a second would otherwise wait for
two."""
CLUSTER_INTERVAL: Final = 2.0
PARTIAL_INTERVAL: Final = 10.0
"""Seconds after which the rollups of the present minute, of the cluster and of everything, are
written again: a celtop that is killed leaves those."""
MAX_SUCCESSES_PER_S: Final = 1_000
"""Successes that a screen stores per second; of more, a part is stored. It is halved until that is
enough. Four times as many would take a seventh of a core, and a history of 1 GiB would go back
seven minutes."""
READ_BEFORE: Final = 60.0
"""Seconds before the run from which tasks are stored that only the result backend has; older
ones may be in the store, with more than the result backend has."""
READ_WAIT: Final = 10.0
"""Seconds in which their events, or the history of the last hour, may still arrive."""
MAX_TARGETS: Final = 10_000
"""Targets of an operation by which it is found."""
MAX_RUNNING: Final = 50_000
"""Running tasks that are watched for the time that they take."""
STEPS_PER_MINUTE: Final = MINUTE // STEP

_Counts: TypeAlias = tuple[int, ...]
_Subject: TypeAlias = tuple[SubjectKind, str]
_HASH_RANGE: Final = 1 << 32


@dataclass(slots=True)
class Recorder:
    """Makes the rows of one cluster.

    Args:
        cluster: The key of the cluster in the store.
        run: Identifies the process: `HOST:PID:START`.
        user: Who starts the operations.
        began_at: Epoch seconds.
    """

    cluster: str
    run: str
    user: str
    began_at: float
    max_successes: int = MAX_SUCCESSES_PER_S
    """Successes that are stored per second; of more, a part is stored."""
    share: float = 1.0
    """The part of the successes that is stored at present."""
    _lowest_share: float = 1.0
    """The lowest one in the present minute."""
    _ended: dict[str, Task] = field(default_factory=dict)
    """Tasks that ended or were lost since the last batch."""
    _only_read: dict[str, tuple[Task, float]] = field(default_factory=dict)
    """Tasks that ended just before or during the run, of which only the result backend has been
    known so far, and since when."""
    _running: dict[str, Task] = field(default_factory=dict)
    """Running tasks that have not been stored."""
    _batch_at: float = 0.0
    _cluster_at: float = 0.0
    _partial_at: float = 0.0
    _minute: int = 0
    _counted: dict[_Subject, _Counts] = field(default_factory=dict)
    """What had been counted when the minute began."""
    _findings: FindingRows = field(default_factory=FindingRows)
    _operations: dict[int, Outcome] = field(default_factory=dict)
    _log_serial: int = 0
    _mark: Mark | None = None

    def collect(self, changes: Changes) -> None:
        """Take note of the changed tasks."""
        ended, running = self._ended, self._running
        for id_, task in changes.tasks.items():
            if task.state in FINISHED or task.lost_at is not None:
                ended[id_] = task
                if id_ in running:
                    del running[id_]
            elif id_ not in running and task.running and len(running) < MAX_RUNNING:
                running[id_] = task

    def due(self, now: float) -> bool:
        """Return whether it is time for a batch."""
        interval = BATCH_INTERVAL if self._ended else QUIET_INTERVAL
        # A clock that was set back must not stop it.
        return not 0 <= now - self._batch_at < interval - BATCH_TOLERANCE

    def batch(
        self, state: ClusterState, now: float, found: Sequence[Finding] | None = None
    ) -> Batch:
        """Return the rows since the last batch.

        Args:
            state: The model.
            now: Epoch seconds.
            found: The findings, the worst first; None if they were not looked for.
        """
        elapsed, self._batch_at = now - self._batch_at, now
        return Batch(
            tasks=(
                *self._ended_rows(state, now, elapsed),
                *self._only_read_rows(state, now),
                *self._long_runs(state, now),
            ),
            rollups=tuple(self._rollups(state, now)),
            findings=() if found is None else tuple(self._findings.rows(self.cluster, found, now)),
            operations=tuple(self._operation_rows(state.operations)),
            log=tuple(self._log_rows(state)),
            marks=tuple(self._mark_rows(state)),
            runs=(Run(self.cluster, self.run, self.began_at, now),),
        )

    def last_batch(self, state: ClusterState, now: float) -> Batch:
        """Return the remaining rows, and the end of the run."""
        rest = self.batch(state, now)
        read = self._only_read_rows(state, now + READ_WAIT)
        return structs.replace(
            rest,
            tasks=(*rest.tasks, *(row for row in read if row.at >= self.began_at)),
            rollups=(*rest.rollups, *self._rollups_of(state, self._minute)),
            runs=(Run(self.cluster, self.run, self.began_at, now, now),),
        )

    # Tasks

    def _ended_rows(self, state: ClusterState, now: float, elapsed: float) -> Iterator[StoredTask]:
        ended, self._ended = self._ended, {}
        self._adapt_share(ended.values(), elapsed)
        limit = self.share * _HASH_RANGE
        failures, skews = state.failures, state.skews
        for id_, task in ended.items():
            if is_only_read(task.sources):
                if (task.finished_at or 0.0) > self.began_at - READ_BEFORE:
                    self._only_read.setdefault(id_, (task, now))
                continue
            share = 1.0
            if self.share < 1.0 and task.state == SUCCESS:
                if zlib.crc32((task.root_id or id_).encode()) >= limit:
                    continue
                share = self.share
            at = task.finished_at if task.state in FINISHED else task.lost_at
            if at is None:
                at = task.state_at or now
            elif task.state in FINISHED and skews:
                at -= skews.get(task.worker or "", 0.0)
            group = None if task.state == SUCCESS else failures.of(id_)
            failure = "" if group is None else group.id
            yield stored_task(task, self.cluster, min(at, now), failure, share)

    def _only_read_rows(self, state: ClusterState, now: float) -> Iterator[StoredTask]:
        """Yield tasks that only the result backend has, such as those of workers without events."""
        for id_, (task, since) in list(self._only_read.items()):
            if 0 <= now - since < READ_WAIT:
                return  # the rest is younger
            del self._only_read[id_]
            if is_only_read(task.sources) and not task.sources & FROM_HISTORY:
                group = None if task.state == SUCCESS else state.failures.of(id_)
                failure = "" if group is None else group.id
                at = min(task.finished_at or now, now)
                yield stored_task(task, self.cluster, at, failure)

    def _adapt_share(self, ended: Iterable[Task], elapsed: float) -> None:
        """Halve or double the part of the successes that is stored, by their present rate."""
        times = [task.finished_at or 0.0 for task in ended if task.state == SUCCESS]
        span = max(elapsed, BATCH_INTERVAL)
        if len(times) * self.share > self.max_successes * span:
            # After a delay, the events of a longer time come together.
            times.sort()
            tenth = len(times) // 10
            span = max(span, (times[-tenth - 1] - times[tenth]) / 0.8)
        rate = len(times) / span
        while rate * self.share > self.max_successes:
            self.share /= 2
        if self.share < 1.0 and rate * self.share * 2 < self.max_successes:
            self.share *= 2
        self._lowest_share = min(self._lowest_share, self.share)

    def _long_runs(self, state: ClusterState, now: float) -> Iterator[StoredTask]:
        """Yield tasks that have been running for a while, and again when they change."""
        skews = state.skews
        for id_, task in list(self._running.items()):
            if not task.running:
                del self._running[id_]
            elif task.started_at is not None:
                at = task.started_at - skews.get(task.worker or "", 0.0)
                if now - at >= LONG_RUN:
                    del self._running[id_]
                    if not is_only_read(task.sources):
                        yield stored_task(task, self.cluster, now)

    # Rollups

    def _rollups(self, state: ClusterState, now: float) -> Iterator[Rollup]:
        minute = int(now // MINUTE)
        if minute == self._minute:
            if now - self._partial_at >= PARTIAL_INTERVAL:
                self._partial_at = self._cluster_at = now
                yield from self._rollups_of(state, minute)
            elif now - self._cluster_at >= CLUSTER_INTERVAL:
                self._cluster_at = now
                yield from self._rollup_of(state, "cluster", "", state.series.cluster, minute)
            return
        if not self._minute:
            self._minute = minute  # the model counts from 0, too
            return
        if minute < self._minute:
            self._begin_minute(state, minute)  # the clock was set back
            return
        last_step = self._minute * STEPS_PER_MINUTE + STEPS_PER_MINUTE - 1
        if state.series.newest < last_step and now < (minute + 1) * MINUTE - STEP:
            return  # the last step is recorded soon
        yield from self._rollups_of(state, self._minute)
        self._begin_minute(state, minute)

    def _begin_minute(self, state: ClusterState, minute: int) -> None:
        self._minute, self._lowest_share = minute, self.share
        self._counted = {subject: counts for subject, counts in _counters(state) if any(counts)}

    def _rollups_of(self, state: ClusterState, minute: int) -> Iterator[Rollup]:
        series = state.series
        yield from self._rollup_of(state, "cluster", "", series.cluster, minute)
        recorded: tuple[tuple[SubjectKind, Subjects[Any]], ...] = (
            ("queue", series.queues),
            ("worker", series.workers),
            ("type", series.types),
        )
        for kind, subjects in recorded:
            for name, subject in subjects.items():
                yield from self._rollup_of(state, kind, name, subject.series, minute)

    def _rollup_of(
        self,
        state: ClusterState,
        kind: SubjectKind,
        name: str,
        series: TimeSeries,
        minute: int,
    ) -> Iterator[Rollup]:
        last = minute * STEPS_PER_MINUTE + STEPS_PER_MINUTE - 1
        if series.first is None or series.first > last:
            return
        values = dict(_means(series, last))
        if kind == "cluster" and self._lowest_share < 1.0:
            values[SHARE] = self._lowest_share
        counts = _counts(state, kind, name)
        if counts is not None:
            before = self._counted.get((kind, name), (0,) * len(counts))
            if any(now < earlier for now, earlier in zip(counts, before, strict=True)):
                before = (0,) * len(counts)  # the counters began again
            names = RATES if kind != "worker" else TYPE_RATES
            new = [now - earlier for now, earlier in zip(counts, before, strict=True)]
            # Without any value, there was no connection: nothing is known of the minute.
            if values or any(new):
                values |= {f"n_{each}": float(one) for each, one in zip(names, new, strict=True)}
        if values:
            yield Rollup(self.cluster, kind, name, minute, values)

    # Everything else

    def _operation_rows(self, outcomes: Mapping[int, Outcome]) -> Iterator[StoredOperation]:
        for number, outcome in outcomes.items():
            known = self._operations.get(number)
            if known is not None and (known.ended or not outcome.ended):
                continue
            self._operations[number] = outcome
            sent = (id_ for one in outcome.sent for id_ in (one.id, one.retry_of) if id_)
            targets = dict.fromkeys((*outcome.operation.targets, *outcome.targets, *sent))
            yield StoredOperation(
                self.cluster,
                f"{self.run}:{number}",
                outcome.began_at,
                outcome.ended_at,
                self.user,
                sentence(outcome),
                tuple(targets)[:MAX_TARGETS],
            )
        for number in self._operations.keys() - outcomes.keys():
            del self._operations[number]

    def _log_rows(self, state: ClusterState) -> list[StoredLog]:
        new = []
        for entry in reversed(state.log):
            if entry.serial <= self._log_serial:
                break
            new.append(StoredLog(self.cluster, entry.at, entry.level, entry.source, entry.text))
        self._log_serial = state.log.version
        return new[::-1]

    def _mark_rows(self, state: ClusterState) -> Iterator[StoredMark]:
        marks = list(state.series.marks)
        known = next((place for place, one in enumerate(marks) if one is self._mark), -1)
        for mark in marks[known + 1 :]:
            self._mark = mark
            yield StoredMark(self.cluster, mark.at, mark.kind, mark.worker, mark.text)


def _means(series: TimeSeries, last: int) -> Iterator[tuple[str, float]]:
    """Yield the mean of each known value over the minute that ends with a step."""
    for name in series.names:
        known = [one for one in series.window(name, last, STEPS_PER_MINUTE) if not isnan(one)]
        if known:
            yield name, sum(known) / len(known)


def _counts(state: ClusterState, kind: SubjectKind, name: str) -> _Counts | None:
    """Return the counters of a subject; None if it has none."""
    if kind == "cluster":
        return tuple(getattr(state.totals, each) for each in RATES)
    if kind == "type":
        found = state.types.get(name)
        return None if found is None else tuple(getattr(found, each) for each in RATES)
    if kind == "worker":
        worker = state.workers.get(name)
        return None if worker is None else (worker.succeeded, worker.failed, worker.retried)
    return None


def _counters(state: ClusterState) -> Iterator[tuple[_Subject, _Counts]]:
    """Yield the counters of all subjects."""
    subjects: list[_Subject] = [("cluster", "")]
    subjects += [("worker", name) for name in state.workers]
    subjects += [("type", name) for name in state.types]
    for subject in subjects:
        counts = _counts(state, *subject)
        if counts is not None:
            yield subject, counts
