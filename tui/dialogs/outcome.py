"""The outcome of an operation in full, live while it is running."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from textual.content import Content
from textual.widgets import Static

from ...model.operations.summary import details, replies, sentence
from ...model.text.phrases import shortened
from ...model.text.sanitize import visible
from ..keymap import bindings
from .text import TextDialog

if TYPE_CHECKING:
    from ...bindings.keymap import Keymap
    from ...model.operations.outcome import Outcome
    from ..running import TrackedOperation

MAX_LINE_CHARACTERS: Final = 400
MAX_SENT_TASKS: Final = 50


class OutcomeDialog(TextDialog):
    """Shows an outcome."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("Operation")
        self._outcome = outcome

    def text(self) -> Content:
        """Return the outcome in full."""
        return outcome_text(self._outcome)


class OperationDialog(OutcomeDialog):
    """Shows an operation of this session, which can be cancelled while it is running."""

    BINDINGS = bindings("operation")
    CONTEXTS = ("operation", "dialog", "text")

    def __init__(self, operation: TrackedOperation, keymap: Keymap) -> None:
        super().__init__(operation.outcome)
        self.operation = operation
        self._cancel_key = keymap.key("act.cancel")

    def paint(self) -> None:
        """Show the present outcome."""
        if self.operation.outcome is not self._outcome:
            self._outcome = self.operation.outcome
            self.query_one(Static).update(self.text())

    def text(self) -> Content:
        """Return the outcome, and how to cancel the operation while it is running."""
        text = super().text()
        if self._outcome.ended or not self._cancel_key:
            return text
        hint = f"Running. Press {self._cancel_key} to cancel what has not been sent yet"
        return Content.assemble(Content.styled(hint, "$text-accent"), "\n", text)

    def action_cancel_operation(self) -> None:
        """Cancel the operation if it is running."""
        if not self.operation.outcome.ended:
            self.operation.operation.cancel()


def outcome_text(outcome: Outcome) -> Content:
    """Return a summary, then confirmations, failures with their reasons, and the tasks sent."""
    confirmed = replies(outcome)
    if not confirmed and (workers := outcome.workers_having("confirmed")):
        confirmed = (f"Confirmed by {', '.join(workers)}",)
    sent = [
        f"{each.id} {each.name} to {each.queue}"
        + (f", retry of {each.retry_of}" if each.retry_of else "")
        for each in outcome.sent
    ]
    parts: list[tuple[Sequence[str], str]] = [
        ([sentence(outcome)], "bold"),
        (confirmed, ""),
        (details(outcome), "$text-warning"),
        (shortened(sent, MAX_SENT_TASKS), ""),
    ]
    return Content("\n\n").join(_lines(lines, style) for lines, style in parts if lines)


def _lines(lines: Sequence[str], style: str) -> Content:
    shown = (Content.styled(visible(line, MAX_LINE_CHARACTERS), style) for line in lines)
    return Content("\n").join(shown)
