"""Reading a history in a SQL database."""

from __future__ import annotations

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from ...model.query.language import Query
from ..retention_clock import CONFIRMED_AFTER, MAX_JUMP
from ..rows import (
    MINUTE,
    ClusterSummary,
    Cursor,
    FailureRow,
    Gap,
    Rollup,
    Run,
    StoredFinding,
    StoredLog,
    StoredMark,
    StoredObservation,
    StoredOperation,
    StoredTask,
    SubjectKind,
    TaskCount,
    TaskPage,
    TypeRow,
)
from . import statements
from .conditions import Parameter
from .run_gaps import gaps_between
from .schema import (
    COUNTS,
    MEANS,
    TASKS,
    Dialect,
)
from .task_search import NEWEST, TaskSearch, task_row

MAX_NAMES: Final = 100
"""Task names and workers that are listed for a group of failures."""


class SqlReads(ABC):
    """What a store in a SQL database reads; the driver provides `_rows`."""

    dialect: Dialect

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        """Of the known clusters."""

    @abstractmethod
    def _rows(self, sql: str, parameters: Sequence[Parameter] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows; none if it returns none. Raises: StoreError."""

    def _known(self, cluster: str) -> int:
        """Return the number of a cluster; -1, which no cluster has, if it is not stored."""
        number = self._numbers.get(cluster)
        if number is None:
            found = self._rows(statements.CLUSTER_NUMBER, (cluster,))
            if not found:
                return -1
            number = self._numbers[cluster] = int(found[0][0])
        return number

    def written_at(self, cluster: str) -> float | None:
        """Return when a cluster was last written; None if never. Raises: StoreError."""
        written_at: float | None = self._rows(statements.ALIVE_AT, (self._known(cluster),))[0][0]
        return written_at

    def written_steadily_at(self) -> float | None:
        """Return when any cluster was last written, before a jump of the clock within a day.

        Raises: StoreError.
        """
        written_at: float | None = self._rows(statements.WRITTEN_AT)[0][0]
        if written_at is None:
            return None
        since = int((written_at - CONFIRMED_AFTER) // MINUTE)
        before, first = [], [written_at / MINUTE]
        for number, _ in self._rows(statements.CLUSTER_NAMES):
            last, next_ = self._minutes_around(int(number), since - 1)
            before += [] if last is None else [last]
            first += [] if next_ is None else [next_]
        if before and (min(first) - max(before)) * MINUTE > MAX_JUMP:
            return float((max(before) + 1) * MINUTE)
        return written_at

    # Tasks

    def tasks(
        self, cluster: str, query: Query, now: float, limit: int, before: Cursor | None = None
    ) -> TaskPage:
        """Return the newest tasks that match a filter, in time. Raises: StoreError."""
        search = TaskSearch(self._rows, cluster, self._known(cluster), query, now)
        return search.page(limit, before or NEWEST)

    def count(
        self, cluster: str, query: Query, now: float, before: Cursor | None = None
    ) -> TaskCount:
        """Return how many tasks match a filter. Raises: StoreError."""
        search = TaskSearch(self._rows, cluster, self._known(cluster), query, now)
        return (search.count_all if query.empty else search.count)(before or NEWEST)

    def task(self, cluster: str, prefix: str) -> Sequence[StoredTask]:
        """Return the tasks whose id begins with a text, at most two. Raises: StoreError."""
        limits = (self._known(cluster), prefix, prefix + chr(sys.maxunicode))
        return [task_row(cluster, row) for row in self._rows(statements.TASK_BY_PREFIX, limits)]

    def workflow(self, cluster: str, root_id: str, limit: int) -> Sequence[StoredTask]:
        """Return the tasks of a workflow. Raises: StoreError."""
        number = self._known(cluster)
        rows = self._rows(statements.TASK_BY_ID, (number, root_id))
        rows += self._rows(statements.WORKFLOW, (number, root_id, limit - len(rows)))
        return [task_row(cluster, row) for row in rows]

    # What the graphs and tables of a window show

    def series(
        self, cluster: str, kind: SubjectKind, name: str, start: float, end: float, step: int
    ) -> Mapping[str, Sequence[float]]:
        """Return the values of a subject in equal steps; NaN is unknown. Raises: StoreError."""
        first, last, width = _minute(start), _minute(end), max(1, step // MINUTE)
        subject = (self._known(cluster), kind, name)
        rows = self._rows(statements.SERIES, (first, first, width, *subject, first, last))
        length = max(0, -(-(last - first) // width))
        names = (*MEANS, *COUNTS)
        found: dict[str, list[float]] = {}
        for offset, *values in rows:
            for value_name, value in zip(names, values, strict=True):
                if value is not None:
                    series = found.setdefault(value_name, [math.nan] * length)
                    series[int(offset) // width] = float(value)
        return found

    def rollups(self, cluster: str, minute: int) -> Sequence[Rollup]:
        """Return the rollups of one minute. Raises: StoreError."""
        rows = self._rows(statements.ROLLUPS_OF, (self._known(cluster), minute))
        return [_rollup(cluster, row) for row in rows]

    def minutes_around(self, cluster: str, minute: int) -> tuple[int | None, int | None]:
        """Return the last recorded minute up to one, the first after it. Raises: StoreError."""
        return self._minutes_around(self._known(cluster), minute)

    def _minutes_around(self, number: int, minute: int) -> tuple[int | None, int | None]:
        limits = (number, minute, number, minute)
        before, after = self._rows(statements.MINUTES_AROUND, limits)[0]
        return before, after

    def latest_rollups(self, cluster: str, since: float) -> Sequence[Rollup]:
        """Return the newest rollup of each subject, with its counts since. Raises: StoreError."""
        limits = (self._known(cluster), _minute(since))
        rows = self._rows(statements.LATEST_ROLLUPS, (*limits, *limits))
        return [_rollup(cluster, row) for row in rows]

    def types(self, cluster: str, start: float, end: float) -> Sequence[TypeRow]:
        """Return what the task types did in a window, by name. Raises: StoreError."""
        limits = (self._known(cluster), _minute(start), _minute(end))
        return [
            TypeRow(
                row[0],
                int(row[1] or 0),
                int(row[2] or 0),
                int(row[3] or 0),
                row[4],
                row[5],
                received=int(row[6] or 0),
                revoked=int(row[7] or 0),
                last_minute=row[8],
            )
            for row in self._rows(statements.TYPES, limits)
        ]

    def failures(
        self, cluster: str, start: float, end: float, steps: int, limit: int
    ) -> Sequence[FailureRow]:
        """Return the groups of failures in a window, the latest first. Raises: StoreError."""
        number = self._known(cluster)
        step = self.dialect.floor.format("(at - ?) * ? / ?")
        sql = statements.FAILURE_COUNTS.format(step=step)
        rows = self._rows(sql, (start, steps, end - start, number, start, end))
        groups: dict[str, list[tuple[Any, ...]]] = {}
        for failure, *rest in rows:
            groups.setdefault(failure, []).append(tuple(rest))
        latest = sorted(groups, key=lambda one: max(row[4] for row in groups[one]), reverse=True)
        return [self._failure(number, one, groups[one], steps) for one in latest[:limit]]

    def failed(
        self, cluster: str, failure: str, start: float, end: float, limit: int
    ) -> Sequence[StoredTask]:
        """Return the latest tasks of a group of failures in a window. Raises: StoreError."""
        parameters = (self._known(cluster), failure, start, end, limit)
        return [task_row(cluster, row) for row in self._rows(statements.FAILED, parameters)]

    def _failure(
        self, number: int, failure: str, rows: Sequence[tuple[Any, ...]], steps: int
    ) -> FailureRow:
        last_at = max(row[4] for row in rows)
        by_step = [0] * steps
        for _, _, step, count, _ in rows:
            by_step[min(int(step), steps - 1)] += int(count)
        began = self._rows(statements.FAILURE_BEGAN, (number, failure))
        example = self._rows(statements.FAILURE_EXAMPLE, (number, failure, last_at))
        return FailureRow(
            failure,
            sum(by_step),
            first_at=last_at if began[0][0] is None else began[0][0],
            last_at=last_at,
            example=example[0][0] if example else "",
            names=_names(row[0] for row in rows),
            workers=_names(row[1] for row in rows),
            by_step=tuple(by_step),
        )

    def marks(self, cluster: str, start: float, end: float) -> Sequence[StoredMark]:
        """Return the marks of a window, oldest first. Raises: StoreError."""
        rows = self._rows(statements.MARKS_BETWEEN, (self._known(cluster), start, end))
        return [StoredMark(cluster, *row) for row in rows]

    def findings(self, cluster: str, start: float, end: float) -> Sequence[StoredFinding]:
        """Return the findings that lasted into a window, oldest first. Raises: StoreError."""
        rows = self._rows(statements.FINDINGS_BETWEEN, (self._known(cluster), end, start))
        return [StoredFinding(cluster, *row) for row in rows]

    def operations(self, cluster: str, target: str, limit: int) -> Sequence[StoredOperation]:
        """Return the latest operations, on one target unless it is empty. Raises: StoreError."""
        number = self._known(cluster)
        if target:
            rows = self._rows(statements.OPERATIONS_ON, (number, target, limit))
        else:
            rows = self._rows(statements.LATEST_OPERATIONS, (number, limit))
        return [
            StoredOperation(cluster, id_, began_at, ended_at, user, text, _targets(targets))
            for id_, began_at, ended_at, user, text, targets in rows
        ]

    def log(self, cluster: str, start: float, end: float, limit: int) -> Sequence[StoredLog]:
        """Return the newest lines of a window, oldest first. Raises: StoreError."""
        rows = self._rows(statements.LOG_BETWEEN, (self._known(cluster), start, end, limit))
        return [StoredLog(cluster, at, *texts) for at, _, *texts in reversed(rows)]

    def gaps(self, cluster: str, start: float, end: float) -> Sequence[Gap]:
        """Return the times of a window in which nothing was recorded. Raises: StoreError."""
        rows = self._rows(statements.RUNS_OF, (self._known(cluster),))
        return gaps_between([Run(cluster, *row) for row in rows], start, end)

    def observations(self, cluster: str, since: float) -> Sequence[StoredObservation]:
        """Return the latest observations written after a time, oldest first. Raises: StoreError."""
        rows = self._rows(statements.OBSERVATIONS_SINCE, (self._known(cluster), since))
        return [StoredObservation(cluster, *row) for row in rows]

    def clusters(self) -> Sequence[ClusterSummary]:
        """Return the clusters by name. Raises: StoreError."""
        return [
            self._summary(int(number), name)
            for number, name in self._rows(statements.CLUSTER_NAMES)
        ]

    def _summary(self, number: int, name: str) -> ClusterSummary:
        alive_at = self._rows(statements.ALIVE_AT, (number,))[0][0]
        latest = self._rows(statements.LATEST_ROLLUP, (number,))
        values = zip((*MEANS, *COUNTS), latest[0], strict=True) if latest else ()
        oldest = statements.OLDEST.format(at=TASKS.at, table=TASKS.name)
        return ClusterSummary(
            name,
            alive_at=alive_at or 0.0,
            since=self._rows(oldest, (number,))[0][0],
            tasks=int(self._rows(statements.COUNT_TASKS, (number,))[0][0]),
            latest={key: float(value) for key, value in values if value is not None},
        )


def _minute(at: float) -> int:
    return int(at // MINUTE)


def _rollup(cluster: str, row: Sequence[Any]) -> Rollup:
    """Return a rollup of its kind, name and minute, and its values in the order of the table."""
    kind, name, minute, *values = row
    known = zip((*MEANS, *COUNTS), values, strict=True)
    return Rollup(
        cluster, kind, name, minute, {key: float(one) for key, one in known if one is not None}
    )


def _targets(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])


def _names(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({name for name in names if name})[:MAX_NAMES])
