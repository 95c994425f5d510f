"""A dialog with a form in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, Self

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from ....model.text.sanitize import visible
from ....widgets.form.controls import FormLine
from ....widgets.form.form import Form, FormField, Problems
from ...keymap import bindings
from ..base import Dialog

_MAX_TEXT: Final = 300
_FRAME_ROWS: Final = 2


class Filled(NamedTuple):
    """A submitted form."""

    values: dict[str, Any]
    texts: dict[str, str]
    """The texts of the fields, to open the form again with them."""


class FormDialog(Dialog[Filled], inherit_bindings=False):
    """Returns the values of a form.

    Args:
        title: The title of the frame.
        fields: The fields.
        notes: Lines above the form: current values, where arguments come from.
        submit: The label of the button.
        check: Returns the problems of a combination of values.
        preview: Returns the result of the values, as text.
    """

    BINDINGS = bindings("form")
    CONTEXTS = ("form",)
    AUTO_FOCUS = "FormLine, FormArea, FormChoice"
    CLOSES_BY_CLICK_BESIDE = False

    def __init__(
        self,
        title: str,
        fields: Sequence[FormField],
        *,
        notes: Sequence[str] = (),
        submit: str = "Continue",
        check: Callable[[Mapping[str, Any]], Problems] | None = None,
        preview: Callable[[Mapping[str, Any]], str] | None = None,
    ) -> None:
        super().__init__(title)
        self._notes = tuple(notes)
        self.form = Form(fields, submit=submit, check=check, preview=preview, id="form")

    def typed(self, before: Filled | None) -> Self:
        """Restore the texts of an earlier form, if any; return the same dialog."""
        if before is not None:
            self.form.restore(before.texts)
        return self

    def compose_box(self) -> ComposeResult:
        """Yield the notes and the form."""
        yield from self._note_lines()
        yield self.form

    def on_mount(self) -> None:
        """Fit the fields into the height of the terminal."""
        self.call_after_refresh(self._fit)

    def on_resize(self, event: events.Resize) -> None:
        """Fit the fields into the height of the terminal."""
        self.call_after_refresh(self._fit)

    def _note_lines(self) -> Iterator[Static]:
        for note in self._notes:
            line = Content.styled(visible(note, _MAX_TEXT), "$text-muted")
            yield Static(line, markup=False, classes="note")

    def _fit(self) -> None:
        notes = sum(note.outer_size.height for note in self.query(".note"))
        self.form.fit(self.app.size.height - _FRAME_ROWS - notes)

    def on_form_submitted(self, message: Form.Submitted) -> None:
        """Return the values."""
        self.dismiss(Filled(self.result(message.values), message.texts))

    def result(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the values that the form stands for, by default those of its fields."""
        return values

    def on_form_cancelled(self, message: Form.Cancelled) -> None:
        """Close without values."""
        self.dismiss(None)

    def action_field(self, step: int) -> None:
        """Take over the completion shown in the field, otherwise go to another field."""
        focused = self.focused
        if step > 0 and isinstance(focused, FormLine) and focused.complete():
            return
        self.form.step(step)
