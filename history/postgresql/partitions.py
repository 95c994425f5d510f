"""The partitions of the tables in PostgreSQL: one for each day, dropped whole by the retention.

A day in UTC has one partition of each large table, which is created before its first row is
written. Today's partition of tasks ends early if it grows large, and another one covers the rest of
the day: so the retention by size, too, drops partitions, and does not delete rows, whose space
PostgreSQL would keep. Rows whose times cannot be right are in one partition together.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from ..rows import Pruned
from ..sql.schema import LOG, ROLLUPS, SCHEMA_NAME, TASKS, Table, unit_of

PARTITIONED: Final = (TASKS, ROLLUPS, LOG)
DAY: Final = 86_400
"""Seconds that a partition covers."""
MAX_DAYS_AHEAD: Final = 1
MAX_DAYS_BACK: Final = 400
"""Times outside of these days cannot be right."""
MAX_SHARE: Final = 0.1
"""The share of the retention's `max_bytes` that one partition takes."""
MIN_SPLIT_SIZE: Final = 4 << 20
"""Bytes below which a partition is not ended early."""
SPLIT_MARGIN: Final = 60.0
"""Seconds between the newest row of a partition that is ended early, and its end."""
_ALL: Final = (
    "SELECT parent.relname, child.relname, pg_get_expr(child.relpartbound, child.oid), "
    "pg_total_relation_size(child.oid), child.reltuples "
    "FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid "
    "JOIN pg_class parent ON parent.oid = inhparent "
    "JOIN pg_namespace ON pg_namespace.oid = parent.relnamespace "
    f"WHERE nspname = '{SCHEMA_NAME}' AND parent.relkind = 'p' AND child.relkind = 'r'"
)
_BOUNDS: Final = re.compile(r"FROM \('?([^')]+)'?\) TO \('?([^')]+)'?\)")


class Partition(NamedTuple):
    """A partition of a table; its times are epoch seconds."""

    table: Table
    name: str
    start: float
    end: float
    size: int
    """Bytes, with its indexes."""
    rows: int
    """An estimate."""


class Partitions:
    """The partitions of a database.

    Args:
        run: Runs a statement with parameters, and returns its rows.
        transaction: Returns a context whose statements take effect together.
        lock: Waits until no other celtop changes the tables, up to the end of the transaction.
    """

    def __init__(
        self,
        run: Callable[..., list[tuple[Any, ...]]],
        transaction: Callable[[], AbstractContextManager[object]],
        lock: Callable[[], object],
    ) -> None:
        self._run = run
        self._transaction = transaction
        self._lock = lock
        self._days: set[tuple[str, int]] = set()
        """Tables and days, counted from the epoch, that are known to have a partition."""

    def forget(self) -> None:
        """Forget which partitions there are: the database may be another one."""
        self._days.clear()

    def create(self, table: Table, times: Iterable[float]) -> None:
        """Create the partitions for the times of new rows, in epoch seconds. Raises: StoreError."""
        days = {(table.name, int(at // DAY)) for at in times if math.isfinite(at)} - self._days
        today = int(time.time() // DAY)
        for name, day in days:
            if not today - MAX_DAYS_BACK <= day <= today + MAX_DAYS_AHEAD:
                continue
            with self._transaction():
                self._lock()
                if not any(one.start <= day * DAY < one.end for one in self.all(table)):
                    self._add(table, day * DAY, (day + 1) * DAY)
            self._days.add((name, day))

    def prune(self, now: float, max_age: float, max_bytes: int, size: int) -> Pruned | None:
        """Drop the oldest partition if it is too old or there is too much; None if there is none.

        Args:
            now: Epoch seconds.
            max_age: Seconds after which rows are deleted.
            max_bytes: Bytes that the store may take.
            size: Bytes that it takes.

        Raises:
            StoreError: The server refused it.
        """
        with self._transaction():
            self._lock()
            return self._prune(now, max_age, max_bytes, size)

    def _prune(self, now: float, max_age: float, max_bytes: int, size: int) -> Pruned | None:
        stored = sorted(self.all(), key=lambda one: one.end)
        past = [one for one in stored if one.end <= now]
        if past and (past[0].end <= now - max_age or size > max_bytes):
            oldest = past[0]
            self._run(f"DROP TABLE IF EXISTS {oldest.name}")
            self._days.discard((oldest.table.name, int(oldest.start // DAY)))
            return Pruned(oldest.rows, True, size - oldest.size)
        for one in stored:
            is_current = one.start <= now < one.end - 2 * SPLIT_MARGIN
            large = one.size > max(MIN_SPLIT_SIZE, max_bytes * MAX_SHARE)
            if one.table is TASKS and is_current and large:
                self._split(one, now)
        return None

    def all(self, table: Table | None = None) -> Sequence[Partition]:
        """Return the partitions with bounds, of one table or of all. Raises: StoreError."""
        by_name = {each.name: each for each in PARTITIONED if table in (None, each)}
        found = []
        for parent, name, bounds, size, rows in self._run(_ALL):
            limits = _BOUNDS.search(str(bounds))
            if parent in by_name and limits is not None:
                each = by_name[parent]
                start, end = (float(limit) * unit_of(each) for limit in limits.groups())
                found.append(Partition(each, name, start, end, int(size), max(0, int(rows))))
        return found

    def _add(self, table: Table, start: float, end: float) -> None:
        bounds = (start / unit_of(table), end / unit_of(table))
        # They were in the future when they were written.
        self._run(
            f"DELETE FROM {table.name}_other WHERE {table.at} >= ? AND {table.at} < ?", bounds
        )
        self._run(
            f"CREATE TABLE IF NOT EXISTS {_name(table, start)} PARTITION OF {table.name} "
            f"FOR VALUES FROM ({bounds[0]:.0f}) TO ({bounds[1]:.0f})"
        )

    def _split(self, whole: Partition, now: float) -> None:
        """End a partition early, and add one for the rest of its time."""
        name, table = whole.name, whole.table
        self._run(f"ALTER TABLE {table.name} DETACH PARTITION {name}")
        newest = self._run(f"SELECT max({table.at}) FROM {name}")[0][0] or now
        middle = math.ceil(max(now, newest * unit_of(table)) + SPLIT_MARGIN)
        if middle >= whole.end:
            middle = int(whole.end)
        self._run(
            f"ALTER TABLE {table.name} ATTACH PARTITION {name} "
            f"FOR VALUES FROM ({whole.start:.0f}) TO ({middle})"
        )
        if middle < whole.end:
            self._add(table, middle, whole.end)


def _name(table: Table, start: float) -> str:
    """Return the name of the partition that begins at a time."""
    return f"{table.name}_{datetime.fromtimestamp(start, UTC):%Y%m%d_%H%M%S}"
