"""How long to wait before the next of several tries in vain."""

from __future__ import annotations

from typing import Final

MOST_DOUBLINGS: Final = 16
"""More lead nowhere but to a number that is too large for a float, after some days of failing."""


def backoff(failures: int, first: float, longest: float) -> float:
    """Return the seconds to wait: `first` after no failure, doubled with each, up to `longest`."""
    return min(longest, first * 2.0 ** min(failures, MOST_DOUBLINGS))
