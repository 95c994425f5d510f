"""How often a worker comes online: one that does so again and again does no work for long.

Workers send `worker-online` when they start, and when they have connected to the broker again.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

RESTARTS_WINDOW: Final = 300.0
"""Seconds in which the starts of a worker are counted, and for which it restarts repeatedly after
the last of them."""
MANY_STARTS: Final = 5
"""Starts in that time from which a worker restarts repeatedly. A deploy, or a restart of the
broker, is one or two."""
MAX_STARTS: Final = 500
"""Starts kept per worker."""


def with_start(starts: tuple[float, ...], now: float) -> tuple[float, ...]:
    """Return the time of one more start, after those that are counted with it."""
    recent = starts[bisect_right(starts, now - RESTARTS_WINDOW) :]
    return (*recent, now)[-MAX_STARTS:]


def restarts_repeatedly(starts: tuple[float, ...], now: float) -> bool:
    """Return whether a worker with these starts, kept by `with_start`, restarts repeatedly.

    That is counted at its last start, and holds for a while: it would come and go otherwise.
    """
    return len(starts) >= MANY_STARTS and now - starts[-1] < RESTARTS_WINDOW
