"""A row of charts above the panes of a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content

from ...model.text.sanitize import visible
from ...widgets.charts.chart import Chart
from ...widgets.glyphs import Glyphs
from ..charts import charts
from ..charts.subject_charts import SubjectChart
from ..context import AppContext

MIN_CHART_WIDTH: Final = 44
"""Cells of a chart; the strip has as many as fit."""
FRAMED_FROM: Final = 32
"""Lines of the screen from which the charts are framed; else there is one, on one line."""
HIGH_FROM: Final = 12
"""Further lines from which framed charts are higher."""
HEIGHTS: Final = (1, 8, 11)
"""Lines of a chart on one line, and of low and high framed ones."""


class FramedChart(Chart):
    """A chart in a frame of its own, with its title: a tile around it would be laid out, too.

    Args:
        title: The text on the upper border.
        glyphs: The characters to draw with.
    """

    DEFAULT_CSS = """
    FramedChart {
        border: round $frame;
        border-title-color: $text-muted;
        &.-ascii { border: ascii $frame; }
        &.-line { border: none !important; padding: 0 1; }
    }
    """

    def __init__(self, title: str, glyphs: Glyphs) -> None:
        super().__init__(glyphs=glyphs)
        self.set_class(glyphs.name == "ascii", "-ascii", update=False)
        self.border_title = Content(visible(title))  # a plain string would be read as markup


class ChartStrip(Horizontal):
    """The charts of a queue, worker or task type: as many as fit beside each other.

    Args:
        context: The session and the window.
        kinds: The charts, the most important first.
        name: The queue, worker or task type.
        framed_from: Lines of the screen from which the charts are framed.
    """

    def __init__(
        self,
        context: AppContext,
        kinds: Sequence[SubjectChart],
        name: str,
        framed_from: int = FRAMED_FROM,
    ) -> None:
        super().__init__(id="chart-strip")
        self.context = context
        self._subject = name
        self._kinds = kinds
        self._framed_from = framed_from
        self._lines = 1
        self._charts = [FramedChart(kind.title, context.glyphs) for kind in kinds]

    def compose(self) -> ComposeResult:
        """Yield the charts that there is room for on the screen."""
        self.fit(*self.app.size)
        if self.display:
            yield from self._shown

    def fit(self, width: int, height: int) -> None:
        """Take the room that a screen of this size has for charts."""
        lines = HEIGHTS[(height >= self._framed_from) + (height >= self._framed_from + HIGH_FROM)]
        shown = max(1, width // MIN_CHART_WIDTH) if lines > 1 else 1
        self._lines = lines
        self.grow(0)
        for number, chart in enumerate(self._charts):
            chart.display = number < shown
            chart.set_class(lines == 1, "-line", update=chart.is_attached)

    @property
    def _shown(self) -> list[FramedChart]:
        return [chart for chart in self._charts if chart.display]

    @property
    def grown(self) -> int:
        """The lines that it has beyond its own, in the last layout."""
        return max(0, self.size.height - self._lines)

    def grow(self, lines: int) -> int:
        """Take further lines, which the panes below leave blank, if its charts are framed.

        Return the number taken.
        """
        taken = lines if self._lines > 1 and self.display else 0
        self.styles.height = self._lines + taken
        return taken

    def paint(self) -> None:
        """Update the charts that are shown; the first time, mount them."""
        missing = [chart for chart in self._shown if not chart.is_attached]
        if missing:
            self.mount(*missing)
        name = self._subject
        for kind, chart in zip(self._kinds, self._charts, strict=True):
            if chart.display:
                charts.show(chart, f"{kind.title} {name}", kind.of(name), self.context)
