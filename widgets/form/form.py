"""A form: labelled fields that are read as they are typed, with the reason beside what is wrong.

Values in, values out. A field that is left as it was gives the very value that it came with, which
need not be what its text reads as; one that is flagged has to be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from ...model.text.parse import ParseError
from ...model.text.sanitize import visible
from .controls import Control, FormArea, FormChoice, FormLine, ReadOnlyText

UNSET: Final = object()
Problems: TypeAlias = Mapping[str, str]
"""By field, what is wrong with it together with others."""
_LONGEST: Final = 300
_PREVIEW: Final = 600


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form."""

    id: str
    label: str
    read: Callable[[str], Any] = str
    """Returns the value of a text, or raises `ParseError` with the reason."""
    text: str = ""
    """What stands there at first; hostile text is shown harmless, and counts as it came."""
    hint: str = ""
    """What to type, shown while nothing is."""
    told: Callable[[Any], str] | None = None
    """Returns what a value means, to be shown beside it."""
    kind: Literal["line", "area", "choice", "shut"] = "line"
    """One line, several, one of `options`, or shown and not to be changed."""
    options: Sequence[str] = ()
    """What can be chosen from, or what a line is completed from."""
    value: Any = UNSET
    """What the untouched text stands for; without one, what it reads as."""
    flag: str | None = None
    """Why it cannot be left as it is."""


class FormRow(Horizontal):
    """A label, what is typed into, and what there is to say of it."""

    def __init__(self, entry: FormField) -> None:
        super().__init__()
        self.entry = entry
        self.control = _control(entry)
        self.advice = Static(markup=False, classes="advice")
        self.placed = self.control.text
        """The text that was put there, other than by typing."""
        self._known: tuple[str, Any, str | None] | None = None

    def compose(self) -> ComposeResult:
        """Put them side by side."""
        yield Static(Content(self.entry.label), markup=False, classes="label")
        yield self.control
        yield self.advice

    @property
    def touched(self) -> bool:
        """Whether another text was typed."""
        return self.control.text != self.placed

    @property
    def first(self) -> bool:
        """Whether it holds what the form began with."""
        return self.control.text == _shown(self.entry)

    def judged(self) -> tuple[Any, str | None]:
        """Return the value, or what is wrong with the text."""
        text = self.control.text
        if self._known is None or self._known[0] != text:
            self._known = (text, *self._read(text))
        return self._known[1:]

    def _read(self, text: str) -> tuple[Any, str | None]:
        entry = self.entry
        if self.first:
            if entry.flag is not None:
                return None, entry.flag
            if entry.value is not UNSET:
                return entry.value, None
            text = entry.text
        try:
            return entry.read(text), None
        except ParseError as error:
            return None, str(error)

    def say(self, value: Any, problem: str | None) -> None:
        """Show what is wrong, or what the value means, or what can be typed."""
        entry = self.entry
        text, style = entry.hint, "$text-muted"
        if problem is not None:
            # Nothing is wrong with an empty form: it only has to be filled in.
            if self.first and not entry.text and entry.flag is None:
                text = problem
            else:
                text, style = f"! {problem}", "$text-error"
        elif entry.told is not None:
            text = entry.told(value) or entry.hint
        self.advice.update(Content.styled(visible(text, _LONGEST), style))


class Button(Static, can_focus=True):
    """A button that enter and a click press."""

    ALLOW_SELECT = False

    class Pressed(Message):
        """It was pressed."""

        def __init__(self, button: Button) -> None:
            super().__init__()
            self.button = button

    def on_key(self, event: events.Key) -> None:
        """Press it."""
        if event.key in ("enter", "space"):
            event.stop()
            self.post_message(self.Pressed(self))

    def on_click(self, event: events.Click) -> None:
        """Press it."""
        event.stop()
        self.post_message(self.Pressed(self))


class Form(Vertical):
    """Fields, a line that tells what they come to, and a button that works once all hold.

    Args:
        entries: The fields.
        submit: What the button says.
        check: Returns what is wrong with values together; it gets those that hold by themselves.
        preview: Returns what the values come to, in words; called when all hold.
    """

    DEFAULT_CSS = """
    Form {
        height: auto;
        & #rows { height: auto; }
        & FormRow { height: auto; }
        /* Without a rule for the row itself Textual does not look at its label again. */
        & FormRow:focus-within { height: auto; }
        & FormRow:focus-within .label { color: $text-accent; text-style: bold; }
        & .label { width: 12; height: 1; }
        & .advice { width: 2fr; height: auto; padding-left: 1; }
        & .control { width: 3fr; }
        & Input, & TextArea, & FormChoice { background: $panel; }
        & Input:focus, & TextArea:focus, & FormChoice:focus { background: $primary 25%; }
        & TextArea { height: auto; max-height: 8; min-height: 1; padding: 0; border: none; }
        & #preview { height: auto; max-height: 4; color: $text-muted; }
        & #buttons { height: 1; align-horizontal: center; }
        & Button { width: auto; padding: 0 2; margin: 0 2; background: $panel; }
        & Button:focus { background: $primary; color: $background; text-style: bold; }
        & Button:disabled { color: $text-disabled; }
    }
    """

    class Changed(Message):
        """Something else stands in a field."""

    class Cancelled(Message):
        """It is not wanted."""

    @dataclass
    class Submitted(Message):
        """All fields hold, and it is wanted."""

        values: dict[str, Any]
        texts: dict[str, str]

    def __init__(
        self,
        entries: Sequence[FormField],
        *,
        submit: str = "Go on",
        check: Callable[[Mapping[str, Any]], Problems] | None = None,
        preview: Callable[[Mapping[str, Any]], str] | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
    ) -> None:
        super().__init__(id=id)
        self._entries = tuple(entries)
        self._rows: dict[str, FormRow] = {}
        self._check = check
        self._preview = preview
        self._submit = submit
        self._typed: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """Put the fields above the button, which always stays in sight."""
        self._rows = {entry.id: FormRow(entry) for entry in self._entries}
        with VerticalScroll(id="rows", can_focus=False):
            yield from self._rows.values()
        yield Static(markup=False, id="preview")
        with Horizontal(id="buttons"):
            yield Button(Content(self._submit), id="submit", markup=False, disabled=True)
            yield Button("Cancel", id="cancel", markup=False)

    def on_mount(self) -> None:
        """Judge what stands there from the start."""
        for name, text in self._typed.items():
            self._rows[name].control.put(text)
        self._judge()

    # Values

    @property
    def values(self) -> dict[str, Any]:
        """The values of the fields that hold, by id."""
        judged = {name: row.judged() for name, row in self._rows.items()}
        return {name: value for name, (value, problem) in judged.items() if problem is None}

    @property
    def texts(self) -> dict[str, str]:
        """What stands in the fields, by id."""
        return {name: row.control.text for name, row in self._rows.items()}

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong, by field."""
        found = {name: why for name, row in self._rows.items() if (why := row.judged()[1])}
        together = self._check(self.values) if self._check is not None else {}
        return {**together, **found}

    def touched(self, name: str) -> bool:
        """Return whether something was typed into a field since `put`."""
        return self._rows[name].touched

    def put(self, name: str, text: str) -> None:
        """Put a text into a field, as if nobody had typed."""
        row = self._rows[name]
        row.control.put(text)
        row.placed = row.control.text

    def restore(self, texts: Mapping[str, str]) -> None:
        """Put in what was typed before, as soon as there are fields."""
        self._typed = dict(texts)

    def fit(self, height: int) -> None:
        """Take no more than so many rows of the screen."""
        self.query_one("#rows").styles.max_height = max(1, height - 5)

    def _judge(self) -> None:
        problems = self.problems
        for name, row in self._rows.items():
            row.say(row.judged()[0], problems.get(name))
        self.query_one("#submit").disabled = bool(problems)
        preview = "" if problems or self._preview is None else self._preview(self.values)
        self.query_one("#preview", Static).update(Content(visible(preview, _PREVIEW)))

    # What keys do

    def step(self, by: int) -> None:
        """Go to another field or button."""
        order: list[Any] = [row.control for row in self._rows.values() if row.control.focusable] + [
            button for button in self.query(Button) if not button.disabled
        ]
        here = self.screen.focused
        at = order.index(here) if here in order else -1 if by > 0 else 0
        self._go(order[(at + by) % len(order)])

    def _go(self, control: Widget) -> None:
        self.screen.set_focus(control, scroll_visible=False)
        control.scroll_visible(animate=False)

    def submit(self) -> None:
        """Submit it if all holds, else go to what does not."""
        # What is typed is judged when it is asked for: no key may be ahead of it.
        problems = self.problems
        if problems:
            self._judge()
            wrong = next(row for name, row in self._rows.items() if name in problems)
            self._go(wrong.control)
            self.app.bell()
        else:
            self.post_message(self.Submitted(self.values, self.texts))

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(FormChoice.Changed)
    def _changed(self, event: Message) -> None:
        event.stop()
        self._judge()
        self.post_message(self.Changed())

    @on(Input.Submitted)
    @on(FormArea.Submitted)
    @on(FormChoice.Submitted)
    def _entered(self, event: Message) -> None:
        event.stop()
        self.submit()

    @on(FormLine.Left)
    def _left(self, event: FormLine.Left) -> None:
        event.stop()
        self.step(event.step)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "submit":
            self.submit()
        else:
            self.post_message(self.Cancelled())


def _shown(entry: FormField) -> str:
    if entry.kind == "area":
        return "\n".join(visible(line) for line in entry.text.split("\n"))
    return visible(entry.text)


def _control(entry: FormField) -> Control:
    text = _shown(entry)
    if entry.kind == "area":
        return FormArea(text)
    if entry.kind == "choice":
        return FormChoice(entry.options, text)
    if entry.kind == "shut":
        return ReadOnlyText(text)
    return FormLine(text, entry.options)
