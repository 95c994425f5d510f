"""The line behind `:`, with what it may become above it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from ...model.text import visible
from ..commands import CommandError, completions, find
from .dialog import Dialog

if TYPE_CHECKING:
    from ..app import CeltopApp

_SHOWN = 12


class CommandLine(Dialog[str]):
    """Returns the line that was typed."""

    def __init__(self, text: str = "") -> None:
        super().__init__("")
        self._text = text

    def compose_box(self) -> ComposeResult:
        """Put the advice above the line."""
        yield Static("", id="advice", markup=False)
        with Horizontal(id="line"):
            yield Static(":", id="prompt", markup=False)
            yield Input(self._text, id="command", select_on_focus=False)

    def on_mount(self) -> None:
        """Say what there is."""
        self._advise(self._text)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what it may become."""
        self._advise(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Return the line."""
        event.stop()
        self.dismiss(event.value)

    def action_accept(self) -> None:
        """Return the line."""
        self.dismiss(self.query_one(Input).value)

    def action_complete(self) -> None:
        """Type as much as is certain."""
        line = self.query_one(Input)
        found = completions(self._app, line.value)
        if not found:
            return
        common = _common(found)
        longer = common if len(common) > len(line.value) else found[0]
        line.value = longer + (" " if len(found) == 1 and self._takes_more(longer) else "")
        line.cursor_position = len(line.value)

    @property
    def _app(self) -> CeltopApp:
        return cast("CeltopApp", self.app)

    def _takes_more(self, line: str) -> bool:
        return " " not in line and bool(find(line).argument)

    def _advise(self, line: str) -> None:
        found = completions(self._app, line)
        words = [visible(each.rpartition(" ")[2], 40) for each in found[:_SHOWN]]
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        advice = Content.styled("  ".join(words) + more, "$text-muted")
        try:
            command = find(line.split(" ")[0]) if line else None
        except CommandError as error:
            if not found:
                advice = Content.styled(visible(str(error), 200), "$text-error")
        else:
            if command is not None:
                title = Content.styled(f"{command.name} {command.argument}", "bold")
                rest = Content.assemble("   ", advice) if " " in line and words else Content("")
                advice = Content.assemble(title, f"  {command.help}", rest)
        self.query_one("#advice", Static).update(advice)


def _common(lines: list[str]) -> str:
    first, last = min(lines), max(lines)
    for index, character in enumerate(first):
        if index >= len(last) or character != last[index]:
            return first[:index]
    return first
