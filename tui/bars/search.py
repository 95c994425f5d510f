"""The line that a page is searched with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from ...bindings.contexts import Context
from ...widgets.compat.visible_input import VisibleInput
from ..keymap import bindings


class SearchLine(Horizontal):
    """An input and the number of matches, shown while something is searched for."""

    CONTEXT: ClassVar[Context] = "search"
    BINDINGS = bindings("search")
    DEFAULT_CSS = """
    SearchLine {
        height: 1;
        background: $panel;
        padding: 0 1;
        & .prompt { width: 1; color: $text-accent; text-style: bold; }
        & Input { width: 1fr; background: $panel; }
        & .matches { width: auto; color: $text-muted; }
        &.-none .matches { color: $text-error; }
    }
    """

    @dataclass
    class Changed(Message):
        """The text changed."""

        text: str

    @dataclass
    class Submitted(Message):
        """Enter was pressed."""

    def __init__(self) -> None:
        self.input = VisibleInput(select_on_focus=False, compact=True)
        self._matches = Static("", classes="matches", markup=False)
        prompt = Static("/", classes="prompt", markup=False)
        super().__init__(prompt, self.input, self._matches, id="search")

    @property
    def text(self) -> str:
        """The text to search for."""
        return self.input.value

    def open(self) -> None:
        """Show the line and focus it at once: characters typed next must not run as keys."""
        self.display = True
        self.screen.set_focus(self.input)
        self.input.cursor_position = len(self.text)

    def close(self) -> None:
        """Hide the line and clear its text."""
        self.display = False
        self.input.value = ""

    def show_matches(self, text: str, found: bool) -> None:
        """Show which of the matches is reached."""
        self.set_class(not found, "-none")
        self._matches.update(text)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Submitted())
