"""The rows that the cursor was painted on: a key is meant for the one seen when it went down."""

from __future__ import annotations

from collections import deque
from typing import Final

MAX_ROWS: Final = 8
"""Rows that are remembered: a key may wait for a few frames."""


class CursorTrail:
    """The ids of the latest rows under the cursor, each with the time of its first frame."""

    def __init__(self) -> None:
        self._rows: deque[tuple[float, str | None]] = deque(maxlen=MAX_ROWS)
        self._since: float | None = None
        """When a row was painted for the first time: earlier keys are meant for no row."""

    def add(self, row_id: str | None, at: float) -> None:
        """Note the row under the painted cursor, at a monotonic time in seconds."""
        if self._since is None and row_id is not None:
            self._since = at
        if not self._rows or self._rows[-1][1] != row_id:
            self._rows.append((at, row_id))

    def restart(self, row_id: str | None) -> None:
        """Forget earlier rows: the user has chosen this one."""
        self._rows.clear()
        if self._since is not None:
            self._rows.append((self._since, row_id))

    def at(self, at: float) -> str | None:
        """Return the row under the cursor at a time; None if there was none, or it is forgotten."""
        return next((row_id for moment, row_id in reversed(self._rows) if moment <= at), None)
