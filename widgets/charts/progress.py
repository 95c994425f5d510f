"""A progress bar in a table cell, drawn in eighths of a character."""

from __future__ import annotations

import math

from ..glyphs import UNICODE, Glyphs
from ..table.cells import Cell

PERCENT_WIDTH = 6
"""Cells of the percentage behind a bar: ` 100 %`."""


def bar_cells(
    fraction: float | None,
    width: int,
    glyphs: Glyphs = UNICODE,
    *,
    estimated: bool = False,
    step: int = 0,
) -> tuple[Cell, ...]:
    """Return a bar of exactly `width` cells.

    Args:
        fraction: 0 to 1 (clamped), or None if unknown.
        width: In cells.
        glyphs: The characters to draw with.
        estimated: Whether the fraction is celtop's estimate, which is drawn differently.
        step: The position of the moving block of an unknown fraction; count up to animate it.
    """
    if width <= 0:
        return ()
    if fraction is None or math.isnan(fraction):
        return _indeterminate(width, glyphs, step)
    parts = glyphs.bar
    filled = round(max(0.0, min(1.0, fraction)) * width * len(parts))
    whole, part = divmod(filled, len(parts))
    if estimated:
        drawn = glyphs.bar_estimated * (whole + (2 * part >= len(parts)))
    else:
        drawn = parts[-1] * whole + (parts[part - 1] if part else "")
    rest = glyphs.bar_rest * (width - len(drawn))
    return tuple(cell for cell in ((drawn, "bar"), (rest, "bar-rest")) if cell[0])


def progress_cells(
    fraction: float | None,
    width: int,
    glyphs: Glyphs = UNICODE,
    *,
    estimated: bool = False,
    step: int = 0,
) -> tuple[Cell, ...]:
    """Return a bar of `width` cells followed by ` 54 %`, or `~54 %` for an estimate."""
    if fraction is None or math.isnan(fraction):
        percent = ""
    else:
        # Rounded down: a task at 99.9 % is not done.
        percent = f"{int(max(0.0, min(1.0, fraction)) * 100 + 1e-9)} %"
        percent = "~" + percent if estimated else percent
    bar = bar_cells(fraction, width, glyphs, estimated=estimated, step=step)
    return (*bar, (percent.rjust(PERCENT_WIDTH), "text"))


def _indeterminate(width: int, glyphs: Glyphs, step: int) -> tuple[Cell, ...]:
    block = max(1, width // 4)
    way = max(1, width - block)
    at = step % (2 * way)
    at = at if at <= way else 2 * way - at
    at = min(at, width - block)
    cells = (
        (glyphs.bar_rest * at, "bar-rest"),
        (glyphs.bar_estimated * block, "bar"),
        (glyphs.bar_rest * (width - at - block), "bar-rest"),
    )
    return tuple(cell for cell in cells if cell[0])
