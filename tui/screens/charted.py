"""The base of screens with charts: their window of time, and the column that was clicked."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

from textual.screen import Screen

from ...model.text.parse import ParseError, duration
from ...model.text.sanitize import visible
from ...widgets.charts.chart import Chart
from .. import charts
from ..context import AppContext
from ..messages import DrillRequested


class ChartedScreen(Screen[None], inherit_bindings=False):
    """A screen with charts."""

    context: AppContext

    @property
    def chart_filter(self) -> str:
        """The filter for the tasks that its charts are about."""
        return ""

    def paint(self, *, covered: bool = False) -> None:
        """Update the screen."""
        raise NotImplementedError

    def on_chart_time_chosen(self, message: Chart.TimeChosen) -> None:
        """Take a clicked column."""
        self.choose_time(message)

    def choose_time(self, message: Chart.TimeChosen) -> None:
        """Read the values of a clicked column; open its tasks on a double click."""
        chart, column = message.chart, message.chart.seconds_per_column
        if message.twice:
            low, high = message.at - column / 2, message.at + column / 2
            drill = charts.tasks_between(self.context, low, high, also=self.chart_filter)
            self.post_message(DrillRequested(drill))
        same = chart.cursor is not None and abs(chart.cursor - message.at) < column / 2
        chart.cursor = None if same or message.twice else message.at

    def clear_chart_cursors(self) -> bool:
        """Read the newest values of all charts again; return whether that changed any."""
        read = [chart for chart in self.query(Chart) if chart.cursor is not None]
        for chart in read:
            chart.cursor = None
        return bool(read)

    def show_window(self, window: str) -> None:
        """Let the charts cover a time such as `15m`; report one that they cannot cover."""
        with suppress(ParseError):
            seconds = duration(window)
            if seconds in charts.CHART_WINDOWS:
                self.context.chart_seconds = int(seconds)
                return
        text = f"Unknown window {window} in the view; use 5m, 15m or 1h"
        self.notify(visible(text), severity="warning", markup=False)

    def action_window(self, step: Literal[-1, 1]) -> None:
        """Let the charts cover a shorter or longer time."""
        at = charts.CHART_WINDOWS.index(self.context.chart_seconds) + step
        if 0 <= at < len(charts.CHART_WINDOWS):
            self.context.chart_seconds = charts.CHART_WINDOWS[at]
            self.paint()
