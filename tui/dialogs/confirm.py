"""The confirmation of an operation: its targets, effects and caveats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from ...model.text.phrases import counted
from ...model.text.sanitize import visible
from ...widgets.compat.visible_input import VisibleInput
from ...widgets.fitted_scroll import FittedScroll
from ..keymap import bindings
from .base import FRAME, Dialog

if TYPE_CHECKING:
    from ...model.confirm.dispatch import Confirmation

Present: TypeAlias = "tuple[Confirmation, Sequence[str]]"
"""The confirmation for the current state, and the changes to its targets meanwhile."""

_MAX_TEXT: Final = 300
"""Characters of a line."""
_MAX_NAMED_WORKERS: Final = 5
_BOX_WIDTH: Final = 72
"""The width of the box, unless its title is longer."""
_FRAME_ROWS: Final = 2
"""Rows of the terminal that the frame takes."""


class Choice(Static, can_focus=True):
    """A button of the dialog: cancel or confirm."""

    ALLOW_SELECT = False

    def on_click(self, event: events.Click) -> None:
        """Press the button."""
        event.stop()
        self.focus()
        self.screen.call_later(self.app.run_action, "accept", self.screen)


class ConfirmDialog(Dialog[bool]):
    """Returns True if the user confirms, else None; Cancel has the focus.

    Args:
        confirmation: The texts of the operation.
        notes: Selected targets that are left out, with the reason.
        present: Returns the present state of the targets, which stay the same.
    """

    BINDINGS = bindings("confirm")
    CONTEXTS = ("confirm", "dialog")
    AUTO_FOCUS = "Input, #cancel"

    def __init__(
        self,
        confirmation: Confirmation,
        notes: Sequence[str] = (),
        present: Callable[[], Present] | None = None,
    ) -> None:
        super().__init__(confirmation.title)
        self.confirmation = confirmation
        self.notes = tuple(notes)
        self.meanwhile: Sequence[str] = ()
        self.must_type = confirmation.must_type
        """The word to type, even if fewer targets are left by now."""
        self._present = present
        self._verb = visible(confirmation.verb, _MAX_TEXT)

    def compose_box(self) -> ComposeResult:
        """Yield the facts, then the buttons, which always stay visible."""
        with FittedScroll(id="facts", can_focus=False):
            yield from (_line(*fact) for fact in self._facts())
        must_type = self.must_type
        if must_type is not None:
            yield Static(self._question(must_type), id="ask", markup=False)
            yield VisibleInput(id="typed", select_on_focus=False, compact=True)
        with Horizontal(id="answers"):
            cancel, accept = Content("Cancel"), Content(self._verb)
            if must_type is None:
                cancel = self.with_key("Cancel", "confirm.no")
                accept = self.with_key(self._verb, "confirm.yes")
            # In the order of forms; the focus is on Cancel.
            yield Choice(accept, id="yes", markup=False, disabled=must_type is not None)
            yield Choice(cancel, id="cancel", markup=False)

    def _question(self, must_type: str, before: str = "") -> Content:
        word = Content.styled(visible(must_type, _MAX_TEXT), "bold $text-warning")
        return Content.assemble(f"{before}Type ", word, " to confirm:")

    @property
    def names_title(self) -> bool:
        """Whether the first target is what the title names."""
        return any(each.split()[0] in self._title for each in self.confirmation.targets[:1] if each)

    def on_mount(self) -> None:
        """Show a destructive operation in red."""
        self.set_class(self.confirmation.destructive, "-destructive")
        self._fit(self.app.size.height)

    def on_resize(self, event: events.Resize) -> None:
        """Fit the facts into the new height."""
        self._fit(event.size.height)

    def paint(self) -> None:
        """Read the state of the targets again."""
        if self._present is None or not self.mounted.is_set():
            return
        shown = self.confirmation, self.meanwhile
        self.confirmation, self.meanwhile = self._present()
        if (self.confirmation, self.meanwhile) != shown:
            self._show_facts()

    def _show_facts(self) -> None:
        box, facts = self.query_one("#facts"), list(self._facts())
        lines = list(box.query(Static))
        for line, (text, style, classes) in zip(lines, facts, strict=False):
            line.update(_content(text, style))
            line.set_classes(classes)
        for line in lines[len(facts) :]:
            line.remove()
        if more := facts[len(lines) :]:
            box.mount_all(_line(*fact) for fact in more)
        yes = self.query_one("#yes")
        yes.disabled = not self.confirmed
        for typed in self.query(Input):
            typed.disabled = self.confirmation.refusal is not None
        if yes.disabled and (self.focused is None or self.focused.disabled):
            self.set_focus(self.query_one("#cancel"))

    def _facts(self) -> Iterator[tuple[str, str, str]]:
        """Yield text, style and class of all lines: targets, effects, caveats, and the workers."""
        confirmation = self.confirmation
        for target in confirmation.targets:
            yield target, "bold", ""
        for change in self.meanwhile:
            yield change, "bold $text-warning", ""
        if confirmation.refusal is not None:
            yield f"Nothing left to do: {confirmation.refusal}", "bold $text-warning", "heading"
            return
        for heading, sentences, style in (
            ("Effect", confirmation.effects, "$text-accent"),
            ("Caution", (*confirmation.warnings, *confirmation.caveats), "$text-warning"),
            ("Not included", self.notes, "$text-muted"),
        ):
            if sentences:
                yield heading, f"bold {style}", "heading"
            for sentence in sentences:
                yield sentence, "", "sentence"
        if confirmation.expected_workers:
            count = len(confirmation.expected_workers)
            names = ", ".join(
                visible(name, _MAX_TEXT)
                for name in confirmation.expected_workers[:_MAX_NAMED_WORKERS]
            )
            more = f" and {count - _MAX_NAMED_WORKERS:,} more" if count > _MAX_NAMED_WORKERS else ""
            workers = counted(count, "worker")
            yield f"Sent to {workers}: {names}{more}", "$text-muted", "heading"

    def _fit(self, height: int) -> None:
        others = 1 if self.must_type is None else 2
        size = self.app.size
        width = min(size.width, max(_BOX_WIDTH, self.fit_title() + FRAME)) - FRAME
        for text in self.query("#title, #ask").results(Static):
            rows = min(text.get_content_height(size, size, width), max(1, height // 4))
            text.styles.max_height = rows
            others += rows
        self.query_one("#facts").styles.max_height = max(1, height - _FRAME_ROWS - others)

    @property
    def confirmed(self) -> bool:
        """Whether the required word has been typed, and something is left to do."""
        if self.confirmation.refusal is not None:
            return False
        return self.must_type is None or self.query_one(Input).value.strip() == self.must_type

    def on_input_changed(self, event: Input.Changed) -> None:
        """Enable the button once the word has been typed."""
        event.stop()
        self.query_one("#yes").disabled = not self.confirmed

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Confirm if the word is right, cancel if the line is empty, else ask again."""
        event.stop()
        if self.confirmed:
            self.dismiss(True)
        elif not event.value.strip():
            self.dismiss(None)
        elif self.must_type is not None:
            before = "Nothing was sent: the text differs. "
            self.query_one("#ask", Static).update(self._question(self.must_type, before))
            self._fit(self.app.size.height)
            self.app.bell()

    def action_accept(self) -> None:
        """Press the focused button."""
        focused = self.focused
        if focused is not None and focused.id == "yes" and self.confirmed:
            self.dismiss(True)
        elif focused is not None and focused.id == "cancel":
            self.dismiss(None)

    def action_yes(self) -> None:
        """Confirm, unless a word must be typed."""
        if self.must_type is None and self.confirmed:
            self.dismiss(True)

    def action_turn(self, step: int) -> None:
        """Focus the other button."""
        if step > 0:
            self.focus_next()
        else:
            self.focus_previous()


def _line(text: str, style: str, classes: str) -> Static:
    return Static(_content(text, style), markup=False, classes=classes)


def _content(text: str, style: str) -> Content:
    return Content.styled(visible(text, _MAX_TEXT), style)
