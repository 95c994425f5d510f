"""The base of the task and worker pages: panes, of which the focused one gets the keys."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from textual import events
from textual.app import ComposeResult

from ...bindings.contexts import Context
from ...widgets.table.live_table import LiveTable
from ...widgets.traceback_view import TracebackView
from ...widgets.value_tree import ValueTree
from ..bars.search import SearchLine
from ..keymap import bindings
from ..panes.chart_strip import ChartStrip
from ..screens.base.screen import MonitorScreen
from ..search import SearchedScreen


class DetailScreen(MonitorScreen, SearchedScreen):
    """The page of a task or worker."""

    CSS_PATH = "detail.tcss"
    BINDINGS = bindings("detail", "text")
    CONTEXTS: ClassVar[tuple[Context, ...]] = ("detail", "text")

    searching = SearchedScreen.searching

    def compose_line(self) -> ComposeResult:
        """Yield the search line."""
        yield SearchLine(id="search")

    def on_resize(self, event: events.Resize) -> None:
        """Give the charts of the page their room."""
        for strip in self.query(ChartStrip):
            strip.fit(event.size.width, event.size.height)

    def step_back(self) -> bool:
        """Clear the search first."""
        return self.clear_search() or super().step_back()

    def action_move(self, motion: Any) -> None:
        """Move the cursor of the focused pane, or scroll it."""
        target = self.focused
        if target is not None and hasattr(target, "action_move"):
            target.action_move(motion)

    def action_scroll(self, direction: Literal["left", "right"]) -> None:
        """Scroll the columns of a table, or another pane sideways."""
        target = self.focused
        if isinstance(target, LiveTable):
            target.action_scroll_columns(direction)
        elif target is not None:
            step = 8 if direction == "right" else -8
            target.scroll_relative(x=step, animate=False)

    def action_open(self) -> None:
        """Open the row of a table, the node of a tree, or the frame of a traceback."""
        target = self.focused
        if isinstance(target, LiveTable | ValueTree | TracebackView):
            target.action_open()
