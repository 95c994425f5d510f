"""A dialog that asks for one line of text."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, Static

from ...model.text.sanitize import visible
from ...widgets.compat.visible_input import VisibleInput
from .base import Dialog


class Prompt(Dialog[str]):
    """Returns the typed text.

    Args:
        title: The title of the frame.
        hint: What to type.
        problem: Returns the problem of a text, or None.
    """

    def __init__(self, title: str, hint: str, problem: Callable[[str], str | None]) -> None:
        super().__init__(title)
        self._hint = hint
        self._problem = problem

    def compose_box(self) -> ComposeResult:
        """Yield the line and the hint."""
        yield VisibleInput(select_on_focus=False, compact=True)
        yield Static(Content.styled(visible(self._hint), "$text-muted"), id="advice", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Return the text, or show its problem."""
        self.action_accept()

    def action_accept(self) -> None:
        """Return the text, or show its problem."""
        text = self.query_one(Input).value.strip()
        problem = self._problem(text)
        if problem is None:
            self.dismiss(text)
        else:
            advice = Content.styled(visible(problem), "$text-error")
            self.query_one("#advice", Static).update(advice)
