"""A search for stored tasks: page by page, with their number."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from typing import Final, Protocol, TypeVar

from ...history.rows import Cursor, StoredTask, TaskCount, TaskPage
from ...history.store import NoHistoryError, StoreError
from ...model.query.language import Query

R = TypeVar("R")

PAGE: Final = 200
"""Tasks that are loaded at once while a list is scrolled."""
MAX_COUNTS: Final = 50
"""Parts in which the matching tasks are counted, each in about 30 ms; others are read between."""
MAX_LOADED: Final = 20_000
"""Tasks that one search loads into memory."""


class Pages(Protocol):
    """Reads stored tasks, as `StoredHistory` does."""

    def page(
        self, query: Query, now: float, limit: int, before: Cursor | None, *, wanted: bool
    ) -> Future[TaskPage]:
        """Read some tasks that match a filter, and put them into the inbox."""

    def count(self, query: Query, now: float, before: Cursor | None) -> Future[TaskCount]:
        """Count the tasks that match a filter, or those of them before a place."""


def problem(found: Future[R]) -> BaseException | None:
    """Return why a read that is done has no result; None if it has."""
    return CancelledError() if found.cancelled() else found.exception()


class StoredSearch:
    """The stored tasks that match a filter, loaded page by page, the newest first.

    Its values are set by the thread of the store.
    """

    def __init__(
        self, history: Pages, query: Query, now: float, before: Cursor | None, loaded: int
    ) -> None:
        self._history = history
        self._query = query
        self._now = now
        self._cursor = before
        self._wanted = 0
        self.loaded = loaded
        """Tasks loaded so far."""
        self.complete = False
        """Whether there are no older ones."""
        self.loading = False
        """Whether more are being looked for."""
        self.count: TaskCount | None = None
        """How many match; None until they are counted."""
        self.fault = ""
        """Why the history cannot be read."""
        self.cancelled = False
        """Whether the search was ended."""
        self.share = 1.0
        """The smallest share of the successful tasks, of those loaded, that was stored."""
        self._asked: list[Future[TaskPage] | Future[TaskCount]] = []
        """The reads under way."""

    @property
    def can_load(self) -> bool:
        """Whether `more` would look for further tasks."""
        return not (self.loading or self.complete or self.fault or self.loaded >= MAX_LOADED)

    def more(self, tasks: int = PAGE) -> None:
        """Load so many further tasks, in the background."""
        if self.can_load:
            self.loading, self._wanted = True, self.loaded + tasks
            self._ask()

    def count_matching(self) -> None:
        """Count the tasks that match, in the background."""
        self._count_rest(None, MAX_COUNTS)

    def cancel(self) -> None:
        """End the search: what was not begun is not read."""
        self.cancelled = True
        for asked in tuple(self._asked):
            asked.cancel()

    def _count_rest(self, before: Cursor | None, left: int) -> None:
        def counted(found: Future[TaskCount]) -> None:
            self._asked.remove(found)
            if problem(found) is not None:
                return
            rest, known = found.result(), 0 if self.count is None else self.count.matching
            self.count = TaskCount(known + rest.matching, rest.exact)
            if rest.cursor is not None and left > 1 and not self.cancelled:
                self._count_rest(rest.cursor, left - 1)

        count = self._history.count(self._query, self._now, before)
        self._asked.append(count)
        count.add_done_callback(counted)

    @property
    def text(self) -> str:
        """How much is loaded: `500 of 1,204,388 loaded`; empty if that is all.

        And which part of the successes was stored, if not all were.
        """
        stored = "" if self.share == 1.0 else f"1 of {round(1 / self.share)} successes stored"
        return ", ".join(each for each in (self._loaded_text, stored) if each)

    @property
    def _loaded_text(self) -> str:
        if self.complete:
            return ""
        if self.count is None:
            return f"{self.loaded:,} loaded"
        matching = max(self.count.matching, self.loaded)
        if matching == self.loaded and self.count.exact:
            return ""
        least = "" if self.count.exact else "more than "
        if not self.loaded and not self.loading:
            return f"{least}{matching:,} stored"  # nothing was looked for yet
        return f"{self.loaded:,} of {least}{matching:,} loaded"

    def _ask(self) -> None:
        page = self._history.page(
            self._query, self._now, self._wanted - self.loaded, self._cursor, wanted=True
        )
        self._asked.append(page)
        page.add_done_callback(self._loaded)

    def _loaded(self, found: Future[TaskPage]) -> None:
        self._asked.remove(found)
        error = problem(found)
        if error is not None:
            self.loading = False
            if self.cancelled or isinstance(error, NoHistoryError):
                self.complete = True
            else:
                self.fault = str(error) if isinstance(error, StoreError) else type(error).__name__
            return
        page = found.result()
        self.loaded += len(page.tasks)
        self.share = lowest_share(self.share, page.tasks)
        self._cursor = page.cursor
        self.complete = page.cursor is None
        if not self.complete and self.loaded < self._wanted and not self.cancelled:
            self._ask()  # the page was cut short so that others can be read in between
        else:
            self.loading = False


def lowest_share(share: float, rows: Sequence[StoredTask]) -> float:
    """Return the smallest share of the successes that was stored, of rows and of those before."""
    return min([share, *(row.sample for row in rows)])
