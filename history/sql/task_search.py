"""The search for tasks that match a filter, the newest first.

It runs in slices: the place so many rows further back is looked up in an index, and the rows before
it are tested. So a search for something rare takes no longer than one that finds a page at once: it
returns what it has found in time, and where to go on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from ...model.query.language import Query
from ..rows import Cursor, StoredTask, TaskCount, TaskPage
from ..task_body import decoded
from . import statements
from .conditions import Conditions, Parameter, conditions

SEARCH_TIME: Final = 0.03
"""Seconds after which a search returns what it has found, or counted."""
COUNTED_ROWS: Final = 20_000
SLICE_ROWS: Final = 2_000
"""Rows that the first slice of a search covers; the next ones are adapted to its time."""
SLICE_TIME: Final = 0.005
MAX_SLICE_ROWS: Final = 100_000
BLOCK_ROWS: Final = 500
"""Rows read at once."""
NEWEST: Final = Cursor(math.inf, "")
OLDEST: Final = Cursor(-math.inf, "")

Run: TypeAlias = Callable[[str, Sequence[Parameter]], list[tuple[Any, ...]]]
"""Runs a statement with its parameters, and returns the rows."""


class TaskSearch:
    """A search in the tasks of one cluster.

    Args:
        run: Runs statements in the database.
        cluster: The key of the cluster.
        number: Its number in the database.
        query: The filter.
        now: Epoch seconds.
    """

    def __init__(self, run: Run, cluster: str, number: int, query: Query, now: float) -> None:
        self._run = run
        self._cluster = cluster
        self._number = number
        self._query = query
        self._now = now
        self._search = conditions((term.condition for term in query.terms), now)
        # The condition of the index by which the rows are searched.
        self._base = " AND state <> 'SUCCESS'" if self._search.unsuccessful else ""

    def page(self, limit: int, before: Cursor) -> TaskPage:
        """Return the newest matching tasks before a place, at most `limit`. Raises: StoreError."""
        exact = self._search.exact
        deadline = time.monotonic() + SEARCH_TIME
        found: list[StoredTask] = []
        searched = 0
        for part in self._slices(before):
            searched += part.rows
            start = part.start
            late = full = False
            while not late:
                size = limit - len(found) if exact else BLOCK_ROWS
                rows = self._block(start, part.end, size)
                searched += 0 if part.rows else len(rows)
                for row in rows:
                    if exact or self._matches(row):
                        found.append(task_row(self._cluster, row))
                        if len(found) == limit:
                            return TaskPage(tuple(found), _place(row), searched)
                late = time.monotonic() > deadline
                full = len(rows) == size
                if not full:
                    break
                start = _place(rows[-1])
            if late and (full or not part.last):
                return TaskPage(tuple(found), start if full else part.end, searched)
        return TaskPage(tuple(found), None, searched)

    def count(self, before: Cursor) -> TaskCount:
        """Return how many tasks before a place match. Raises: StoreError."""
        exact = self._search.exact
        deadline = time.monotonic() + SEARCH_TIME
        matching = 0
        for part in self._slices(before):
            start = part.start
            full = not exact
            if exact:
                matching += self._count(start, part.end, self._search)
            while full:
                rows = self._block(start, part.end, BLOCK_ROWS)
                matching += sum(map(self._matches, rows))
                full = len(rows) == BLOCK_ROWS
                start = _place(rows[-1]) if rows else start
                if full and time.monotonic() > deadline:
                    return TaskCount(matching, False, start)
            if not part.last and time.monotonic() > deadline:
                return TaskCount(matching, False, part.end)
        return TaskCount(matching, True)

    def count_all(self, before: Cursor) -> TaskCount:
        """Return how many tasks before a place there are. Raises: StoreError."""
        deadline = time.monotonic() + SEARCH_TIME
        counted, start = 0, before
        sql = statements.SLICE_END.format(where="")
        while True:
            found = self._run(sql, (self._number, start.at, start.id, COUNTED_ROWS - 1))
            if not found:
                return TaskCount(counted + self._count(start, OLDEST), True)
            counted, start = counted + COUNTED_ROWS, Cursor(*found[0])
            if time.monotonic() > deadline:
                return TaskCount(counted, False, start)

    def _slices(self, before: Cursor) -> Iterator[_Slice]:
        """Yield the slices of a search, the newest first; their size adapts to the time taken."""
        search, start, oldest = self._search, before, OLDEST
        if search.until is not None and search.until < start.at:
            start = Cursor(search.until, "")
        if search.since is not None:
            oldest = Cursor(search.since, "")
        if not search.where:
            yield _Slice(start, oldest, 0, True)
            return
        size, sql = SLICE_ROWS, statements.SLICE_END.format(where=self._base)
        while True:
            began = time.monotonic()
            found = self._run(sql, (self._number, start.at, start.id, size - 1))
            end = oldest if not found else Cursor(*found[0])
            last = (end.at, end.id) <= (oldest.at, oldest.id)
            if last:
                size = self._count(start, oldest)
            yield _Slice(start, oldest if last else end, size, last)
            if last:
                return
            start = end
            factor = SLICE_TIME / max(time.monotonic() - began, 1e-6)
            size = min(int(size * min(max(factor, 0.25), 4.0)) + 1, MAX_SLICE_ROWS)

    def _block(self, start: Cursor, end: Cursor, limit: int) -> list[tuple[Any, ...]]:
        """Return the newest rows between two places that the conditions hold for."""
        sql = statements.TASK_BLOCK.format(where=self._base + self._search.where)
        places = (self._number, start.at, start.id, end.at, end.id)
        return self._run(sql, (*places, *self._search.parameters, limit))

    def _count(self, start: Cursor, end: Cursor, search: Conditions | None = None) -> int:
        """Return how many rows are between two places, or those that conditions hold for."""
        where, parameters = ("", ()) if search is None else (search.where, search.parameters)
        sql = statements.COUNT_BLOCK.format(where=self._base + where)
        places = (self._number, start.at, start.id, end.at, end.id)
        return int(self._run(sql, (*places, *parameters))[0][0])

    def _matches(self, row: Sequence[Any]) -> bool:
        task = decoded(row[3].encode())
        return task is not None and self._query.matches(task, self._now)


class _Slice(NamedTuple):
    """A part of a search: the rows before `start`, up to and including `end`."""

    start: Cursor
    end: Cursor
    rows: int
    """How many there are; 0 if that was not counted."""
    last: bool


def task_row(cluster: str, row: Sequence[Any]) -> StoredTask:
    """Return the task of a row with `statements.TASK_COLUMNS`."""
    id_, at, state, body, *rest = row
    return StoredTask(cluster, id_, at, state, body.encode(), *rest)


def _place(row: Sequence[Any]) -> Cursor:
    return Cursor(row[1], row[0])
