"""A form: labelled fields that are validated while they are typed.

An unchanged field returns exactly the value that it was given, which may differ from what its text
reads as; a flagged field must be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from ...model.text.sanitize import visible
from ..fitted_scroll import FittedScroll
from .controls import Button, FormArea, FormChoice, FormLine
from .field import FormField, FormRow

Problems: TypeAlias = Mapping[str, str]
"""By field id, the problem of its value in combination with others."""
_MAX_TEXT: Final = 300
"""Characters of a note."""
_MAX_PREVIEW: Final = 600
"""Characters of the preview."""
_MAX_PREVIEW_LINES: Final = 4
_LABEL_WIDTH: Final = 12
"""Cells of the labels, unless one is longer."""
_MAX_LABEL_WIDTH: Final = 24


class Form(Vertical):
    """Fields, a preview, and a submit button that is bright once all fields are valid.

    Args:
        fields: The fields.
        submit: The label of the button.
        check: Returns the problems of a combination of values; it gets the valid ones.
        preview: Returns the result of the values, as text; called when all are valid.
        notes: Lines above the fields; below them where there is no room for both.
    """

    DEFAULT_CSS = """
    Form {
        height: auto;
        & #rows { height: auto; }
        & FormRow { height: auto; }
        /* Without a rule for the row itself Textual does not restyle its label. */
        & FormRow:focus-within { height: auto; }
        & FormRow:focus-within .label { color: $text-accent; text-style: bold; }
        & .label { height: 1; }
        & .advice { width: 40%; height: auto; padding-left: 1; }
        & .control { width: 1fr; }
        & Input, & TextArea, & FormChoice { background: $panel; }
        & Input:focus, & TextArea:focus, & FormChoice:focus { background: $primary 25%; }
        & TextArea { height: auto; max-height: 8; min-height: 1; padding: 0; border: none; }
        & .note { height: auto; color: $text-muted; }
        & #preview { height: auto; max-height: 4; color: $text-muted; }
        &.-short #preview { max-height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        &.-short .advice { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        &.-short FormRow:focus-within .advice { height: auto; text-wrap: wrap; }
        & #buttons { height: 1; align-horizontal: center; }
        & Button { width: auto; padding: 0 2; margin: 0 2; background: $panel; }
        & Button:focus { background: $primary; color: $background; text-style: bold; }
        & Button:focus:nocolor, & FormChoice:focus:nocolor { text-style: bold reverse; }
        & Button.-invalid { color: $text-disabled; }
    }
    """

    class Changed(Message):
        """The text of a field changed."""

    class Cancelled(Message):
        """The form was cancelled."""

    @dataclass
    class Submitted(Message):
        """The form was submitted; all fields are valid."""

        values: dict[str, Any]
        texts: dict[str, str]

    def __init__(
        self,
        fields: Sequence[FormField],
        *,
        submit: str = "Continue",
        check: Callable[[Mapping[str, Any]], Problems] | None = None,
        preview: Callable[[Mapping[str, Any]], str] | None = None,
        notes: Sequence[str] = (),
        id: str | None = None,  # noqa: A002 - Textual's own name for it
    ) -> None:
        super().__init__(id=id)
        self.fields = tuple(fields)
        """The fields to begin with."""
        self.rows: dict[str, FormRow] = {}
        """The fields with their labels and advice, by id."""
        self._check = check
        self._preview = preview
        self._submit = submit
        self._notes = [
            Static(Content(visible(note, _MAX_TEXT)), markup=False, classes="note")
            for note in notes
        ]
        self._restored: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """Yield the fields, then the buttons, which always stay visible."""
        self.rows = {field.id: FormRow(field) for field in self.fields}
        with FittedScroll(id="rows", can_focus=False):
            yield from self._notes
            yield from self.rows.values()
        yield Static(markup=False, id="preview")
        with Horizontal(id="buttons"):
            yield Button(Content(self._submit), id="submit", markup=False, classes="-invalid")
            yield Button("Cancel", id="cancel", markup=False)

    def on_mount(self) -> None:
        """Validate the initial texts."""
        for name, text in self._restored.items():
            self.rows[name].control.put(text)
        self._align()
        self._validate()

    async def replace(self, old: Collection[str], new: Sequence[FormField], after: str) -> None:
        """Show new fields in place of others.

        Args:
            old: The ids of the fields to remove.
            new: The fields to add.
            after: The id of the field that they follow.
        """
        position = list(self.rows).index(after) + 1
        follows = self.rows[after]
        kept = [(id_, row) for id_, row in self.rows.items() if id_ not in old]
        added = [(field.id, FormRow(field)) for field in new]
        gone = [self.rows[id_] for id_ in old]
        self.rows = dict([*kept[:position], *added, *kept[position:]])
        with self.app.batch_update():
            for row in gone:
                await row.remove()
            place = self.query_one("#rows")
            await place.mount_all([row for _, row in added], after=follows)
        self._align()
        self._validate()

    def _align(self) -> None:
        """Make room for the longest label."""
        longest = max(cell_len(row.field.label) for row in self.rows.values())
        for row in self.rows.values():
            row.label.styles.width = max(_LABEL_WIDTH, min(longest, _MAX_LABEL_WIDTH) + 1)

    # Values

    @property
    def values(self) -> dict[str, Any]:
        """The values of the valid fields, by id."""
        validated = {name: row.validated() for name, row in self.rows.items()}
        return {name: value for name, (value, problem) in validated.items() if problem is None}

    @property
    def texts(self) -> dict[str, str]:
        """The texts of the fields, by id."""
        return {name: row.control.text for name, row in self.rows.items()}

    @property
    def problems(self) -> dict[str, str]:
        """The problems, by field id."""
        found = {name: why for name, row in self.rows.items() if (why := row.validated()[1])}
        combined = self._check(self.values) if self._check is not None else {}
        return {**combined, **found}

    def touched(self, name: str) -> bool:
        """Return whether the user has changed a field since the last `put`."""
        return self.rows[name].touched

    def put(self, name: str, text: str) -> None:
        """Set the text of a field; it does not count as typed."""
        row = self.rows[name]
        row.control.put(text)
        row.untyped = row.control.text

    def restore(self, texts: Mapping[str, str]) -> None:
        """Set the texts of an earlier form once the fields are mounted."""
        self._restored = dict(texts)

    def fit(self, height: int) -> None:
        """Limit the form to so many lines of the screen, most of them for fields."""
        rows = self.query_one("#rows")
        short = rows.virtual_size.height + _MAX_PREVIEW_LINES + 1 > height
        if short != self.has_class("-short"):
            self.set_class(short, "-short")
            for number, note in enumerate(self._notes):
                if short:
                    rows.move_child(note, after=len(rows.children) - 1)
                else:
                    rows.move_child(note, before=number)
        rows.styles.max_height = max(1, height - (2 if short else _MAX_PREVIEW_LINES + 1))

    @property
    def position(self) -> str:
        """The place of the focused field among all, such as `2 of 5`; empty if all are visible."""
        if not self.query_one("#rows").max_scroll_y:
            return ""
        controls: list[Widget | None] = [row.control for row in self.rows.values()]
        focused = self.screen.focused
        at = 1 + controls.index(focused) if focused in controls else 0
        return f"{at} of {len(controls)}" if at else f"{len(controls)} fields"

    def _validate(self) -> None:
        problems = self.problems
        for name, row in self.rows.items():
            row.advise(row.validated()[0], problems.get(name))
        # It stays in the order of tab: pressed, it goes to the first problem. Otherwise the next
        # stop would be Cancel, and enter there would lose what was typed.
        self.query_one("#submit").set_class(bool(problems), "-invalid")
        preview = "" if problems or self._preview is None else self._preview(self.values)
        self.query_one("#preview", Static).update(Content(visible(preview, _MAX_PREVIEW)))

    # Actions

    def step(self, by: int) -> None:
        """Focus another field or button."""
        order: list[Any] = [row.control for row in self.rows.values() if row.control.focusable] + [
            *self.query(Button)
        ]
        here = self.screen.focused
        at = order.index(here) if here in order else -1 if by > 0 else 0
        self._focus(order[(at + by) % len(order)])

    def _focus(self, control: Widget) -> None:
        self.screen.set_focus(control, scroll_visible=False)
        control.scroll_visible(animate=False)

    def submit(self) -> None:
        """Submit the form if all fields are valid, else focus the first invalid one."""
        # Validate now: the change messages of the last keys may still be queued.
        problems = self.problems
        if problems:
            self._validate()
            invalid = next(row for name, row in self.rows.items() if name in problems)
            self._focus(invalid.control)
            self.app.bell()
        else:
            self.post_message(self.Submitted(self.values, self.texts))

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(FormChoice.Changed)
    def _changed(self, event: Message) -> None:
        event.stop()
        self._validate()
        self.post_message(self.Changed())

    @on(Input.Submitted)
    @on(FormArea.Submitted)
    @on(FormChoice.Submitted)
    def _entered(self, event: Message) -> None:
        event.stop()
        self.submit()

    @on(FormLine.LeaveField)
    def _leave_field(self, event: FormLine.LeaveField) -> None:
        event.stop()
        self.step(event.step)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "submit":
            self.submit()
        else:
            self.post_message(self.Cancelled())
