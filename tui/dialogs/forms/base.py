"""A dialog with a form in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Self

from textual import events
from textual.app import ComposeResult

from ....widgets.form.controls import FormLine
from ....widgets.form.field import FormField
from ....widgets.form.form import Form, Problems
from ...keymap import bindings
from ..base import Dialog

_FRAME_ROWS: Final = 2
"""Lines of the frame."""


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
        notes: Current values, where arguments come from.
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
        self.form = Form(
            fields, submit=submit, check=check, preview=preview, notes=notes, id="form"
        )

    def typed(self, before: Filled | None) -> Self:
        """Restore the texts of an earlier form, if any; return the same dialog."""
        if before is not None:
            self.form.restore(before.texts)
        return self

    def compose_box(self) -> ComposeResult:
        """Yield the form."""
        yield self.form

    def on_mount(self) -> None:
        """Fit the fields into the height of the terminal."""
        self.call_after_refresh(self._fit)

    def on_resize(self, event: events.Resize) -> None:
        """Fit the fields into the height of the terminal."""
        self.call_after_refresh(self._fit)

    def on_descendant_focus(self) -> None:
        """Show which of the fields has the focus."""
        self.call_after_refresh(self._show_position)

    def _fit(self) -> None:
        if self.is_current:
            self.form.fit(self.app.size.height - _FRAME_ROWS)
            self.call_after_refresh(self._show_position)

    def _show_position(self) -> None:
        if self.is_current:  # it may have been closed before it was displayed
            self.query_one("#box").border_subtitle = self.form.position

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
