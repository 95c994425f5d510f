"""The pane of the chart of a group of failures, where its tasks leave room."""

from __future__ import annotations

from typing import Final

from ...model.ingest.tasks.failure_groups import FailureGroup
from ...widgets.charts.chart import Chart
from ...widgets.tile import Tile
from ..charts import charts
from ..context import AppContext

MIN_LINES: Final = 10
"""Lines that must be left: the border, the legend, the axis and a few of the chart."""


class GroupTrend(Tile):
    """How many tasks of the group failed in each part of the last hour; it takes no keys."""

    DEFAULT_CSS = """
    GroupTrend { height: 1fr; display: none; }
    GroupTrend.-shown { display: block; }
    GroupTrend.-shown.-hidden { display: none; }
    """

    def __init__(self, context: AppContext) -> None:
        self.context = context
        self.chart = Chart(glyphs=context.glyphs, id="group-trend-chart")
        super().__init__(
            self.chart, title="Failed in the last hour", glyphs=context.glyphs, id="group-trend",
            classes="pane",
        )  # fmt: skip
        self.can_focus = self.chart.can_focus = False

    def paint(self, group: FailureGroup | None, lines: int) -> bool:
        """Show the chart if there are enough lines, and failures in it; return whether."""
        shown = group is not None and lines >= MIN_LINES
        data = charts.group_failures(self.context, group) if group is not None and shown else None
        if data is not None and any(value > 0 for value in data.layers[0].values):
            self.chart.show(data, data)
        else:
            shown = False
        self.set_class(shown, "-shown")
        return shown
