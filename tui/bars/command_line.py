"""The line behind `:`, with what it may become above it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from ...bindings.actions import Context
from ...model.text.sanitize import visible
from ..commands.table import CommandError, completions, find
from ..keymap import bindings

if TYPE_CHECKING:
    from ..app import CeltopApp

_SHOWN: Final = 12


class CommandLine(Vertical):
    """A line to type a command into, there only while it is needed."""

    CONTEXT: ClassVar[Context] = "command"
    BINDINGS: ClassVar[list[BindingType]] = bindings("command")
    DEFAULT_CSS = """
    CommandLine {
        dock: bottom;
        display: none;
        height: auto;
        border-top: solid $primary;
        background: $panel;
        padding: 0 1;
        & #line { height: 1; }
        & #prompt { width: 1; color: $text-accent; text-style: bold; }
        & #advice { height: 1; }
        & Input { background: $panel; }
        &.-ascii { border-top: ascii $primary; }
    }
    """

    @dataclass
    class Typed(Message):
        """A command was typed."""

        line: str

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._before: Widget | None = None

    def compose(self) -> ComposeResult:
        """Put the advice above the line."""
        yield Static("", id="advice", markup=False)
        with Horizontal(id="line"):
            yield Static(":", id="prompt", markup=False)
            yield Input(select_on_focus=False, compact=True)

    def ask(self, text: str = "") -> None:
        """Take the keys, at once: a person types on without waiting for a frame."""
        self.set_class(self._app.context.ascii, "-ascii")
        self._before = self.screen.focused
        self.display = True
        line = self.query_one(Input)
        line.value = text
        line.cursor_position = len(text)
        self.screen.set_focus(line)
        self._advise(text)

    def action_close(self) -> None:
        """Go away and give the keys back."""
        self.display = False
        self.screen.set_focus(self._before)

    def action_run(self) -> None:
        """Do what was typed."""
        # Letters may still be on their way to the line: they go first.
        self.query_one(Input).call_later(self._run)

    def _run(self) -> None:
        if self.display:
            self.action_close()
            self.post_message(self.Typed(self.query_one(Input).value))

    def action_complete(self) -> None:
        """Type as much as is certain."""
        line = self.query_one(Input)
        found = completions(self._app, line.value)
        if not found:
            return
        common = _common(found)
        longer = common if len(common) > len(line.value) else found[0]
        line.value = longer + (" " if len(found) == 1 and _takes_more(longer) else "")
        line.cursor_position = len(line.value)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._advise(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._run()

    @property
    def _app(self) -> CeltopApp:
        return cast("CeltopApp", self.app)

    def _advise(self, line: str) -> None:
        found = completions(self._app, line)
        words = [visible(each.rpartition(" ")[2], 40) for each in found[:_SHOWN]]
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        advice = Content.styled("  ".join(words) + more, "$text-muted")
        try:
            command = find(line.split(" ")[0]) if line.strip() else None
        except CommandError as error:
            if not found:
                advice = Content.styled(visible(str(error), 200), "$text-error")
        else:
            if command is not None:
                title = Content.styled(f"{command.name} {command.argument}", "bold")
                rest = Content.assemble("   ", advice) if " " in line and words else Content("")
                advice = Content.assemble(title, f"  {command.help}", rest)
        self.query_one("#advice", Static).update(advice)


def _takes_more(line: str) -> bool:
    return " " not in line and bool(find(line).argument)


def _common(lines: list[str]) -> str:
    first, last = min(lines), max(lines)
    for index, character in enumerate(first):
        if index >= len(last) or character != last[index]:
            return first[:index]
    return first
