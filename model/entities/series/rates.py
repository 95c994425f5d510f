"""Event counts per second."""

from __future__ import annotations

from typing import Final

RATE_WINDOW: Final = 60
"""Seconds over which every rate is averaged that is shown or exported."""
RING_SECONDS: Final = 600
"""Seconds that a ring covers by default."""


class SecondRing:
    """Counts of the last `size` seconds in a ring buffer."""

    __slots__ = ("_counts", "_first", "_last", "_slot", "total")

    def __init__(self, size: int = RING_SECONDS) -> None:
        self._counts = [0] * size
        self._last = -1
        self._slot = 0
        self._first = 0
        self.total = 0
        """Sum of everything ever added."""

    def add(self, at: float, n: int = 1) -> bool:
        """Count `n` at an epoch time; a time before the newest second counts for the newest.

        A time before the whole ring resets it, because the clock was set back.

        Returns:
            Whether it is the first time in another second than that of the call before.
        """
        before = self._last
        if at >= before + 1:
            self._advance(int(at))
        elif at < before - len(self._counts):
            self._last = -1
            self._counts = [0] * len(self._counts)
            self._advance(int(at))
        self._counts[self._slot] += n
        self.total += n
        return self._last != before

    def count(self, now: float, seconds: int) -> int:
        """Return the count of the last `seconds` completed seconds."""
        return sum(self.series(now - 1.0, seconds))

    def count_since(self, since: float, now: float) -> int:
        """Return the count from the second of `since` up to that of `now`."""
        return sum(self.series(now, int(now) - int(since)))

    def per_second(self, now: float, window: int = 10) -> float:
        """Return the mean rate over the last `window` completed seconds, or those since the first.

        The current, incomplete second is left out, as it would make every rate too low.
        """
        if self._last < 0:
            return 0.0
        known = min(window, int(now) - self._first)
        if known <= 0:
            return float(self._counts[self._slot])
        return self.count(now, known) / known

    def series(self, now: float, seconds: int) -> list[int]:
        """Return the counts of `seconds` seconds, oldest first; the last is the current one."""
        size = len(self._counts)
        newest = int(now)
        return [
            self._counts[second % size] if self._last - size < second <= self._last else 0
            for second in range(newest - seconds + 1, newest + 1)
        ]

    def _advance(self, second: int) -> None:
        size = len(self._counts)
        if self._last < 0:
            self._first = second
        elif second - self._last >= size:
            self._counts = [0] * size
        else:
            for passed in range(self._last + 1, second + 1):
                self._counts[passed % size] = 0
        self._last = second
        self._slot = second % size
