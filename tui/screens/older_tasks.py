"""The tasks of a list that are not in memory: in the result backend and in the history."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, Protocol

from ...model.query.language import EVERY_TASK, Query
from ..bars.base import Part
from ..context import AppContext
from ..text.unknown import HISTORY_UNAVAILABLE

if TYPE_CHECKING:
    from concurrent.futures import Future

    from textual.timer import Timer

    from ...cluster.session import StoredSearch
    from ...model.observations import HistorySearched

SEARCH_DELAY: Final = 0.6
"""Seconds after the last change of the filter before the result backend is searched."""
SEARCH_AGAIN_AFTER: Final = 60.0
"""Seconds for which the result of a search is used again."""

APPLIED_WITHIN: Final = 0.3
"""Seconds in which tasks that were loaded become rows."""


class SetTimer(Protocol):
    """Textual's `set_timer`."""

    def __call__(self, delay: float, callback: Callable[[], object], /) -> Timer:
        """Call `callback` once after `delay` seconds."""


class OlderTasks:
    """Looks for the tasks that match the filter of a list, in the background.

    The history is searched at once, and further as the list is scrolled; the result backend when
    the filter has not changed for a moment.
    """

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._query = EVERY_TASK
        self._name = ""
        self._timer: Timer | None = None
        self._results: dict[str, Future[HistorySearched]] = {}
        self._stored: StoredSearch | None = None
        self._looks_in_history = False
        self._waits = False
        """Whether the search of the history begins when the screen is no longer frozen."""
        self._asked: tuple[int, str | None, float] = (-1, None, 0.0)
        """The rows and the last visible one when more were loaded, and when (monotonic)."""

    def look_for(self, query: Query, name: str, set_timer: SetTimer, *, stored: bool) -> None:
        """Look for the tasks that match a filter, and no longer for those of the filter before.

        Args:
            query: The filter.
            name: Its text, with everything that limits the list.
            set_timer: Of the screen.
            stored: Whether to look into the history.
        """
        self._query, self._name = query, name
        if self._timer is not None:
            self._timer.stop()
        self._timer = set_timer(SEARCH_DELAY, self._search_results)
        if self._stored is not None:
            self._stored.cancel()
            self._stored = None
        self._looks_in_history = stored
        self._begin()

    def _begin(self) -> None:
        """Begin to search the history, unless the screen is frozen: then nothing is added."""
        history = self._context.session.history.stored
        self._waits = self._context.frozen
        if history is None or not self._looks_in_history or self._waits:
            return
        self._stored = history.search(self._query, self._context.now())
        if not self._query.empty:
            self._asked = -1, None, time.monotonic()
            self._stored.more()
        self._stored.count_matching()

    def resume(self) -> None:
        """Begin the search that a frozen screen has held back."""
        if self._waits:
            self._begin()

    def more(self, rows: int, last_seen: str | None) -> None:
        """Load further tasks from the history, since the end of the list is near.

        Args:
            rows: The number of rows. If it is the same as before, those that were loaded may still
                have to be applied.
            last_seen: The id of the last visible row; None if all rows are visible. If it is the
                same as before, the list was not scrolled: what was loaded last is not at its end.
        """
        if self._stored is None or not self._stored.can_load:
            return
        asked_rows, asked_last, at = self._asked
        now = time.monotonic()
        if last_seen is not None and last_seen == asked_last:
            return
        if rows != asked_rows or now - at >= APPLIED_WITHIN:
            self._asked = rows, last_seen, now
            self._stored.more()

    @property
    def searching(self) -> bool:
        """Whether the history is being searched."""
        return self._stored is not None and self._stored.loading

    def notes(self) -> Iterator[Part]:
        """Yield how much of what matches is loaded."""
        stored = self._stored
        if stored is not None:
            if stored.fault:
                yield Part(HISTORY_UNAVAILABLE, "$text-warning", 6)
            elif stored.loading:
                text = f": {stored.text}" if stored.loaded else ""
                yield Part(f"searching history{text}", "$text-muted", 6)
            elif stored.text:
                yield Part(f"history: {stored.text}", "$text-muted", 6)
        searching = self._results.get(self._name)
        seen = self._context.state.history.get(self._name)
        if searching is not None and not searching.done():
            yield Part("searching results", "$text-muted", 6)
        elif searching is not None and searching.exception() is not None:
            yield Part("results could not be searched", "$text-warning", 6)
        elif seen is not None and seen.incomplete and seen.total is not None:
            yield Part(f"results: {seen.text}", "$text-muted", 6)

    def _search_results(self) -> None:
        settings, name, query = self._context.settings, self._name, self._query
        if query.empty or not settings.load_results or settings.frugal:
            return
        seen, last = self._context.state.history.get(name), self._results.get(name)
        if last is not None and not last.done():
            return
        known = seen is not None and not seen.note  # a note: it was cut short
        if known and seen is not None and self._context.now() - seen.at < SEARCH_AGAIN_AFTER:
            return
        self._results[name] = self._context.session.lookups.search_history(query, name)
