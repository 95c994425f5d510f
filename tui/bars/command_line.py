"""The command line behind `:`, with completions above it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias

from textual import on
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from ...bindings.contexts import Context
from ...model.text.sanitize import visible
from ...widgets.compat.lazy_suggester import LazySuggester
from ...widgets.compat.screen_picture import ScreenPicture
from ...widgets.compat.visible_input import VisibleInput
from ...widgets.recall import Recall
from ..keymap import bindings

MAX_COMPLETIONS_SHOWN: Final = 12
MAX_WORD_CHARACTERS: Final = 40
MAX_ERROR_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The hints on a line while it is being typed."""

    completions: Sequence[str] = ()
    """Whole lines, best first; one that an argument follows ends with a space."""
    usage: str = ""
    """Name and argument of the command."""
    help: str = ""
    error: str = ""
    """Why it is no command."""


Suggest: TypeAlias = "Callable[[str], Suggestions]"


class _FirstCompletion(LazySuggester):
    """Suggests the first completion of a command line, if it only adds characters."""

    def __init__(self, line: CommandLine) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._line = line

    async def get_suggestion(self, value: str) -> str | None:
        """Return the first completion of a text."""
        found = self._line.suggestions(value).completions
        fits = found and found[0].casefold().startswith(value.casefold())
        return found[0] if fits else None


class CommandLine(Vertical):
    """An input for a command, shown while it is used."""

    CONTEXT: ClassVar[Context] = "command"
    BINDINGS = bindings("command")
    DEFAULT_CSS = """
    CommandLine {
        dock: bottom;
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
        before: ScreenPicture | None
        """The screen before the line was opened."""

    def __init__(self) -> None:
        self.input = VisibleInput(
            select_on_focus=False, compact=True, suggester=_FirstCompletion(self)
        )
        self._advice = Static("", id="advice", markup=False)
        prompt = Static(":", id="prompt", markup=False)
        super().__init__(self._advice, Horizontal(prompt, self.input, id="line"), id="command")
        self._suggest: Suggest = lambda line: Suggestions()
        self.focused_before: Widget | None = None
        """What had the focus before the line."""
        self._before: ScreenPicture | None = None
        self._recall = Recall()
        self._earlier: Sequence[str] = ()

    def open(
        self,
        suggest: Suggest,
        text: str,
        ascii_only: bool,
        earlier: Sequence[str],
        before: ScreenPicture,
    ) -> None:
        """Show the line and focus it at once: a user types on without waiting for a frame.

        Args:
            suggest: Returns completions and help for a line.
            text: The line to begin with.
            ascii_only: Whether only ASCII may be drawn.
            earlier: The commands typed before, the newest last.
            before: The screen before the line is opened.
        """
        self._suggest = suggest
        self._earlier = earlier
        self.set_class(ascii_only, "-ascii")
        if self.screen.focused is not self.input:  # a click opens it again
            self.focused_before = self.screen.focused
            self._before = before
        self.display = True
        self.input.value = text
        self.input.cursor_position = len(text)
        self.screen.set_focus(self.input)
        self._advise(text)

    def suggestions(self, line: str) -> Suggestions:
        """Return the suggestions for a line."""
        return self._suggest(line)

    def action_close(self) -> None:
        """Hide the line, and return the focus."""
        self.display = False
        self.screen.set_focus(self.focused_before)

    def action_run(self) -> None:
        """Run the command."""
        # Letters that are on their way to the input go first.
        self.input.call_later(self._run)

    def _run(self) -> None:
        if self.display:
            self.action_close()
            self.post_message(self.Typed(self.input.value, self._before))

    def action_recall(self, step: int) -> None:
        """Put an older (-1) or newer (1) command into the line."""
        self.input.call_later(self._recall_text, step)

    def _recall_text(self, step: int) -> None:
        line = self.input
        text = self._recall.step(step, line.value, self._earlier)
        if text is not None:
            line.value = text
            line.cursor_position = len(text)

    def action_complete(self) -> None:
        """Complete as much as is unambiguous, otherwise take the first completion."""
        # Letters that are on their way to the input go first.
        self.input.call_later(self._complete)

    def _complete(self) -> None:
        line = self.input
        found = self._suggest(line.value).completions
        if not found:
            return
        common = _common_prefix(found)
        line.value = common if len(common) > len(line.value) else found[0]
        line.cursor_position = len(line.value)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._advise(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._run()

    def _advise(self, line: str) -> None:
        found = self._suggest(line)
        names = [_rest(each, line).rstrip() for each in found.completions]
        words = [visible(name, MAX_WORD_CHARACTERS) for name in names[:MAX_COMPLETIONS_SHOWN]]
        more = len(names) - MAX_COMPLETIONS_SHOWN
        text = "  ".join(words) + (f" and {more} more" if more > 0 else "")
        advice = Content.styled(text, "$text-muted")
        if found.usage:
            title = Content.styled(found.usage, "bold")
            rest = advice if " " in line and words else Content(found.help)
            advice = Content.assemble(title, "  ", rest)
        elif found.error and not words:
            advice = Content.styled(visible(found.error, MAX_ERROR_CHARACTERS), "$text-error")
        self._advice.update(advice)


def _rest(completion: str, line: str) -> str:
    """Return a completion from the word on that is being typed; a name may have several words."""
    start = line.rfind(" ") + 1
    if completion[:start].casefold() == line[:start].casefold():
        return completion[start:]
    return completion.rstrip().rpartition(" ")[2]


def _common_prefix(lines: Sequence[str]) -> str:
    first, last = min(lines), max(lines)
    for index, character in enumerate(first):
        if index >= len(last) or character != last[index]:
            return first[:index]
    return first
