"""Curves in braille, drawn by plotext.

Importing plotext takes 0.2 s, so a chart imports it in a thread; until then, and in ASCII, `plot`
draws lines in the parts of a cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import inf, isfinite, isnan, nan
from typing import Any, Final

COLUMNS: Final = 2
"""Columns of dots in a braille cell."""
EMPTY: Final = frozenset(" \u2800")
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
_ALONE: Final = 0.4
"""Half the width, in steps, of a value without neighbours."""


def curve(plotext: Any, values: Sequence[float], width: int, rows: int, top: float) -> list[str]:
    """Return a curve as lines of braille, the highest first, each of `width` cells.

    Args:
        plotext: The module.
        values: One for each step, oldest first; where they are not finite, there is no curve.
        width: In cells.
        rows: Lines.
        top: The value at the upper edge.
    """
    # A separate figure: plotext's default one is shared by the whole process.
    terminal = type(plotext.terminal)()
    terminal.limit(False, False)
    figure = type(plotext.figure)(terminal)
    figure.plot_size(width, rows)
    figure.canvas("default")
    figure.legend(False)
    for axis in (0, 1):
        for side in (0, 1):
            figure.axes(False, axis=axis, side=side)
    marker = plotext.marker("braille", plotext.pixel("default"))
    # Values that are not finite, or far out of view, would end the process.
    shown = values if 0 < top < inf else ()
    scaled = [min(max(value / top, 0.0), 1.0) if isfinite(value) else nan for value in shown]
    for steps, run in _runs(scaled):
        figure.draw(figure.signal(steps, run, marker=marker).lines())
    figure.ruler(1, 0).lim(0, 1).ticks([], [])
    figure.ruler(0, 0).lim(0, max(1, len(values) - 1)).ticks([], [])
    text = _COLOURS.sub("", str(figure.build().string()))
    lines = [line.ljust(width)[:width] for line in text.split("\n")[:rows]]
    return lines + [" " * width] * (rows - len(lines))


def _runs(values: Sequence[float]) -> Iterator[tuple[list[float], list[float]]]:
    """Yield the steps and values of each part without a gap."""
    steps: list[float] = []
    for step, value in enumerate((*values, nan)):
        if not isnan(value):
            steps.append(step)
        elif steps:
            run = [values[int(at)] for at in steps]
            if len(steps) == 1:
                steps, run = [steps[0] - _ALONE, steps[0] + _ALONE], run * 2
            yield steps, run
            steps = []
