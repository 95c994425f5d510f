"""Exponential backoff between failed attempts."""

from __future__ import annotations

from typing import Final

MAX_DOUBLINGS: Final = 16
"""Doublings of the delay: after some days of failures more would overflow a float."""


def backoff(failures: int, first: float, maximum: float) -> float:
    """Return the seconds to wait: `first`, doubled with each failure, at most `maximum`."""
    return min(maximum, first * 2.0 ** min(failures, MAX_DOUBLINGS))
