"""A field of a form, and its row: a label, a control, and advice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from ...model.text.parse import ParseError
from ...model.text.sanitize import visible
from .controls import Control, FormArea, FormChoice, FormLine, ReadOnlyText

UNSET: Final = object()
"""The value of a field that has none besides its text."""
_MAX_ADVICE: Final = 300
"""Characters."""


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form."""

    id: str
    label: str
    read: Callable[[str], Any] = str
    """Returns the value of a text; raises `ParseError` with the reason."""
    text: str = ""
    """The initial text; it is sanitized for display only."""
    hint: str = ""
    """The expected input, shown beside the field."""
    explain: Callable[[Any], str] | None = None
    """Returns what a value means, to show beside the field."""
    kind: Literal["line", "area", "choice", "read_only"] = "line"
    """One line, several lines, one of `options`, or read-only."""
    options: Sequence[str] = ()
    """The choices, or the completions of a line."""
    value: Any = UNSET
    """The value of the unchanged text; if unset, the text is read."""
    flag: str | None = None
    """Why the field must be changed, if it must."""


class FormRow(Horizontal):
    """A label, its control, and a hint, explanation or problem."""

    def __init__(self, field: FormField) -> None:
        super().__init__()
        self.field = field
        self.control = _control(field)
        self.label = Static(Content(field.label), markup=False, classes="label")
        self.advice = Static(markup=False, classes="advice")
        self.untyped = self.control.text
        """The last text that was set other than by typing."""
        self._cached: tuple[str, Any, str | None] | None = None

    def compose(self) -> ComposeResult:
        """Yield label, control and advice."""
        yield self.label
        yield self.control
        yield self.advice

    @property
    def touched(self) -> bool:
        """Whether the user has changed the text."""
        return self.control.text != self.untyped

    @property
    def unchanged(self) -> bool:
        """Whether the control contains the initial text."""
        return self.control.text == _display_text(self.field)

    def validated(self) -> tuple[Any, str | None]:
        """Return the value and None, or None and the problem of the text."""
        text = self.control.text
        if self._cached is None or self._cached[0] != text:
            self._cached = (text, *self._read(text))
        return self._cached[1:]

    def _read(self, text: str) -> tuple[Any, str | None]:
        field = self.field
        if self.unchanged:
            if field.flag is not None:
                return None, field.flag
            if field.value is not UNSET:
                return field.value, None
            text = field.text
        try:
            return field.read(text), None
        except ParseError as error:
            return None, str(error)

    def advise(self, value: Any, problem: str | None) -> None:
        """Show the problem, the meaning of the value, or the hint."""
        field = self.field
        text, style = field.hint, "$text-muted"
        if problem is not None:
            # A field that is still empty is no error yet.
            if self.unchanged and not field.text and field.flag is None:
                text = problem
            else:
                text, style = f"! {problem}", "$text-error"
        elif field.explain is not None:
            text = field.explain(value) or field.hint
        self.advice.update(Content.styled(visible(text, _MAX_ADVICE), style))


def _display_text(field: FormField) -> str:
    if field.kind == "area":
        return "\n".join(visible(line) for line in field.text.split("\n"))
    return visible(field.text)


def _control(field: FormField) -> Control:
    text = _display_text(field)
    if field.kind == "area":
        return FormArea(text)
    if field.kind == "choice":
        return FormChoice(field.options, text)
    if field.kind == "read_only":
        return ReadOnlyText(text)
    return FormLine(text, field.options)
