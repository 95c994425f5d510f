"""The outcome of an operation in full, live while it is running."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from textual.content import Content
from textual.widgets import Static

from ...model.confirm.confirmation import task_line
from ...model.operations.commands import Drain, Revoke
from ...model.operations.summary import details, replies, sentence
from ...model.text.phrases import shortened
from ...model.text.sanitize import visible
from ..keymap import bindings
from .text import TextDialog

if TYPE_CHECKING:
    from ...model.operations.outcome import Outcome
    from ...model.state import ClusterState
    from ..context import AppContext
    from ..running import TrackedOperation

MAX_LINE_CHARACTERS: Final = 400
MAX_SENT_TASKS: Final = 50
MAX_TARGETS: Final = 20
"""Tasks to be revoked that are listed."""


class OutcomeDialog(TextDialog):
    """Shows an outcome."""

    def __init__(self, outcome: Outcome, context: AppContext) -> None:
        super().__init__("Operation")
        self._outcome = outcome
        self._shared = context
        self._targets: list[str] = []

    def paint(self) -> None:
        """Show the present state of the tasks."""
        if _targets(self._outcome, self._shared.live) != self._targets:
            self.query_one(Static).update(self.text())

    def text(self) -> Content:
        """Return the outcome in full."""
        self._targets = _targets(self._outcome, self._shared.live)
        return outcome_text(self._outcome, self._targets)


class OperationDialog(OutcomeDialog):
    """Shows an operation of this session, which can be cancelled while it is running."""

    BINDINGS = bindings("operation")
    CONTEXTS = ("operation", "dialog", "text")

    def __init__(self, operation: TrackedOperation, context: AppContext) -> None:
        super().__init__(operation.outcome, context)
        self.operation = operation
        self._cancel_key = context.keymap.key("act.cancel")

    def paint(self) -> None:
        """Show the present outcome."""
        if self.operation.outcome is not self._outcome:
            self._outcome = self.operation.outcome
            self.query_one(Static).update(self.text())
        else:
            super().paint()

    def text(self) -> Content:
        """Return the outcome, and how to cancel the operation while it is running."""
        text = super().text()
        if self._outcome.ended or not self._cancel_key:
            return text
        effect = "cancel what has not been sent yet"
        if isinstance(self._outcome.operation, Drain):
            effect = "undo the drain; workers consume their queues again"
        hint = f"Running. Press {self._cancel_key} to {effect}"
        return Content.assemble(Content.styled(hint, "$text-accent"), "\n", text)

    def action_cancel_operation(self) -> None:
        """Cancel the operation if it is running."""
        if not self.operation.outcome.ended:
            self.operation.operation.cancel()


def outcome_text(outcome: Outcome, targets: Sequence[str] = ()) -> Content:
    """Return a summary, then targets, confirmations, failures with reasons, and the tasks sent."""
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
        (targets, ""),
        (confirmed, ""),
        (details(outcome), "$text-warning"),
        (shortened(sent, MAX_SENT_TASKS), ""),
    ]
    return Content("\n\n").join(_lines(lines, style) for lines, style in parts if lines)


def _targets(outcome: Outcome, state: ClusterState) -> list[str]:
    """Return the tasks that were revoked, each with its present state."""
    if not isinstance(outcome.operation, Revoke):
        return []
    ids = outcome.operation.ids
    lines = [task_line(state, id_, whole_id=True) for id_ in ids[:MAX_TARGETS]]
    more = len(ids) - MAX_TARGETS
    return [*lines, f"and {more:,} more"] if more > 0 else lines


def _lines(lines: Sequence[str], style: str) -> Content:
    shown = (Content.styled(visible(line, MAX_LINE_CHARACTERS), style) for line in lines)
    return Content("\n").join(shown)
