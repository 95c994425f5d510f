"""How many tasks succeed, fail and are retried, over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...model.entities.styles import Level
from ...model.text import units
from ...widgets.charts.chart import Chart
from ...widgets.charts.sparkline import spark
from ...widgets.colours import COLOURS
from ..bars.base import Part
from ..bars.header import failure_share
from ..charts import charts
from ..charts.current_values import current_rates
from ..context import AppContext
from .base import Pane
from .heights import Need

HIGH_SHARE: Final = 0.1
"""Share of failed tasks above which the pane is marked."""
GRAPH_LINES: Final = 8
"""Lines that the graph takes from lists that are cut."""
MIN_GRAPH_LINES: Final = 5
"""Lines for which the graph is worth its frame."""
MIN_SPARK_WIDTH: Final = 10
"""Cells of the graph on one line."""
RATES: Final = ("ok", "retry", "failed")
RATE_STYLES: Final = ("good", "state-retry", "bad")


class ThroughputPane(Pane):
    """The chart; it fills the room that no list needs."""

    NAME, TITLE, VIEW = "throughput", "Throughput", "tasks"

    def __init__(self, context: AppContext) -> None:
        self.chart = Chart(glyphs=context.glyphs, id="graph")
        self._line_key: object = None
        self._line = ""
        super().__init__(context, self.chart)
        self.can_focus = True

    def need(self) -> Need:
        """Return a few lines, and that it fills more."""
        return Need(GRAPH_LINES, frame=2, least=MIN_GRAPH_LINES, fills=True)

    def status(self) -> tuple[Level, str]:
        """Return `warn` if many tasks fail."""
        state = self.context.state
        share = failure_share(state, self.context.now())
        level: Level = "idle" if share is None else "warn" if share > HIGH_SHARE else "good"
        window = units.duration(self.context.chart_seconds)
        return level, window if state.observed else f"{window}, incomplete"

    def summary(self) -> Sequence[Part]:
        """Return the rates, and the graph on one line."""
        rates = current_rates(self.context)
        parts = []
        for name, rate, style in zip(RATES, rates, RATE_STYLES, strict=True):
            is_zero = rate in (units.UNKNOWN, units.rate(0.0))
            parts.append(Part(f"{name} {rate}", "$text-muted" if is_zero else COLOURS[style]))
        taken = sum(len(part.text) + part.gap for part in parts) + len(self.TITLE) + 5
        width = self.size.width - taken
        if width >= MIN_SPARK_WIDTH:
            parts.append(Part(self._graph(width), "$text-success", 1))
        return parts

    def _graph(self, width: int) -> str:
        """Return the graph on one line, drawn once per step."""
        key = (width, self.context.state.series.newest, self.context.chart_seconds)
        if self._line_key != key:
            values = charts.finished(self.context, width)
            self._line_key, self._line = key, spark(values, width, self.context.glyphs)
        return self._line

    def paint(self) -> None:
        """Draw the chart, unless there is only the line."""
        if not self.is_line:
            charts.show(self.chart, "throughput", charts.throughput, self.context)
        self.show_status()
