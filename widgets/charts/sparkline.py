"""A sparkline: one column per number, in one line of text."""

from __future__ import annotations

from collections.abc import Sequence

from ..glyphs import UNICODE, Glyphs


def spark(
    values: Sequence[float | None],
    width: int,
    glyphs: Glyphs = UNICODE,
    *,
    floor: float | None = 0.0,
    ceiling: float | None = None,
) -> str:
    """Return the last `width` numbers as columns, right-aligned, exactly `width` cells.

    Args:
        values: Oldest first; None is a gap.
        width: In cells.
        glyphs: The characters to draw with.
        floor: The number of the lowest column; None for the smallest number shown.
        ceiling: The number of the highest column; None for the largest number shown.
    """
    shown = list(values[-width:]) if width > 0 else []
    known = [value for value in shown if value is not None]
    low = min(known, default=0.0) if floor is None else floor
    high = max(known, default=0.0) if ceiling is None else ceiling
    line = "".join(_column(value, low, high, glyphs.sparks) for value in shown)
    return line.rjust(max(0, width))


def _column(value: float | None, low: float, high: float, sparks: tuple[str, ...]) -> str:
    """Return a column: blank for a gap, the lowest for `low`, a higher one for all above it."""
    if value is None:
        return sparks[0]
    if value <= low or high <= low:
        return sparks[1]
    steps = len(sparks) - 2
    return sparks[min(1 + steps, max(2, 1 + round((value - low) / (high - low) * steps)))]
