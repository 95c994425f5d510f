"""How often a worker comes online: one that does so again and again does no work for long.

Workers send `worker-online` when they start, and when they have connected to the broker again.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

RESTARTS_WINDOW: Final = 300.0
"""Seconds in which the starts of a worker are counted."""
MANY_STARTS: Final = 5
"""Starts in that time from which a worker restarts repeatedly. A deploy, or a restart of the
broker, is one or two."""
MAX_STARTS: Final = 500
"""Starts kept per worker."""


def with_start(starts: tuple[float, ...], now: float) -> tuple[float, ...]:
    """Return the times of recent starts and of one more."""
    return (*recent(starts, now), now)[-MAX_STARTS:]


def recent(starts: tuple[float, ...], now: float) -> tuple[float, ...]:
    """Return the starts that are counted at a time."""
    return starts[bisect_right(starts, now - RESTARTS_WINDOW) :]
