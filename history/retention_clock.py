"""The time by which the retention counts the age of rows: the clock, unless it jumped ahead."""

from __future__ import annotations

from typing import Final

MAX_JUMP: Final = 86_400.0
"""Seconds that the clock may jump ahead: at most the rows of a day are deleted early then."""
CONFIRMED_AFTER: Final = 86_400.0
"""Seconds for which a clock that jumped further has to go on: then the time has passed."""


class RetentionClock:
    """Follows the clock; if it jumps ahead by more than `MAX_JUMP`, goes on without the jump.

    A clock that is wrong would make all rows too old at once. A pause of days between two runs, or
    of a suspended host, looks the same: its rows are kept for another day.

    Args:
        written_at: When the history was last written by a clock that had been steady for a day, in
            epoch seconds; None if it never was.
    """

    def __init__(self, written_at: float | None) -> None:
        self._now = written_at
        self._elapsed_at: float | None = None
        self._jumped_at: float | None = None

    def now(self, clock: float, elapsed: float) -> float:
        """Return the time, in epoch seconds.

        Args:
            clock: What the clock shows, in epoch seconds.
            elapsed: Seconds of the monotonic clock.
        """
        passed = 0.0 if self._elapsed_at is None else elapsed - self._elapsed_at
        self._elapsed_at = elapsed
        if self._now is None or clock - (self._now + passed) <= MAX_JUMP:
            self._now, self._jumped_at = clock, None
            return clock
        if self._jumped_at is None:
            self._jumped_at = elapsed
        confirmed = elapsed - self._jumped_at >= CONFIRMED_AFTER
        self._now = clock if confirmed else self._now + passed
        return self._now
