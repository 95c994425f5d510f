"""The groups of failures in a window of the history, read again from time to time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final

from ...model.entities.series.time_series import SECONDS
from ...model.ingest.tasks.failure_groups import TREND_STEPS, FailureGroup
from ..context import AppContext
from ..history.failed_reads import failed

if TYPE_CHECKING:
    from ...history.reading.failure_groups import StoredGroup
    from ...history.rows import FailureRow

MAX_GROUPS: Final = 500
READ_INTERVAL: Final = 5.0
"""Seconds after which they are read again, at least."""
READ_DIVISOR: Final = 20_000
"""Long windows are read again after this part of their time: 20,000 is 30 seconds for a week."""


class StoredFailures:
    """The groups in the window that charts cover, if that is longer than what memory has."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._groups: dict[str, StoredGroup] = {}
        self._window = 0
        self._asked: tuple[int, float, Future[Sequence[FailureRow]]] | None = None
        """The window with its end, and the answer."""
        self._asked_at = float("-inf")
        self._examples: set[str] = set()
        self.unavailable = False
        """Whether they could not be read the last time: the groups are those read before."""

    @property
    def covers(self) -> bool:
        """Whether the history is shown rather than what is in memory."""
        return (
            self._context.chart_seconds > SECONDS
            and self._context.session.history.stored is not None
        )

    @property
    def loading(self) -> bool:
        """Whether the groups of the window have yet to be read."""
        return self.covers and self._window != self._context.chart_seconds

    @property
    def is_cut(self) -> bool:
        """Whether there may be more groups in the window."""
        return self.covers and len(self._groups) >= MAX_GROUPS

    def groups(self) -> Iterable[FailureGroup]:
        """Return the groups of the window as they were last read, and have them read again."""
        self._take()
        window, now = self._context.chart_seconds, time.monotonic()
        interval = READ_INTERVAL if self.unavailable else max(READ_INTERVAL, window / READ_DIVISOR)
        due = now - self._asked_at >= interval or self._window != window
        history = self._context.session.history.stored
        if history is not None and self._asked is None and due:
            end, self._asked_at = self._context.now() + 1, now
            found = history.failures(end - 1 - window, end, TREND_STEPS, MAX_GROUPS)
            self._asked = window, end, found
            self._take()
        return [] if self.loading else self._groups.values()

    def _take(self) -> None:
        if self._asked is None or not self._asked[2].done():
            return
        (window, end, found), self._asked = self._asked, None
        self.unavailable = failed(found)
        if found.cancelled() or found.exception() is not None:
            if self._window != window:
                self._window, self._groups = window, {}
            return
        from ...history.reading.failure_groups import stored_group

        held = {group.id: group.tasks for group in self._context.state.failures}
        self._window, start = window, end - 1 - window
        self._groups = {
            row.failure: stored_group(row, _since(start, held.get(row.failure, {})), start, end)
            for row in found.result()
        }

    def load_example(self, group: FailureGroup) -> None:
        """Load the latest task of a group, unless it is in memory or was loaded before."""
        id_, history = group.example, self._context.session.history.stored
        if id_ is None or history is None or id_ in self._context.state.tasks:
            return
        if id_ not in self._examples:
            self._examples.add(id_)
            history.find(id_)


def _since(start: float, tasks: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return the tasks that failed in the window, or at an unknown time."""
    return {id_: at for id_, at in tasks.items() if at is None or at >= start}
