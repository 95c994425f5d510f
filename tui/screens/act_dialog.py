"""What came of an act, or how far it is: every worker and target that is worth a line. Live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ...model.outcome_words import details, sentence
from ...model.text import visible
from .dialog import Dialog

if TYPE_CHECKING:
    from ...cluster.control import Act
    from ...model.outcome import Outcome

_LONGEST: Final = 400
_LOOK: Final = 0.25
"""Seconds between two looks at how far it is."""
_SENT_SHOWN: Final = 50


class ActDialog(Dialog[bool]):
    """Shows an act; `u` takes back what is under way, as far as that is still possible."""

    def __init__(self, act: Act) -> None:
        super().__init__("What was done")
        self._act = act
        self._shown: Outcome | None = None

    def compose_box(self) -> ComposeResult:
        """Show the text."""
        with VerticalScroll():
            yield Static(markup=False)

    def on_mount(self) -> None:
        """Look, and look again."""
        self._look()
        self.set_interval(_LOOK, self._look)

    def _look(self) -> None:
        outcome = self._act.outcome
        if outcome is not self._shown:
            self._shown = outcome
            self.query_one(Static).update(outcome_text(outcome))

    def action_accept(self) -> None:
        """Close."""
        self.dismiss(None)

    def action_choose(self, step: int) -> None:
        """Scroll."""
        self.query_one(VerticalScroll).scroll_relative(y=step, animate=False)

    def key_u(self) -> None:
        """Take it back, if it goes on."""
        if not self._act.outcome.ended:
            self._act.cancel()


def outcome_text(outcome: Outcome) -> Content:
    """Return an act in full: the sentence, who confirmed, who did not and why."""
    lines = [Content.styled(visible(sentence(outcome), _LONGEST), "bold")]
    if not outcome.ended:
        hint = "u takes it back, as far as that is still possible"
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
