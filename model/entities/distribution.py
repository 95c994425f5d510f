"""A distribution of durations in constant space."""

from __future__ import annotations

import math
from typing import Final

BUCKET_GROWTH: Final = 1.1
"""Ratio of successive bucket limits; a quantile is at most 5 % off."""

MIN_SECONDS: Final = 1e-4
MAX_SECONDS: Final = 1e8

_SCALE: Final = 1.0 / math.log(BUCKET_GROWTH)
_OFFSET: Final = math.log(MIN_SECONDS)


class Distribution:
    """Durations in seconds, counted in at most 300 logarithmic buckets."""

    __slots__ = ("_buckets", "count", "max", "total")

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        self.count = 0
        self.total = 0.0
        self.max: float | None = None

    def add(self, seconds: float) -> None:
        """Count a duration; negative and non-finite values are ignored."""
        if not 0.0 <= seconds <= MAX_SECONDS:
            return
        bucket = int((math.log(seconds) - _OFFSET) * _SCALE) + 1 if seconds > MIN_SECONDS else 0
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1
        self.count += 1
        self.total += seconds
        if self.max is None or seconds > self.max:
            self.max = seconds

    @property
    def mean(self) -> float | None:
        """The exact mean, or None without values."""
        return self.total / self.count if self.count else None

    def quantile(self, q: float) -> float | None:
        """Return the quantile `q` (0 to 1), or None without values."""
        if self.max is None:
            return None
        wanted = q * self.count
        seen = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= wanted:
                middle = MIN_SECONDS * BUCKET_GROWTH ** (bucket - 0.5) if bucket else MIN_SECONDS
                return min(middle, self.max)
        return self.max
