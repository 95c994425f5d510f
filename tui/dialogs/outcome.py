"""The outcome of an operation in full, live while it is running."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ...bindings.contexts import Context
from ...model.operations.summary import details, replies, sentence
from ...model.text.sanitize import visible
from ..keymap import bindings
from .base import Dialog

if TYPE_CHECKING:
    from ...bindings.keymap import Keymap
    from ...model.operations.outcome import Outcome
    from ..running import TrackedOperation

MAX_LINE_CHARACTERS: Final = 400
MAX_SENT_TASKS: Final = 50


class OutcomeDialog(Dialog[bool]):
    """Shows an outcome."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("Operation")
        self._outcome = outcome

    def compose_box(self) -> ComposeResult:
        """Show the text."""
        with VerticalScroll():
            yield Static(self.text(), markup=False)

    def text(self) -> Content:
        """Return the outcome in full."""
        return outcome_text(self._outcome)

    def action_accept(self) -> None:
        """Close."""
        self.dismiss(None)

    def action_choose(self, step: int) -> None:
        """Scroll."""
        self.query_one(VerticalScroll).scroll_relative(y=step, animate=False)


class OperationDialog(OutcomeDialog):
    """Shows an operation of this session, which can be cancelled while it is running."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("operation")
    CONTEXTS: ClassVar[tuple[Context, ...]] = ("operation", "dialog")

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
    lines = [Content.styled(visible(sentence(outcome), MAX_LINE_CHARACTERS), "bold")]
    confirmed = outcome.workers_having("confirmed")
    if shown := replies(outcome):
        lines += [Content(""), *(Content(visible(line, MAX_LINE_CHARACTERS)) for line in shown)]
    elif confirmed:
        lines += [
            Content(""),
            Content(visible(f"Confirmed by {', '.join(confirmed)}", MAX_LINE_CHARACTERS)),
        ]
    found = details(outcome)
    if found:
        lines.append(Content(""))
        lines += [
            Content.styled(visible(line, MAX_LINE_CHARACTERS), "$text-warning") for line in found
        ]
    if outcome.sent:
        lines.append(Content(""))
    for sent in outcome.sent[:MAX_SENT_TASKS]:
        retry = f", retry of {sent.retry_of}" if sent.retry_of else ""
        line = f"{sent.id} {sent.name} to {sent.queue}{retry}"
        lines.append(Content(visible(line, MAX_LINE_CHARACTERS)))
    if len(outcome.sent) > MAX_SENT_TASKS:
        lines.append(Content(f"and {len(outcome.sent) - MAX_SENT_TASKS:,} more"))
    return Content("\n").join(lines)
