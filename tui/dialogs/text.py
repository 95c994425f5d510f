"""Dialogs that show a long text."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from ...model.text.sanitize import visible_lines
from ...widgets.fitted_scroll import FittedScroll
from .searched import SearchedDialog

_MAX_TEXT = 100_000
"""Characters."""


class LongText(SearchedDialog):
    """A dialog with a text that scrolls."""

    @property
    def searched(self) -> Widget:
        """The text."""
        return self.query_one(FittedScroll)

    def compose_content(self) -> ComposeResult:
        """Yield the text."""
        with FittedScroll():
            for part in self.parts():
                yield Static(part, markup=False)

    def parts(self) -> Sequence[Content]:
        """Return the text in parts, each of which is drawn when it comes into view."""
        return (self.text(),)

    def text(self) -> Content:
        """Return the text."""
        raise NotImplementedError


class TextDialog(LongText):
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
