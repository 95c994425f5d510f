"""A dialog that shows a traceback."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from ...widgets.glyphs import Glyphs
from ...widgets.traceback_view import TracebackView
from ..bars.search import SearchLine
from .text import SearchedDialog


class TracebackDialog(SearchedDialog):
    """Shows a traceback, the exception first."""

    AUTO_FOCUS = "TracebackView"

    def __init__(self, title: str, traceback: str, task: str | None, glyphs: Glyphs) -> None:
        super().__init__(title)
        self._traceback = traceback
        self._view = TracebackView(traceback, task, glyphs=glyphs)

    @property
    def searched(self) -> Widget:
        """What contains the traceback."""
        return self.query_one("#traceback")

    def compose_box(self) -> ComposeResult:
        """Yield the traceback and the search line."""
        with Vertical(id="traceback"):
            yield self._view
        yield SearchLine(id="search")

    def text(self) -> Content:
        """Return the traceback as it is."""
        return Content(self._traceback)

    def action_choose(self, step: int) -> None:
        """Move the cursor."""
        self._view.action_move("down" if step > 0 else "up")

    def action_accept(self) -> None:
        """Close."""
        self.dismiss(None)
