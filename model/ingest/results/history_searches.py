"""The latest searches for finished tasks in the result backend."""

from __future__ import annotations

from typing import Final

from ...observations import HistorySearched

MAX_SEARCHES: Final = 50
"""Searches that are remembered."""


class HistorySearches:
    """Remembers the latest search with each filter."""

    def __init__(self) -> None:
        self.latest: dict[str, HistorySearched] = {}
        """The searches by filter, the newest last."""

    def add(self, seen: HistorySearched) -> None:
        """Remember a search; the oldest one makes room, but not the one without a filter."""
        self.latest.pop(seen.filter, None)
        self.latest[seen.filter] = seen
        while len(self.latest) > MAX_SEARCHES:
            del self.latest[next(text for text in self.latest if text)]
