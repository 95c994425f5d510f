"""Shares the width of the Overview between its two columns. Pure: no widgets."""

from __future__ import annotations

from typing import Final, TypeAlias

LEFT_PERCENT: Final = 45
"""The share of the left column if neither side needs more, or both do."""
MIN_PERCENT: Final = 35
"""The least share that a side keeps for its charts."""


Needed: TypeAlias = tuple[int, ...]
"""The cells in which no name of a side is cut, and no text at all."""


def left_width(width: int, left: Needed, right: Needed) -> int:
    """Return the cells of the left column; names go before other texts.

    Args:
        width: The cells of both columns.
        left: What the left column needs.
        right: What the right column needs.
    """
    usual = width * LEFT_PERCENT // 100
    for ours, theirs in zip(left, right, strict=True):
        if ours > usual or theirs > width - usual:
            return _shared(width, usual, ours, theirs)
    return usual


def _shared(width: int, usual: int, left: int, right: int) -> int:
    least = width * MIN_PERCENT // 100
    if right < width - usual:
        return min(left, width - max(right, least))
    if left < usual:
        return max(left, least, width - right)
    return usual
