"""A dialog with a form in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final, NamedTuple, Self

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from ...bindings.actions import Context
from ...model.text.sanitize import visible
from ...widgets.form.form import Form, FormField, Problems
from ..keymap import bindings
from .base import Dialog

_LONGEST: Final = 300
_FRAME_ROWS: Final = 2


class Filled(NamedTuple):
    """A form that was filled in."""

    values: dict[str, Any]
    texts: dict[str, str]
    """What was typed, to open the form with again."""


class FormDialog(Dialog[Filled], inherit_bindings=False):
    """Returns what was filled in.

    Args:
        title: What the frame says.
        entries: The fields.
        notes: What is to be known before: present values, where arguments come from.
        submit: What the button says.
        check: Returns what is wrong with values together.
        preview: Returns what the values come to.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("form")
    CONTEXTS: ClassVar[tuple[Context, ...]] = ("form",)
    AUTO_FOCUS = "FormLine, FormArea, FormChoice"

    def __init__(
        self,
        title: str,
        entries: Sequence[FormField],
        *,
        notes: Sequence[str] = (),
        submit: str = "Go on",
        check: Callable[[Mapping[str, Any]], Problems] | None = None,
        preview: Callable[[Mapping[str, Any]], str] | None = None,
    ) -> None:
        super().__init__(title)
        self._notes = tuple(notes)
        self.form = Form(entries, submit=submit, check=check, preview=preview, id="form")

    def typed(self, before: Filled | None) -> Self:
        """Put in what was typed before, if anything was; return the same dialog."""
        if before is not None:
            self.form.restore(before.texts)
        return self

    def compose_box(self) -> ComposeResult:
        """Put the notes above the form."""
        yield from self._note_lines()
        yield self.form

    def on_mount(self) -> None:
        """Leave the fields what room there is."""
        self.call_after_refresh(self._fit)

    def on_resize(self, event: events.Resize) -> None:
        """Leave the fields what room there is."""
        self.call_after_refresh(self._fit)

    def _note_lines(self) -> Iterator[Static]:
        for note in self._notes:
            line = Content.styled(visible(note, _LONGEST), "$text-muted")
            yield Static(line, markup=False, classes="note")

    def _fit(self) -> None:
        notes = sum(note.outer_size.height for note in self.query(".note"))
        self.form.fit(self.app.size.height - _FRAME_ROWS - notes)

    def on_form_submitted(self, message: Form.Submitted) -> None:
        """Return what was filled in."""
        message.stop()
        self.dismiss(Filled(message.values, message.texts))

    def on_form_cancelled(self, message: Form.Cancelled) -> None:
        """Close without any."""
        message.stop()
        self.dismiss(None)

    def action_field(self, step: int) -> None:
        """Go to another field."""
        self.form.step(step)
