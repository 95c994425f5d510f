"""What came of an act, or how far it is: every worker and target that is worth a line. Live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ...model.operations.summary import details, sentence
from ...model.text.sanitize import visible
from .base import Dialog

if TYPE_CHECKING:
    from ...cluster.session import RunningOperation
    from ...model.operations.outcome import Outcome

_LONGEST: Final = 400
_LOOK: Final = 0.25
"""Seconds between two looks at how far it is."""
_SENT_SHOWN: Final = 50


class OutcomeDialog(Dialog[bool]):
    """Shows what came of an act."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("What was done")
        self._outcome = outcome

    def compose_box(self) -> ComposeResult:
        """Show the text."""
        with VerticalScroll():
            yield Static(outcome_text(self._outcome), markup=False)

    def action_accept(self) -> None:
        """Close."""
        self.dismiss(None)

    def action_choose(self, step: int) -> None:
        """Scroll."""
        self.query_one(VerticalScroll).scroll_relative(y=step, animate=False)


class OperationDialog(OutcomeDialog):
    """Shows how far an act is; `u` takes it back, as far as that is still possible."""

    def __init__(self, act: RunningOperation) -> None:
        super().__init__(act.outcome)
        self._act = act

    def on_mount(self) -> None:
        """Look again and again."""
        self.set_interval(_LOOK, self._look)

    def _look(self) -> None:
        outcome = self._act.outcome
        if outcome is not self._outcome:
            self._outcome = outcome
            self.query_one(Static).update(outcome_text(outcome))

    def key_u(self) -> None:
        """Take it back, if it goes on."""
        if not self._act.outcome.ended:
            self._act.cancel()


def outcome_text(outcome: Outcome) -> Content:
    """Return an act in full: the sentence, who confirmed, who did not and why."""
    lines = [Content.styled(visible(sentence(outcome), _LONGEST), "bold")]
    if not outcome.ended:
        hint = "Under way. u takes it back, as far as that is still possible"
        lines.append(Content.styled(hint, "$text-accent"))
    confirmed = outcome.workers_having("confirmed")
    if confirmed:
        lines += [Content(""), Content(visible(f"confirmed by {', '.join(confirmed)}", _LONGEST))]
    found = details(outcome)
    if found:
        lines.append(Content(""))
        lines += [Content.styled(visible(line, _LONGEST), "$text-warning") for line in found]
    if outcome.sent:
        lines.append(Content(""))
    for sent in outcome.sent[:_SENT_SHOWN]:
        again = f", again for {sent.retry_of}" if sent.retry_of else ""
        line = f"{sent.id} {sent.name} into {sent.queue}{again}"
        lines.append(Content(visible(line, _LONGEST)))
    if len(outcome.sent) > _SENT_SHOWN:
        lines.append(Content(f"and {len(outcome.sent) - _SENT_SHOWN:,} more"))
    return Content("\n").join(lines)
