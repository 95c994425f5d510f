"""Comparing the recent values of a series with those before."""

from __future__ import annotations

from math import isnan, sqrt


def exceeds_by_z_test(
    part: float, of: float, part_before: float, of_before: float, deviations: float
) -> bool:
    """Return whether a part of all is larger than before, and not just by chance.

    This is the one-sided two-proportion z-test with the pooled variance (NIST/SEMATECH e-Handbook
    of Statistical Methods, 7.3.3): the difference of the shares is compared with its standard
    deviation if both had the share of all together.

    Args:
        part: How many of the recent ones, such as failed tasks.
        of: The number of the recent ones; not 0.
        part_before: The same before.
        of_before: The number before; not 0.
        deviations: The least z: 4.5 is exceeded by chance three times in a million tests.
    """
    share = (part + part_before) / (of + of_before)
    variance = share * (1 - share) * (1 / of + 1 / of_before)
    return part / of - part_before / of_before > deviations * sqrt(variance)


def high_for(values: list[float], limit: float) -> int:
    """Return how many values ago they rose to the limit; a single lower one does not count."""
    high_for, low = 0, 0
    for ago, value in enumerate(reversed(values), start=1):
        if isnan(value):
            continue
        if value >= limit:
            high_for, low = ago, 0
        elif (low := low + 1) > 1:
            break
    return high_for


def known(values: list[float]) -> list[float]:
    """Return the values that are known, in their order."""
    return [value for value in values if value == value]  # NaN equals nothing; faster than isnan


def median(values: list[float]) -> float:
    """Return the median of some values; the upper one of two."""
    return sorted(values)[len(values) // 2]
