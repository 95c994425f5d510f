"""An input that draws no control characters.

Textual draws the text as it is. It may come from the cluster: a completed task name, the filter of
a saved view.
"""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Input

from .textual_internals import LazyComponents

REPLACEMENT = "?"


class VisibleInput(Input, LazyComponents):
    """An input that draws each character that is not printable as `?`; its value keeps it."""

    @property
    def _value(self) -> Text:
        text = super()._value
        if not text.plain.isprintable():
            text.plain = "".join(c if c.isprintable() else REPLACEMENT for c in text.plain)
        return text

    def validate__suggestion(self, suggestion: str) -> str:
        """Show no suggestion that cannot be drawn."""
        return suggestion if suggestion.isprintable() else ""
