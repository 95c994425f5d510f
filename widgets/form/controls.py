"""The controls of form fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static, TextArea

from ...model.text.sanitize import visible
from ..compat.lazy_suggester import LazySuggester
from ..compat.visible_input import VisibleInput

MAX_COMPLETIONS: Final = 200


def completion_of(text: str, options: Sequence[str]) -> str | None:
    """Return the first option that starts with a text; None if the text is empty or an option."""
    if not text or text in options:
        return None
    return next((option for option in options if option.startswith(text)), None)


class _Completer(LazySuggester):
    """Suggests the first option that starts with the typed text."""

    def __init__(self, options: Sequence[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._options = options

    async def get_suggestion(self, value: str) -> str | None:
        """Return the first option that starts with a text; None if the text is an option."""
        return completion_of(value, self._options)


class FormLine(VisibleInput):
    """One line of text; down and up step through the completions.

    Args:
        text: The initial text.
        options: The completions; unprintable ones are left out.
    """

    @dataclass
    class LeaveField(Message):
        """The user moves to another field."""

        step: int

    def __init__(self, text: str = "", options: Sequence[str] = ()) -> None:
        self.options = [option for option in options if option.isprintable()]
        super().__init__(
            text,
            suggester=_Completer(self.options) if self.options else None,
            # Typing replaces a number, and continues a name.
            select_on_focus=not self.options,
            compact=True,
            classes="control",
        )
        self._typed: str | None = None
        """The text that the completions match."""
        self._completion: str | None = None

    @property
    def text(self) -> str:
        """The text."""
        return self.value

    def put(self, text: str) -> None:
        """Set the text."""
        self.value = text
        self.cursor_position = len(text)

    def complete(self) -> bool:
        """Take over the completion shown behind the cursor; return whether there was one.

        If no option starts with the text, take the only one that contains it.
        """
        if not self.cursor_at_end or not self.value or self.value in self.options:
            return False
        found = completion_of(self.value, self.options)
        if found is None and len(matches := self.matches(self.value)) == 1:
            found = matches[0]
        if found is not None:
            self.put(found)
        return found is not None

    def matches(self, typed: str) -> list[str]:
        """Return the options that contain a text, those that start with it first."""
        low = typed.lower()
        found = [option for option in self.options if low in option.lower()]
        found.sort(key=lambda option: not option.lower().startswith(low))
        return found[:MAX_COMPLETIONS]

    def on_key(self, event: events.Key) -> None:
        """Step through the completions, or move to another field."""
        if event.key not in ("down", "up"):
            return
        event.stop()
        event.prevent_default()
        step = 1 if event.key == "down" else -1
        if not self.options:
            self.post_message(self.LeaveField(step))
            return
        if self._completion is None or self.value != self._completion:
            self._typed = self.value
        found = self.matches(self._typed or "")
        if not found:
            return
        at = found.index(self.value) + step if self.value in found else 0 if step > 0 else -1
        self._completion = found[at % len(found)]
        self.put(self._completion)

    def on_paste(self, event: events.Paste) -> None:
        """Insert the first pasted line, sanitized."""
        event.stop()
        event.prevent_default()
        lines = event.text.strip().splitlines()
        if lines:
            self.replace(visible(lines[0]), *self.selection)


class FormArea(TextArea):
    """Several lines of text; enter submits, as arguments need no line breaks."""

    class Submitted(Message):
        """Enter was pressed."""

    def __init__(self, text: str = "") -> None:
        super().__init__(
            text, compact=True, highlight_cursor_line=False, tab_behavior="focus", classes="control"
        )

    def put(self, text: str) -> None:
        """Set the text."""
        self.text = text

    def on_key(self, event: events.Key) -> None:
        """Submit."""
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            self.post_message(self.Submitted())

    def on_paste(self, event: events.Paste) -> None:
        """Insert pasted text with invisible characters escaped."""
        from ...model.text.parse_json import escaped

        event.stop()
        event.prevent_default()
        text = event.text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "  ")
        self.replace(escaped(text), *self.selection)


class FormChoice(Static, can_focus=True):
    """A choice of words; left, right and space change it."""

    ALLOW_SELECT = False

    class Changed(Message):
        """Another word was chosen."""

    class Submitted(Message):
        """Enter was pressed."""

    def __init__(self, options: Sequence[str], text: str = "") -> None:
        super().__init__(markup=False, classes="control")
        self.options = tuple(options)
        self.text = text if text in self.options else self.options[0]

    def on_mount(self) -> None:
        """Show the choice."""
        self.put(self.text)

    def put(self, text: str) -> None:
        """Choose another word."""
        self.text = text
        words = [
            Content.styled(f"[{word}]", "bold") if word == text else Content(f" {word} ")
            for word in map(visible, self.options)
        ]
        self.update(Content("").join(words))

    def on_key(self, event: events.Key) -> None:
        """Choose, or submit."""
        steps = {"right": 1, "left": -1, "space": 1, "l": 1, "h": -1}
        if event.key == "enter":
            event.stop()
            self.post_message(self.Submitted())
        elif event.key in steps:
            event.stop()
            at = self.options.index(self.text) + steps[event.key]
            self.put(self.options[at % len(self.options)])
            self.post_message(self.Changed())


class ReadOnlyText(Static):
    """A text that cannot be changed, cut to its first characters."""

    def __init__(self, text: str) -> None:
        super().__init__(Content.styled(visible(text, 60), "$text-muted"), markup=False)
        self.add_class("control")
        self.text = text

    def put(self, text: str) -> None:
        """Do nothing."""


class Button(Static, can_focus=True):
    """A button, pressed by enter, space or a click."""

    ALLOW_SELECT = False

    @dataclass
    class Pressed(Message):
        """The button was pressed."""

        button: Button

    def on_key(self, event: events.Key) -> None:
        """Press it."""
        if event.key in ("enter", "space"):
            event.stop()
            self.post_message(self.Pressed(self))

    def on_click(self, event: events.Click) -> None:
        """Press it."""
        event.stop()
        self.post_message(self.Pressed(self))


Control: TypeAlias = FormLine | FormArea | FormChoice | ReadOnlyText
