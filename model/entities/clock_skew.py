"""Hosts whose clock is off, and what they told by ours.

A worker's heartbeats tell its clock; of clients nothing is known. A clock that is off by less than
`SKEW_SHOWN` is taken for right: that may be the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

ClockSkews: TypeAlias = Mapping[str, float]
"""Seconds that clocks are ahead of ours, by host; those that are right are not in it."""

NO_SKEWS: Final[ClockSkews] = MappingProxyType({})

MIN_SKEW: Final = 2.0
"""Seconds that a clock may be off before that matters: less may be the network."""

_MIN_CHANGE: Final = 0.5
"""Seconds by which a skew has to change to count: times of day must not flicker."""


def updated(skews: ClockSkews, host: str, skew: float | None) -> ClockSkews:
    """Return the skews with what a host's is now, None for unknown: the same ones if it stays.

    That they are never changed but replaced tells tables when to draw all rows anew.
    """
    if skew is None or abs(skew) <= MIN_SKEW:
        if host not in skews:
            return skews
        return {name: known for name, known in skews.items() if name != host}
    return {**skews, host: skew} if abs(skew - skews.get(host, 0.0)) > _MIN_CHANGE else skews


def to_local(at: float | None, host: str | None, skews: ClockSkews) -> float | None:
    """Return by our clock what a host told by its own; None stays None."""
    return None if at is None else at - skews.get(host or "", 0.0)
