"""The base of dialogs whose text can be searched."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.widget import AwaitMount

from ...bindings.contexts import Context
from ..bars.mount_line import mount_line
from ..bars.search import SearchLine
from ..keymap import bindings
from ..search import SearchedScreen
from .base import Dialog


class SearchedDialog(Dialog[str], SearchedScreen):
    """A dialog with a search line below its content; a subclass has `searched`."""

    BINDINGS = bindings("text")
    CONTEXTS: ClassVar[tuple[Context, ...]] = ("dialog", "text")

    def compose_box(self) -> ComposeResult:
        """Yield the content; a search line comes below it."""
        yield from self.compose_content()

    def compose_content(self) -> ComposeResult:
        """Yield what is searched."""
        yield from ()

    def mount_search(self, line: SearchLine) -> AwaitMount:
        """Mount the line below the content."""
        return mount_line(line, self.query_one("#box"))

    def action_close(self) -> None:
        """Clear the search first."""
        if not self.clear_search():
            super().action_close()
