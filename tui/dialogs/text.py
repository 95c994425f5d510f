"""Dialogs that show a long text."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from ...bindings.contexts import Context
from ...model.text.sanitize import visible_lines
from ..bars.search import SearchLine
from ..keymap import bindings
from ..search import SearchedScreen
from .base import Dialog

_MAX_TEXT = 100_000


class SearchedDialog(Dialog[str], SearchedScreen):
    """A dialog with a text that can be searched."""

    BINDINGS = bindings("text")
    CONTEXTS: ClassVar[tuple[Context, ...]] = ("dialog", "text")

    @property
    def searched(self) -> Widget:
        """The text."""
        return self.query_one(VerticalScroll)

    def compose_box(self) -> ComposeResult:
        """Yield the text and the search line."""
        with VerticalScroll():
            yield Static(self.text(), markup=False)
        yield SearchLine(id="search")

    def text(self) -> Content:
        """Return the text."""
        raise NotImplementedError

    def action_close(self) -> None:
        """Clear the search first."""
        if not self.clear_search():
            super().action_close()


class TextDialog(SearchedDialog):
    """Shows a text, possibly from the cluster, in full."""

    def __init__(self, title: str, text: str = "") -> None:
        super().__init__(title)
        self._text = text

    def text(self) -> Content:
        """Return the text."""
        return Content("\n".join(visible_lines(self._text, _MAX_TEXT)))

    def action_accept(self) -> None:
        """Close."""
        self.dismiss(None)


class Preview(TextDialog):
    """Shows a text; returns `on` if enter was pressed, None if it was closed."""

    def action_accept(self) -> None:
        """Continue."""
        self.dismiss("on")
