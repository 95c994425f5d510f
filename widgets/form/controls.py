"""What the fields of a form are typed into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from textual import events
from textual.content import Content
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Static, TextArea

from ...model.text.sanitize import visible

OFFERED: Final = 200
"""How many completions are stepped through."""


class _Completer(Suggester):
    """Completes what is typed from a list, as far as that is the beginning of something."""

    def __init__(self, options: Sequence[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._options = options

    async def get_suggestion(self, value: str) -> str | None:
        """Return the first option that begins so."""
        return next((option for option in self._options if option.startswith(value)), None)


class FormLine(Input):
    """One line of text; down and up step through what it may be completed to.

    Args:
        text: What stands there.
        options: What it may be completed to; what a terminal cannot show is not offered.
    """

    @dataclass
    class Left(Message):
        """The user goes to another field."""

        step: int

    def __init__(self, text: str = "", options: Sequence[str] = ()) -> None:
        self.options = [option for option in options if option.isprintable()]
        super().__init__(
            text,
            suggester=_Completer(self.options) if self.options else None,
            # A number is replaced by what is typed; a name is gone on with.
            select_on_focus=not self.options,
            compact=True,
            classes="control",
        )
        self._begun: str | None = None
        """What was typed before completions were stepped through."""
        self._offered: str | None = None

    @property
    def text(self) -> str:
        """What stands there."""
        return self.value

    def put(self, text: str) -> None:
        """Replace what stands there."""
        self.value = text
        self.cursor_position = len(text)

    def matches(self, begun: str) -> list[str]:
        """Return the options that hold a text, those that begin with it first."""
        low = begun.lower()
        found = [option for option in self.options if low in option.lower()]
        found.sort(key=lambda option: not option.lower().startswith(low))
        return found[:OFFERED]

    def on_key(self, event: events.Key) -> None:
        """Step through the completions, or go to another field."""
        if event.key not in ("down", "up"):
            return
        event.stop()
        event.prevent_default()
        step = 1 if event.key == "down" else -1
        if not self.options:
            self.post_message(self.Left(step))
            return
        if self._offered is None or self.value != self._offered:
            self._begun = self.value
        found = self.matches(self._begun or "")
        if not found:
            return
        at = found.index(self.value) + step if self.value in found else 0 if step > 0 else -1
        self._offered = found[at % len(found)]
        self.put(self._offered)

    def on_paste(self, event: events.Paste) -> None:
        """Take a pasted line as harmless text."""
        event.stop()
        event.prevent_default()
        lines = event.text.strip().splitlines()
        if lines:
            self.replace(visible(lines[0]), *self.selection)


class FormArea(TextArea):
    """Several lines of text; enter submits, since what is typed here needs no line breaks."""

    class Submitted(Message):
        """Enter was pressed."""

    def __init__(self, text: str = "") -> None:
        super().__init__(
            text, compact=True, highlight_cursor_line=False, tab_behavior="focus", classes="control"
        )

    def put(self, text: str) -> None:
        """Replace what stands there."""
        self.text = text

    def on_key(self, event: events.Key) -> None:
        """Submit."""
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            self.post_message(self.Submitted())

    def on_paste(self, event: events.Paste) -> None:
        """Take pasted text with its hidden characters written out."""
        from ...model.text.parse_json import escaped

        event.stop()
        event.prevent_default()
        text = event.text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "  ")
        self.replace(escaped(text), *self.selection)


class FormChoice(Static, can_focus=True):
    """One of a few words; left, right and space change it."""

    ALLOW_SELECT = False

    class Changed(Message):
        """Another word is chosen."""

    class Submitted(Message):
        """Enter was pressed."""

    def __init__(self, options: Sequence[str], text: str = "") -> None:
        super().__init__(markup=False, classes="control")
        self.options = tuple(options)
        self.text = text if text in self.options else self.options[0]

    def on_mount(self) -> None:
        """Show what is chosen."""
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
    """A text that is shown, cut, and cannot be changed."""

    def __init__(self, text: str) -> None:
        super().__init__(Content.styled(visible(text, 60), "$text-muted"), markup=False)
        self.add_class("control")
        self.text = text

    def put(self, text: str) -> None:
        """Leave it as it is."""


Control: TypeAlias = FormLine | FormArea | FormChoice | ReadOnlyText
