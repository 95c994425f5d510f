"""The smallest Textual program, with which the first frame of the others is compared."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class Hello(App[None]):
    """An app that shows one word."""

    def compose(self) -> ComposeResult:
        """Yield the word."""
        yield Static("hello")


if __name__ == "__main__":
    Hello().run()
