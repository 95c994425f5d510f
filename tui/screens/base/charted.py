"""The base of screens with charts: their window of time, and the column that was clicked."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

from ....model.text.parse import ParseError, duration
from ....model.text.sanitize import visible
from ....widgets.charts.chart import Chart
from ....widgets.compat.timed_screen import TimedScreen
from ...charts import charts
from ...charts.chart_window import WINDOW_NAMES, windows
from ...context import AppContext
from ...messages import DrillRequested


class ChartedScreen(TimedScreen, inherit_bindings=False):
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
            if seconds in windows(self.context):
                self.context.chart_seconds = int(seconds)
                return
        names = [name for name, seconds in WINDOW_NAMES.items() if seconds in windows(self.context)]
        text = f"Cannot show {window}, the window in the view; use {', '.join(names)}"
        self.notify(visible(text), severity="warning", markup=False)

    def action_window(self, step: Literal[-1, 1]) -> None:
        """Let the charts cover a shorter or longer time."""
        known = windows(self.context)
        at = known.index(self.context.chart_seconds) + step
        if 0 <= at < len(known):
            self.context.chart_seconds = known[at]
            self.paint()
        elif step > 0 and len(known) < len(WINDOW_NAMES):
            self.notify("Longer windows need the history, which is off", timeout=4)

    def action_yesterday(self) -> None:
        """Compare the charts with the same time yesterday, or no longer."""
        if not self.context.stored_series.available:
            self.notify("Yesterday's values need the history, which is off", timeout=4)
            return
        self.context.yesterday = not self.context.yesterday
        self.paint()
