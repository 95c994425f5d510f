"""A distribution of durations in constant space."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log
from typing import Final, TypeAlias

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

Buckets: TypeAlias = dict[int, int]
"""How many durations each logarithmic bucket has counted."""

_SCALE: Final = 1.0 / math.log(BUCKET_GROWTH)
_SHIFT: Final = 1.0 - math.log(MIN_SECONDS) * _SCALE


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a histogram."""

    lower: float
    """The shortest duration that it counts, seconds."""
    upper: float
    """The duration that all it counts are shorter than, seconds."""
    count: int


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
        self.add_all((seconds,))

    def add_all(self, durations: Iterable[float]) -> None:
        """Count durations in seconds; negative and non-finite ones are ignored."""
        buckets, count, total, longest = self._buckets, self.count, self.total, self.max or 0.0
        for seconds in durations:
            if MIN_SECONDS < seconds <= MAX_SECONDS:
                bucket = int(log(seconds) * _SCALE + _SHIFT)
            elif 0.0 <= seconds <= MIN_SECONDS:
                bucket = 0
            else:
                continue
            if bucket in buckets:
                buckets[bucket] += 1
            else:
                buckets[bucket] = 1
            count += 1
            total += seconds
            if seconds > longest:
                longest = seconds
        if count:
            self.count, self.total, self.max = count, total, longest

    @property
    def mean(self) -> float | None:
        """The exact mean, or None without values."""
        return self.total / self.count if self.count else None

    def quantile(self, q: float) -> float | None:
        """Return the quantile `q` (0 to 1), or None without values."""
        if self.max is None:
            return None
        return min(_middle(_bucket_at(self._buckets, q, self.count)), self.max)

    def bars(self, most: int) -> list[Bar]:
        """Return the histogram in at most `most` bars, equally wide on a logarithmic scale.

        The first bar and the last one count at least one duration.
        """
        if not self._buckets or most < 1:
            return []
        first, last = min(self._buckets), max(self._buckets)
        step = -(-(last - first + 1) // most)
        counts = [0] * -(-(last - first + 1) // step)
        for bucket, count in self._buckets.items():
            counts[(bucket - first) // step] += count
        lower = [first + number * step for number in range(len(counts))]
        return [
            Bar(_limit(start), _limit(start + step), count)
            for start, count in zip(lower, counts, strict=True)
        ]

    def tail_limit(self) -> float | None:
        """Return the seconds that only about 1 % exceed, or None with too few values.

        It is an upper limit of a bucket, so that equal durations do not exceed it.
        """
        if self.count >= self._tail_limit_until:
            self._tail_limit_until = self.count * TAIL_GROWTH
            bucket = _bucket_at(self._buckets, TAIL, self.count)
            self._tail_limit = MIN_SECONDS * BUCKET_GROWTH ** (bucket + 0.001)
        return self._tail_limit

    def buckets(self) -> Buckets:
        """Return a copy of the counts, to be compared with later ones by `new_buckets`."""
        return dict(self._buckets)


def new_buckets(now: Buckets, before: Buckets) -> Buckets:
    """Return what was counted since an earlier time."""
    return {
        bucket: count - before.get(bucket, 0)
        for bucket, count in now.items()
        if count > before.get(bucket, 0)
    }


def add_buckets(total: Buckets, counts: Buckets) -> None:
    """Add counts to a total."""
    for bucket, count in counts.items():
        total[bucket] = total.get(bucket, 0) + count


def quantile_of(counts: Buckets, q: float) -> float | None:
    """Return the quantile `q` (0 to 1) of the durations counted in buckets; None without any."""
    return _middle(_bucket_at(counts, q, sum(counts.values()))) if counts else None


def _middle(bucket: int) -> float:
    return MIN_SECONDS * BUCKET_GROWTH ** (bucket - 0.5) if bucket else MIN_SECONDS


def _bucket_at(buckets: Mapping[int, int], q: float, count: int) -> int:
    wanted = q * count
    seen = 0
    bucket = 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= wanted:
            break
    return bucket


def _limit(bucket: int) -> float:
    """Return the lower limit of a bucket, in seconds."""
    return MIN_SECONDS * BUCKET_GROWTH ** (bucket - 1) if bucket else 0.0
