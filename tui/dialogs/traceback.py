"""A dialog that shows a traceback."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from ...widgets.glyphs import Glyphs
from ...widgets.traceback_view import TracebackView
from .searched import SearchedDialog


class TracebackDialog(SearchedDialog):
    """Shows a traceback, the exception first."""

    AUTO_FOCUS = "TracebackView"

    def __init__(self, title: str, traceback: str, task: str | None, glyphs: Glyphs) -> None:
        super().__init__(title)
        self._view = TracebackView(traceback, task, glyphs=glyphs)

    @property
    def searched(self) -> TracebackView:
        """The traceback."""
        return self._view

    def compose_content(self) -> ComposeResult:
        """Yield the traceback."""
        with Vertical(id="traceback"):
            yield self._view

    def action_choose(self, step: int) -> None:
        """Move the cursor."""
        self._view.action_move("down" if step > 0 else "up")

    def action_accept(self) -> None:
        """Close."""
        self.dismiss(None)
