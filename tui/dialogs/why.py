"""Why a task or queue does not move, kept up to date while the dialog is open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from textual.content import Content
from textual.widgets import Static

from ...model.confirm.confirmation import task_line
from ...model.text import units
from ...model.text.sanitize import visible
from ...model.why.answer import sentence
from ...model.why.why import why
from .text import LongText

if TYPE_CHECKING:
    from ..context import AppContext

MAX_LINE_CHARACTERS: Final = 600
INTERVAL: Final = 1.0
"""Seconds between two answers: an answer reads all findings."""


class WhyDialog(LongText):
    """Shows the answer, the next step and the evidence."""

    def __init__(self, name: str, context: AppContext) -> None:
        is_task = name in context.live.tasks
        subject = task_line(context.live, name) if is_task else f"queue {name}"
        super().__init__(f"Why · {subject}")
        self._subject = name
        self._shared = context
        self._answered_at = 0.0

    def on_mount(self) -> None:
        """Name the key that closes it: the footer below lists those of the screen."""
        key = self._shared.keymap.key("dialog.close")
        if key:
            self.query_one("#box").border_subtitle = Content(f"{key} closes")

    def paint(self) -> None:
        """Answer again, once a second."""
        if abs(self._shared.clock() - self._answered_at) >= INTERVAL:
            self.query_one(Static).update(self.text())

    def text(self) -> Content:
        """Return the present answer."""
        self._answered_at = self._shared.clock()
        return Content("\n").join(self._lines(self._answered_at))

    def action_accept(self) -> None:
        """Close."""
        self.dismiss(None)

    def _lines(self, now: float) -> Iterator[Content]:
        answer = why(self._shared.live, self._subject, now)
        if answer is None:
            yield Content("It is no longer in memory.")
            return
        yield _styled(sentence(answer.text), "bold")
        if answer.next_step:
            yield Content("")
            yield _styled(f"Next: {answer.next_step}", "$text-accent")
        if answer.evidence:
            yield Content("")
        for fact in answer.evidence:
            age = "" if fact.at is None else f"  {units.ago(fact.at, now)}"
            yield Content.assemble(_styled(fact.text), _styled(age, "$text-muted"))
        others = [one for one in answer.findings if one.code != answer.code]
        if others:
            yield Content("")
        for finding in others:
            style = "$text-error" if finding.severity == "error" else "$text-warning"
            yield _styled(f"! {finding.subject}: {finding}", style)


def _styled(text: str, style: str = "") -> Content:
    return Content.styled(visible(text, MAX_LINE_CHARACTERS), style)
