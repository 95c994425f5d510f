"""Detects other celtops that write the same history, by when each cluster was last written."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

MAX_SILENCE: Final = 10.0
"""Seconds without a batch after which a writer is replaced that still holds the lock."""


class OtherWriters:
    """Compares when clusters were written with when they had been before.

    Args:
        written_at: Returns when a cluster was last written, by its writer's clock; None if never.
    """

    def __init__(self, written_at: Callable[[str], float | None]) -> None:
        self._written_at = written_at
        self._news: dict[str, float | None] = {}
        self._silent: dict[str, tuple[float | None, float]] = {}
        """Since when, by the monotonic clock, a cluster has not been written."""

    def forget(self) -> None:
        """Have news of every cluster: what was written meanwhile is not known."""
        self._news.clear()

    def has_news(self, cluster: str) -> bool:
        """Return whether a cluster was written since this was last asked. Raises: StoreError."""
        now = self._written_at(cluster)
        before, self._news[cluster] = self._news.get(cluster, math.nan), now
        return now != before

    def is_frozen(self, cluster: str) -> bool:
        """Return whether the writer of a cluster writes nothing; ask once a second.

        It may be stopped (ctrl+z), or its host may be. Raises: StoreError.
        """
        written_at, now = self._written_at(cluster), time.monotonic()
        before, since = self._silent.get(cluster, (math.nan, now))
        if written_at != before:
            since = now
        self._silent[cluster] = written_at, since
        return now - since > MAX_SILENCE
