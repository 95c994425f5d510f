"""A history in a SQL database: what both drivers share.

A driver opens its database and provides `_rows`, `_execute_many` and `_transaction`; it turns the
errors of its library into `StoreError`.
"""

from __future__ import annotations

import math
import zlib
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import msgspec

from ..rows import (
    Batch,
    Pruned,
    Rollup,
    StoredLog,
    StoredTask,
)
from . import statements
from .other_writers import OtherWriters
from .reading import SqlReads
from .schema import (
    COUNTS,
    FINDINGS,
    LOG,
    MARKS,
    MEANS,
    OBSERVATIONS,
    OPERATION_TARGETS,
    OPERATIONS,
    ROLLUPS,
    RUNS,
    TABLES,
    TASKS,
    Table,
    unit_of,
)

PRUNED_ROWS: Final = 2_000
"""Rows that one slice of the retention deletes from each table."""
OBSOLETE_AFTER: Final = 3_600.0
"""Seconds after which observations of an earlier run are deleted: they were made again, or cannot
be."""


class SqlStore(SqlReads):
    """A store in a SQL database."""

    def __init__(self) -> None:
        super().__init__()
        self._others = OtherWriters(self.written_at)

    # What a driver provides

    @property
    @abstractmethod
    def location(self) -> str:
        """The file's path, or the URL without its password."""

    @abstractmethod
    def _execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement with each of the rows as parameters. Raises: StoreError."""

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[object]:
        """Return a context whose statements take effect together. Raises: StoreError."""

    @abstractmethod
    def _delete(self, table: Table, number: int, before: float) -> int:
        """Delete the rows of a cluster before a time; return how many. Raises: StoreError."""

    @abstractmethod
    def size(self) -> int:
        """Return the bytes that the data takes; 0 if that is unknown. Raises: StoreError."""

    @abstractmethod
    def close(self) -> None:
        """Release the file or the connection."""

    # Writing

    def write(self, batch: Batch) -> None:
        """Write a batch in one transaction. Raises: StoreError."""
        with self._transaction():
            try:
                self._write(batch)
            except BaseException:
                self._numbers.clear()  # a cluster may have been added in it
                raise

    def _write(self, batch: Batch) -> None:
        number = self._number
        self._upsert(TASKS, (_task_row(number(row.cluster), row) for row in batch.tasks))
        self._upsert(ROLLUPS, (_rollup_row(number(row.cluster), row) for row in batch.rollups))
        self._upsert(FINDINGS, (self._plain(row) for row in batch.findings))
        for row in batch.operations:
            cells = list(self._plain(row))
            cells[-1] = msgspec.json.encode(row.targets).decode()
            self._upsert(OPERATIONS, [cells])
            targets = ((cells[0], target, row.id, row.began_at) for target in set(row.targets))
            self._upsert(OPERATION_TARGETS, targets)
        self._upsert(LOG, (_log_row(number(row.cluster), row) for row in batch.log))
        self._upsert(MARKS, (self._plain(row) for row in batch.marks))
        self._upsert(RUNS, (self._plain(row) for row in batch.runs))
        kept = [self._plain(row) for row in batch.observations if row.body]
        self._upsert(OBSERVATIONS, kept)
        gone = [(number(row.cluster), row.subject) for row in batch.observations if not row.body]
        if gone:
            self._execute_many(statements.REMOVE_OBSERVATION, gone)

    def _upsert(self, table: Table, rows: Iterable[Sequence[Any]]) -> None:
        kept = list(rows)
        if kept:
            self._execute_many(table.upsert(self.dialect), kept)

    def _plain(self, row: msgspec.Struct) -> tuple[Any, ...]:
        """Return the cells of a row whose fields are the columns of its table."""
        cluster, *rest = msgspec.structs.astuple(row)
        return (self._number(cluster), *rest)

    def _number(self, cluster: str) -> int:
        """Return the number of a cluster, which is added if it is new."""
        number = self._numbers.get(cluster)
        if number is None:
            found = self._rows(statements.CLUSTER_NUMBER, (cluster,))
            if not found:
                self._rows(statements.ADD_CLUSTER, (cluster,))
                found = self._rows(statements.CLUSTER_NUMBER, (cluster,))
            number = self._numbers[cluster] = int(found[0][0])
        return number

    def prune(self, now: float, max_age: float, max_bytes: int) -> Pruned:
        """Delete one slice of what is too old or too much. Raises: StoreError."""
        limits = [now - max_age]
        numbers = [int(row[0]) for row in self._rows(statements.CLUSTER_NAMES)]
        if self.size() > max_bytes:
            limits += self._oldest_slice(numbers)
        deleted, more = 0, False
        with self._transaction():
            for table in TABLES:
                for number in numbers:
                    here, rest = self._prune(table, number, max(limits))
                    deleted += here
                    more = more or rest
            for number in numbers:
                obsolete = (number, now - OBSOLETE_AFTER, number)
                self._rows(statements.REMOVE_OBSERVATIONS_BEFORE, obsolete)
        size = self.size()
        return Pruned(deleted, more or (deleted > 0 and size > max_bytes), size)

    def _oldest_slice(self, numbers: Iterable[int]) -> list[float]:
        """Return the time before which a slice of the oldest rows is, as a list of one."""
        for table in (TASKS, ROLLUPS, LOG):
            ends = [self._end_of_oldest(table, number) for number in numbers]
            known = [end for end in ends if end is not None]
            if known:
                return [min(known) * unit_of(table)]
        return []

    def _end_of_oldest(self, table: Table, number: int) -> float | None:
        """Return the time of the row after the oldest slice, or of the newest; None without."""
        sql = statements.NTH_OLDEST.format(table=table.name, at=table.at)
        found = self._rows(sql, (number, PRUNED_ROWS))
        if found:
            return float(found[0][0])
        newest = self._rows(statements.NEWEST.format(table=table.name, at=table.at), (number,))[0][
            0
        ]
        return None if newest is None else float(newest) + 1.0

    def _prune(self, table: Table, number: int, before: float) -> tuple[int, bool]:
        """Delete at most about a slice of a table; return how many rows, and whether more are."""
        before /= unit_of(table)
        names = {"table": table.name, "at": table.at}
        oldest = self._rows(statements.OLDEST.format(**names), (number,))[0][0]
        if oldest is None or oldest >= before:
            return 0, False
        end = self._rows(statements.NTH_OLDEST.format(**names), (number, PRUNED_ROWS))
        # Many rows of one time are deleted together.
        until = before if not end else min(before, math.nextafter(end[0][0], math.inf))
        return self._delete(table, number, until), until < before


def _task_row(number: int, row: StoredTask) -> tuple[Any, ...]:
    # Spelled out, in the order of the columns: `astuple` takes three times as long.
    return (
        number,
        row.id,
        row.at,
        row.state,
        row.body.decode(),
        row.name,
        row.worker,
        row.queue,
        row.first_seen_at,
        row.finished_at,
        row.runtime,
        row.root_id,
        row.parent_id,
        row.group_id,
        row.failure,
        row.sample,
    )


def _rollup_row(number: int, row: Rollup) -> tuple[Any, ...]:
    values = (row.values.get(name) for name in (*MEANS, *COUNTS))
    return (number, row.kind, row.name, row.minute, *values)


def _log_row(number: int, row: StoredLog) -> tuple[Any, ...]:
    line = f"{row.level}\n{row.source}\n{row.text}".encode(errors="replace")
    return (number, row.at, zlib.crc32(line), row.level, row.source, row.text)
