"""A filter line: the filter applies while it is typed, and invalid terms are underlined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.highlighter import Highlighter
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from ..model.query.language import Problem
from ..model.text.sanitize import visible

DEBOUNCE: Final = 0.05
"""Seconds after the last key until the filter applies."""


class _ProblemMarks(Highlighter):
    """Underlines invalid terms."""

    def __init__(self, problems: Callable[[str], Sequence[Problem]]) -> None:
        self._problems = problems

    def highlight(self, text: Text) -> None:
        for problem in self._problems(text.plain):
            text.stylize("red underline", problem.start, problem.end)


class FilterBar(Vertical):
    """An input with the problems of its text below.

    Args:
        problems: Returns the problems of a text.
        placeholder: The text shown while the input is empty.
    """

    DEFAULT_CSS = """
    FilterBar {
        height: auto;
        & Input { background: $surface; }
        & Static { height: 1; color: $text-error; display: none; }
        &.-problem Static { display: block; }
    }
    """

    @dataclass
    class Changed(Message):
        """The filter changed."""

        text: str

    @dataclass
    class Submitted(Message):
        """Enter was pressed."""

        text: str

    @dataclass
    class Dismissed(Message):
        """Escape was pressed."""

    def __init__(
        self,
        problems: Callable[[str], Sequence[Problem]],
        *,
        placeholder: str = "",
        id: str | None = None,  # noqa: A002 - Textual's own name for it
    ) -> None:
        super().__init__(id=id)
        self._problems = problems
        self._placeholder = placeholder
        self._timer: Timer | None = None
        self._posted = ""

    def compose(self) -> ComposeResult:
        """Yield the input and the line for problems."""
        yield Input(
            placeholder=self._placeholder,
            highlighter=_ProblemMarks(self._problems),
            select_on_focus=False,
            compact=True,
        )
        yield Static(markup=False)

    @property
    def text(self) -> str:
        """The typed text."""
        return self.query_one(Input).value

    def edit(self, text: str | None = None) -> None:
        """Focus the input, with a new text if given."""
        line = self.query_one(Input)
        if text is not None:
            self._posted = line.value = text
            line.cursor_position = len(text)
        line.focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        problems = self._problems(event.value)
        self.set_class(bool(problems), "-problem")
        messages = "; ".join(problem.message for problem in problems)
        self.query_one(Static).update(Content(visible(messages)))
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(DEBOUNCE, self._apply)

    @on(Input.Submitted)
    def _finished(self, event: Input.Submitted) -> None:
        event.stop()
        self._apply()
        self.post_message(self.Submitted(self.text))

    def on_key(self, event: events.Key) -> None:
        """Post `Dismissed` on escape, unless the app binds the key."""
        if event.key == "escape":
            event.stop()
            if self._timer is not None:
                self._timer.stop()
            self.post_message(self.Dismissed())

    def _apply(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self.text != self._posted:
            self._posted = self.text
            self.post_message(self.Changed(self._posted))
