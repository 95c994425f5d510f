"""A histogram of durations: columns on a logarithmic scale, with the quantiles below."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Final

from textual.content import Content
from textual.widget import Widget

from ...model.entities.series.distribution import Distribution
from ...model.text import units
from ..colours import COLOURS
from ..glyphs import UNICODE, Glyphs
from .sparkline import spark

QUANTILES: Final = (("p50", 0.5), ("p95", 0.95))
MIN_BARS: Final = 8
"""Bars even for few durations."""
MIN_BAR_WIDTH: Final = 2
"""Cells."""


class Histogram(Widget):
    """How often durations of each length occurred."""

    DEFAULT_CSS = "Histogram { height: 1fr; width: 1fr; }"

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._glyphs = glyphs
        self._durations = Distribution()
        self._version: object = None

    def show(self, durations: Distribution, version: object) -> None:
        """Show durations; `version` is any value that differs when they differ."""
        if version != self._version:
            self._durations, self._version = durations, version
            self.refresh()

    def render(self) -> Content:
        """Draw the columns, and a line of their limits and quantiles."""
        width, height = self.size
        if width <= 0 or height <= 0:
            return Content("")
        columns, axis = histogram_lines(self._durations, width, height, self._glyphs)
        lines = [Content.styled(line, COLOURS["bar"]) for line in columns]
        return Content("\n").join([*lines, Content.styled(axis, COLOURS["muted"])])


def histogram_lines(
    durations: Distribution, width: int, height: int, glyphs: Glyphs
) -> tuple[list[str], str]:
    """Return the lines of the columns, top first, and the axis, each at most `width` cells."""
    # With few durations, narrow bars would show gaps and not the shape.
    most = max(MIN_BARS, round(2 * sqrt(durations.count)))
    bars = durations.bars(min(max(1, width // MIN_BAR_WIDTH), most))
    if not bars:
        return [], "none so far"[:width]
    cells = width // len(bars)
    counts = [bar.count for bar in bars for _ in range(cells)]
    top, rows = max(counts), max(0, height - 1)
    lines = []
    for row in reversed(range(rows)):
        low, high = top * row / rows, top * (row + 1) / rows
        # A bar that counts few durations is never invisible: the lowest row shows at least a line.
        part = [count if count > low else None for count in counts]
        lines.append(spark(part, len(counts), glyphs, floor=low, ceiling=high))
    labels = [(0, units.duration(bars[0].lower))]
    for name, quantile in QUANTILES:
        value = durations.quantile(quantile)
        if value is not None:
            at = next((n for n, bar in enumerate(bars) if value < bar.upper), len(bars) - 1)
            labels.append((at * cells, f"{name} {units.duration(value)}"))
    if durations.max is not None:
        text = f"max {units.duration(durations.max)}"
        labels.append((max(0, len(counts) - len(text)), text))
    return lines, _placed(labels, width)


def _placed(labels: Sequence[tuple[int, str]], width: int) -> str:
    """Return a line with each label at its column, or right of the one before."""
    line = ""
    for at, text in labels:
        start = max(at, len(line) + 2) if line else at
        if start + len(text) > width:
            start = max(0, width - len(text))
        if line and start < len(line) + 2:
            continue
        line = line.ljust(start) + text
    return line[:width]
