"""The load over time: the waiting messages, otherwise the busy slots, otherwise run times."""

from __future__ import annotations

from math import isnan
from typing import Final

from ...model.entities.styles import Level
from ...model.text import units
from ...widgets.charts.chart import Chart
from ..charts import charts
from ..charts.charts import ChartKind
from ..context import AppContext
from .base import Pane
from .heights import Need

KINDS: Final = tuple(
    kind for id_ in ("waiting", "busy", "runtimes") for kind in charts.CHARTS if kind.id == id_
)
"""The charts; the first that is not zero all the time is shown. Slots that are busy for a few
milliseconds only are hardly ever seen busy."""
IDLE: Final = KINDS[1]
"""The chart that is shown if all of them are."""
CHART_LINES: Final = 8
MIN_CHART_LINES: Final = 5


class LoadPane(Pane):
    """A chart for lines that no list needs."""

    NAME, TITLE, VIEW = "load", "Load", "queues"

    def __init__(self, context: AppContext) -> None:
        self.chart = Chart(glyphs=context.glyphs, id="load-chart")
        self._kind = IDLE
        self._chosen_at = -1
        """The step in which the chart was chosen."""
        super().__init__(context, self.chart)

    def need(self) -> Need:
        """Return that it only takes spare lines."""
        return Need(CHART_LINES, frame=2, least=MIN_CHART_LINES, fills=True, spare=True)

    def status(self) -> tuple[Level, str]:
        """Return the window of time."""
        return "idle", units.duration(self.context.chart_seconds)

    def paint(self) -> None:
        """Draw the chart."""
        if self.has_class("-none"):
            return
        newest = self.context.state.series.newest
        if newest != self._chosen_at:
            self._chosen_at, self._kind = newest, self._choose()
        charts.show(self.chart, self._kind.id, self._kind.build, self.context)
        level, window = self.status()
        self.show(level, self._kind.title, window)

    def _choose(self) -> ChartKind:
        for kind in KINDS:
            layers = [layer for layer in kind.build(self.context).layers if not layer.is_line]
            if any(value and not isnan(value) for layer in layers for value in layer.values):
                return kind
        return IDLE
