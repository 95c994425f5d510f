"""A distribution of durations in constant space."""

from __future__ import annotations

import math
from typing import Final

BUCKET_GROWTH: Final = 1.1
"""Ratio of successive bucket limits; a quantile is at most 5 % off."""

TAIL: Final = 0.99
"""The quantile above which a duration is unusual."""
MIN_TAIL_COUNT: Final = 100
"""Durations needed to call one unusual."""
TAIL_GROWTH: Final = 1.1
"""The limit is determined again after this growth in durations."""

MIN_SECONDS: Final = 1e-4
MAX_SECONDS: Final = 1e8

_SCALE: Final = 1.0 / math.log(BUCKET_GROWTH)
_OFFSET: Final = math.log(MIN_SECONDS)


class Distribution:
    """Durations in seconds, counted in at most 300 logarithmic buckets."""

    __slots__ = ("_buckets", "_tail_limit", "_tail_limit_until", "count", "max", "total")

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        self._tail_limit: float | None = None
        self._tail_limit_until: float = MIN_TAIL_COUNT
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
        bucket = self._bucket_at(q)
        middle = MIN_SECONDS * BUCKET_GROWTH ** (bucket - 0.5) if bucket else MIN_SECONDS
        return min(middle, self.max)

    def tail_limit(self) -> float | None:
        """Return the seconds that only about 1 % exceed, or None with too few values.

        It is an upper limit of a bucket, so that equal durations do not exceed it.
        """
        if self.count >= self._tail_limit_until:
            self._tail_limit_until = self.count * TAIL_GROWTH
            self._tail_limit = MIN_SECONDS * BUCKET_GROWTH ** (self._bucket_at(TAIL) + 0.001)
        return self._tail_limit

    def _bucket_at(self, q: float) -> int:
        wanted = q * self.count
        seen = 0
        bucket = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= wanted:
                break
        return bucket
