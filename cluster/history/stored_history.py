"""Reads the history for a session, which does not wait for it.

Every read is a call that the thread of the store answers; tasks that it finds are put into the
inbox, like all other observations.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Final, Protocol, TypeVar

from ...history.reading.moments import Moment, read_moment, recorded_since
from ...history.rows import (
    MAX_AHEAD,
    MINUTE,
    Cursor,
    FailureRow,
    Gap,
    StoredMark,
    StoredOperation,
    StoredTask,
    SubjectKind,
    TaskCount,
    TaskPage,
    TypeRow,
)
from ...history.store import HistoryStore, NoHistoryError, StoreError
from ...history.task_body import task_of
from ...model.observations import FailuresKnown, HistoryRead
from ...model.query.language import EVERY_TASK, Query, parse_query
from ..inbox import Inbox
from .stored_search import StoredSearch, lowest_share, problem

R = TypeVar("R")

RECENT_SECONDS: Final = 3_600.0
"""What is loaded at the start."""
RECENT_TASKS: Final = 5_000
RECENT_PROBLEMS: Final = 2_000
"""Tasks of that time that did not succeed, loaded in addition."""
RECENT_PAGE: Final = 500
KNOWN_SECONDS: Final = 86_400.0
"""Groups of failures of this time are known when they fail again."""
MAX_FAILURES: Final = 500
MAX_WORKFLOW: Final = 1_000
MAX_OPERATIONS: Final = 50
_PROBLEMS: Final = "state:failure,revoked,rejected,retry"


class Reader(Protocol):
    """Answers reads, as `history.reader.HistoryReader` does."""

    on_answer: Callable[[], object]
    """Called after each answer, in any thread."""

    def ask(self, read: Callable[[HistoryStore], R]) -> Future[R]:
        """Have a function called with the store; return the future of its result."""


class StoredHistory:
    """Reads the history of one cluster.

    Args:
        reader: Calls functions with the store, in a thread of its own.
        cluster: The key of the cluster in the store.
        inbox: Where the tasks go.
    """

    def __init__(self, reader: Reader, cluster: str, inbox: Inbox) -> None:
        self.reader = reader
        self._ask = reader.ask
        self.cluster = cluster
        self._inbox = inbox
        self._recent: Cursor | None = None
        self._recent_loaded = 0
        self._recent_share = 1.0
        self._recent_is_all = False
        self._failures_since = 0.0
        self.recent_complete = False
        """Whether the tasks of the last hour were loaded, or cannot be."""

    def load_recent(self, now: float) -> None:
        """Load the tasks of the last hour, those that did not succeed first."""
        since, problems = now - RECENT_SECONDS, parse_query(_PROBLEMS)

        def load(query: Query, left: int, before: Cursor | None, then: Callable[[], None]) -> None:
            def loaded(found: Future[TaskPage]) -> None:
                if (error := problem(found)) is not None:
                    if isinstance(error, StoreError) and not isinstance(error, NoHistoryError):
                        self._inbox.log("warning", "history", str(error))
                    self.recent_complete = True
                    return
                page = found.result()
                recent = [row for row in page.tasks if row.at >= since]
                cut = len(recent) < len(page.tasks)
                ends = cut or page.cursor is None or page.cursor.at < since
                last = Cursor(recent[-1].at, recent[-1].id) if recent else before
                if query is problems:
                    self._failures_since = since if ends or not recent else recent[-1].at
                if query is EVERY_TASK:
                    self._recent_loaded += len(recent)
                    self._recent_share = lowest_share(self._recent_share, recent)
                    self._recent = page.cursor if not ends else last
                    self._recent_is_all = page.cursor is None and not cut
                if ends or len(recent) >= left:
                    then()
                else:
                    load(query, left - len(recent), page.cursor, then)

            page = self.page(query, now, min(left, RECENT_PAGE), before, since=since)
            page.add_done_callback(loaded)

        def done() -> None:
            self.recent_complete = True
            self._ask(lambda store: self._put_failures(store, now))

        load(problems, RECENT_PROBLEMS, None, lambda: load(EVERY_TASK, RECENT_TASKS, None, done))

    def search(self, query: Query, now: float) -> StoredSearch:
        """Return a search for the tasks that match a filter; `StoredSearch.more` begins it."""
        if not query.empty:
            return StoredSearch(self, query, now, None, 0)
        rest = StoredSearch(self, query, now, self._recent, self._recent_loaded)
        rest.complete, rest.share = self._recent_is_all, self._recent_share
        return rest

    def page(
        self,
        query: Query,
        now: float,
        limit: int,
        before: Cursor | None,
        *,
        since: float | None = None,
        wanted: bool = False,
    ) -> Future[TaskPage]:
        """Read some tasks that match a filter, and put them into the inbox.

        Args:
            query: The filter.
            now: Epoch seconds from which durations in the filter count.
            limit: Tasks at most.
            before: Where the page before ended; None if it is the first.
            since: Epoch seconds; tasks that ended before are left out.
            wanted: Whether they may evict others from memory.
        """

        def read(store: HistoryStore) -> TaskPage:
            page = store.tasks(self.cluster, query, now, limit, before or _newest(now))
            rows = page.tasks if since is None else [row for row in page.tasks if row.at >= since]
            self._put(rows, wanted=wanted)
            return page

        return self._ask(read)

    def failed(self, failure: str, start: float, end: float, limit: int) -> Future[tuple[str, ...]]:
        """Read the latest tasks of a group of failures in a window; the future has their ids.

        Args:
            failure: The id of the group.
            start: Epoch seconds.
            end: Epoch seconds, not included.
            limit: Tasks at most.
        """

        def read(store: HistoryStore) -> tuple[str, ...]:
            rows = store.failed(self.cluster, failure, start, end, limit)
            self._put(rows, wanted=True)
            return tuple(row.id for row in rows)

        return self._ask(read)

    def count(self, query: Query, now: float, before: Cursor | None = None) -> Future[TaskCount]:
        """Count the tasks that match a filter, or those of them before a place."""
        start = before or _newest(now)
        return self._ask(lambda store: store.count(self.cluster, query, now, start))

    def find(self, prefix: str) -> Future[tuple[str, ...]]:
        """Read the task whose id begins with a text, and its workflow.

        Returns:
            The ids found: two if there are several, of which none is read then.
        """

        def read(store: HistoryStore) -> tuple[str, ...]:
            rows = list(store.task(self.cluster, prefix))
            exact = [row for row in rows if row.id == prefix]
            rows = exact or rows
            if len(rows) == 1:
                root_id = rows[0].root_id or rows[0].id
                rows += store.workflow(self.cluster, root_id, MAX_WORKFLOW)
                self._put(
                    list({row.id: row for row in rows}.values()), wanted=True, unfinished=True
                )
                rows = rows[:1]
            return tuple(row.id for row in rows)

        return self._ask(read)

    def operations(self, target: str) -> Future[Sequence[StoredOperation]]:
        """Return the latest operations on a task, queue or worker."""
        return self._ask(lambda store: store.operations(self.cluster, target, MAX_OPERATIONS))

    def series(
        self, kind: SubjectKind, name: str, start: float, end: float, step: int
    ) -> Future[Mapping[str, Sequence[float]]]:
        """Return the values of the cluster, a queue, a worker or a task type; NaN is unknown."""
        return self._ask(lambda store: store.series(self.cluster, kind, name, start, end, step))

    def marks(self, start: float, end: float) -> Future[Sequence[StoredMark]]:
        """Return what happened to workers."""
        return self._ask(lambda store: store.marks(self.cluster, start, end))

    def failures(
        self, start: float, end: float, steps: int, limit: int
    ) -> Future[Sequence[FailureRow]]:
        """Return the groups of failures in a window, the latest first."""
        return self._ask(lambda store: store.failures(self.cluster, start, end, steps, limit))

    def types_around(
        self, at: float, seconds: float
    ) -> Future[tuple[Sequence[TypeRow], Sequence[TypeRow]]]:
        """Return what the task types did before and after a minute.

        If nothing was recorded just before it, the time before that counts.

        Args:
            at: When the minute began, epoch seconds; it belongs to neither side.
            seconds: The length of each side.
        """

        def read(store: HistoryStore) -> tuple[Sequence[TypeRow], Sequence[TypeRow]]:
            end, begin = at, at + MINUTE
            for gap in store.gaps(self.cluster, at - KNOWN_SECONDS, begin):
                if gap.ended_at >= at - MINUTE:
                    end = min(end, gap.began_at // MINUTE * MINUTE)
            before = store.types(self.cluster, end - seconds, end)
            return before, store.types(self.cluster, begin, begin + seconds)

        return self._ask(read)

    def moment(self, at: float, *, later: bool) -> Future[Moment | None]:
        """Return the minute that ends at an epoch time, or one next to it (`read_moment`)."""
        return self._ask(lambda store: read_moment(store, self.cluster, at, later=later))

    def recorded_since(self) -> Future[float | None]:
        """Return the last second of the first minute, in epoch seconds; None if there is none."""
        return self._ask(lambda store: recorded_since(store, self.cluster))

    def gaps(self, start: float, end: float) -> Future[Sequence[Gap]]:
        """Return the times of a window in which nothing was recorded."""
        return self._ask(lambda store: store.gaps(self.cluster, start, end))

    def _put_failures(self, store: HistoryStore, now: float) -> None:
        """Put when groups of failures began, and since when all are known, into the inbox."""
        rows = store.failures(self.cluster, now - KNOWN_SECONDS, now, 1, MAX_FAILURES)
        gaps = store.gaps(self.cluster, self._failures_since, now)
        first = recorded_since(store, self.cluster)
        since = max(self._failures_since, first or now, *(gap.ended_at for gap in gaps))
        first_at = {row.failure: row.first_at for row in rows}
        self._inbox.put(FailuresKnown(first_at, time.time(), since))

    def _put(self, rows: Sequence[StoredTask], *, wanted: bool, unfinished: bool = False) -> None:
        tasks = [task for row in rows if (task := task_of(row)) is not None]
        if tasks:
            self._inbox.put(HistoryRead(tuple(tasks), time.time(), wanted, unfinished))


def _newest(now: float) -> Cursor:
    return Cursor(now + MAX_AHEAD, "")
