"""What is asked before an act: what exactly will be done, to what, and what will not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from ...bindings.actions import Context
from ...model.text.sanitize import visible
from ..keymap import bindings
from .base import Dialog

if TYPE_CHECKING:
    from ...model.confirm.dispatch import Confirmation

_LONGEST: Final = 300
_WORKERS_NAMED: Final = 5
_FRAME_ROWS: Final = 2
"""Rows of the terminal that the frame takes."""


class Choice(Static, can_focus=True):
    """One of the two answers; the dialog knows what it means."""

    ALLOW_SELECT = False

    def on_click(self, event: events.Click) -> None:
        """Take this answer."""
        event.stop()
        self.focus()
        self.screen.call_later(self.app.run_action, "accept", self.screen)


class ConfirmDialog(Dialog[bool]):
    """Returns True if the user wants it, None if not; cancelling is what lies under the finger.

    Args:
        confirmation: The act in words.
        notes: What else is to be known: what was selected and is left out.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("confirm")
    CONTEXTS: ClassVar[tuple[Context, ...]] = ("confirm", "dialog")
    AUTO_FOCUS = "Input, #cancel"

    def __init__(self, confirmation: Confirmation, notes: Sequence[str] = ()) -> None:
        super().__init__(confirmation.title)
        self.confirmation = confirmation
        self._notes = tuple(notes)
        self._verb = visible(confirmation.verb, _LONGEST)

    def compose_box(self) -> ComposeResult:
        """Put the facts above the answers, which always stay in sight."""
        with VerticalScroll(id="facts", can_focus=False):
            yield from self._facts()
        must_type = self.confirmation.must_type
        if must_type is not None:
            word = Content.styled(visible(must_type, _LONGEST), "bold $text-warning")
            yield Static(Content.assemble("Type ", word, " to do it:"), id="ask", markup=False)
            yield Input(id="typed", select_on_focus=False, compact=True)
        with Horizontal(id="answers"):
            yield Choice("Cancel", id="cancel", markup=False)
            yield Choice(
                Content(self._verb), id="yes", markup=False, disabled=must_type is not None
            )

    def on_mount(self) -> None:
        """Be red where work or data is lost."""
        self.set_class(self.confirmation.destructive, "-grave")
        self._fit(self.app.size.height)

    def on_resize(self, event: events.Resize) -> None:
        """Leave the facts what room there is."""
        self._fit(event.size.height)

    def _facts(self) -> Iterator[Static]:
        """Say what is going to happen, to what, and who has to confirm it."""
        told = self.confirmation
        for target in told.targets:
            yield _line(target, "bold")
        for heading, sentences, style in (
            ("What happens", told.effects, "$text-accent"),
            ("Mind", (*told.warnings, *told.caveats), "$text-warning"),
            ("Left out", self._notes, "$text-muted"),
        ):
            if sentences:
                yield _line(heading, f"bold {style}", "heading")
            for sentence in sentences:
                yield _line(sentence, "", "sentence")
        if told.expected_workers:
            count = len(told.expected_workers)
            names = ", ".join(visible(name, 40) for name in told.expected_workers[:_WORKERS_NAMED])
            more = f" and {count - _WORKERS_NAMED:,} more" if count > _WORKERS_NAMED else ""
            workers = "1 worker is" if count == 1 else f"{count:,} workers are"
            yield _line(f"{workers} to answer: {names}{more}", "$text-muted", "heading")

    def _fit(self, height: int) -> None:
        below = 1 if self.confirmation.must_type is None else 3
        self.query_one("#facts").styles.max_height = max(1, height - _FRAME_ROWS - below)

    @property
    def confirmed(self) -> bool:
        """Whether all that has to be typed is typed."""
        must_type = self.confirmation.must_type
        return must_type is None or self.query_one(Input).value.strip() == must_type

    def on_input_changed(self, event: Input.Changed) -> None:
        """Offer the act once the word stands there."""
        event.stop()
        self.query_one("#yes").disabled = not self.confirmed

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Do it if the word is right; without any, cancel; else the word has to be looked at."""
        event.stop()
        if self.confirmed:
            self.dismiss(True)
        elif not event.value.strip():
            self.dismiss(None)
        else:
            self.app.bell()

    def action_accept(self) -> None:
        """Take the answer that has the focus."""
        focused = self.focused
        if focused is not None and focused.id == "yes" and self.confirmed:
            self.dismiss(True)
        elif focused is not None and focused.id == "cancel":
            self.dismiss(None)

    def action_yes(self) -> None:
        """Do it; where a word is asked for, that has to be typed."""
        if self.confirmation.must_type is None:
            self.dismiss(True)

    def action_turn(self, step: int) -> None:
        """Go to the other answer."""
        if step > 0:
            self.focus_next()
        else:
            self.focus_previous()

    def action_choose(self, step: int) -> None:
        """Scroll the facts."""
        self.query_one("#facts").scroll_relative(y=step, animate=False)


def _line(text: str, style: str, classes: str = "") -> Static:
    return Static(Content.styled(visible(text, _LONGEST), style), markup=False, classes=classes)
