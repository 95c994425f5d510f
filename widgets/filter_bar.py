"""A filter line: the filter applies while it is typed, and invalid terms are underlined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from rich.highlighter import Highlighter
from rich.style import Style as RichStyle
from rich.text import Text
from textual import events, on
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.style import Style
from textual.timer import Timer
from textual.widgets import Input, Static

from ..model.query.completion import Completion
from ..model.query.language import Problem
from ..model.text.sanitize import visible
from .compat.lazy_suggester import LazySuggester
from .compat.visible_input import VisibleInput
from .recall import Recall

Complete: TypeAlias = Callable[[str], Sequence[Completion]]
MAX_SHOWN: Final = 20
"""Completions in the list; what the width does not show is cut."""
MAX_LABEL: Final = 40
"""Characters of a completion in the list."""
DEBOUNCE: Final = 0.05
"""Seconds after the last key until the filter applies."""


class _ProblemMarks(Highlighter):
    """Underlines invalid terms."""

    def __init__(
        self, problems: Callable[[str], Sequence[Problem]], style: Callable[[], RichStyle]
    ) -> None:
        self._problems = problems
        self._style = style

    def highlight(self, text: Text) -> None:
        for problem in self._problems(text.plain):
            text.stylize(self._style(), problem.start, problem.end)


class _FirstCompletion(LazySuggester):
    """Suggests the first completion, if it only adds characters."""

    def __init__(self, complete: Complete) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._complete = complete

    async def get_suggestion(self, value: str) -> str | None:
        """Return the first completion of a text."""
        found = self._complete(value)
        return found[0].text if found and found[0].extends else None


class FilterBar(Vertical):
    """An input with the completions or problems of its text below.

    Args:
        problems: Returns the problems of a text.
        complete: Returns the completions of a text, the best first.
        earlier: Returns the filters typed before, the newest last.
        placeholder: The text shown while the input is empty.
    """

    DEFAULT_CSS = """
    FilterBar {
        height: auto;
        & Input { background: $surface; }
        & Static { height: 1; display: none; }
        &.-problem Static { display: block; }
        /* Without a rule for the bar itself Textual does not restyle its children. */
        &:focus-within { height: auto; }
        &.-completes:focus-within Static { display: block; }
    }
    """

    @dataclass
    class Changed(Message):
        """The filter changed."""

        text: str

    @dataclass
    class Submitted(Message):
        """Enter was pressed."""

        text: str

    @dataclass
    class Dismissed(Message):
        """Escape was pressed."""

    def __init__(
        self,
        problems: Callable[[str], Sequence[Problem]],
        *,
        complete: Complete | None = None,
        earlier: Callable[[], Sequence[str]] = tuple,
        placeholder: str = "",
        id: str | None = None,  # noqa: A002 - Textual's own name for it
    ) -> None:
        self.input = VisibleInput(
            placeholder=placeholder,
            highlighter=_ProblemMarks(self._certain_problems, self._problem_style),
            suggester=_FirstCompletion(self._complete_text),
            select_on_focus=False,
            compact=True,
        )
        self._advice = Static(markup=False)
        super().__init__(
            self.input, self._advice, id=id, classes="" if complete is None else "-completes"
        )
        self._problems = problems
        # The list, the text behind the cursor and the underlines each need those of one text.
        self._completions: Complete = lru_cache(maxsize=1)(complete or (lambda text: ()))
        self._earlier = earlier
        self._recall = Recall()
        self._cycle: tuple[Sequence[Completion], int] | None = None
        """The completions that are stepped through, and the one in the input."""
        self._timer: Timer | None = None
        self._posted = ""

    @property
    def text(self) -> str:
        """The typed text."""
        return self.input.value

    def show(self, text: str) -> None:
        """Show a text that is applied already."""
        self._posted = text
        self._put(text)

    def edit(self, text: str | None = None) -> None:
        """Focus the input, with a new text if given."""
        if text is not None:
            self.show(text)
        self.input.focus()

    def complete(self, step: int) -> bool:
        """Put the next (1) or previous (-1) completion into the input; False if there is none."""
        text = self.text
        if self._cycle is not None and self._cycle[0][self._cycle[1]].text == text:
            found, at = self._cycle
            at = (at + step) % len(found)
        else:
            found = self._completions(text)
            at = 0 if step > 0 else len(found) - 1
        if not found:
            return False
        # The values of a completed field are the next completions.
        self._cycle = None if found[at].text.endswith(":") else (found, at)
        self._put(found[at].text)
        return True

    def recall(self, step: int) -> bool:
        """Put the older (-1) or newer (1) filter into the input; False if there is none."""
        text = self._recall.step(step, self.text, self._earlier())
        if text is not None:
            self._put(text)
        return text is not None

    def _put(self, text: str) -> None:
        self.input.value = text
        self.input.cursor_position = len(text)

    def _complete_text(self, text: str) -> Sequence[Completion]:
        return self._completions(text)

    def _problem_style(self) -> RichStyle:
        return Style.parse("underline $text-error", self.app.theme_variables).rich_style

    def _certain_problems(self, text: str) -> Sequence[Problem]:
        """Return the problems, without that of a word which is still being typed."""
        problems = self._problems(text)
        if problems and problems[-1].end == len(text) and self.has_focus_within:
            return problems[:-1] if self._completions(text) else problems
        return problems

    def on_descendant_focus(self) -> None:
        """Show the completions."""
        self._advise(self.text)

    def on_descendant_blur(self) -> None:
        """Show the problems."""
        self._advise(self.text)

    def _advise(self, text: str) -> None:
        """Show the completions while the line is typed, otherwise its problems."""
        problems = self._problems(text)
        self.set_class(bool(problems), "-problem")
        found: Sequence[Completion] = ()
        at = 0
        if self.input.has_focus:
            if self._cycle is not None and self._cycle[0][self._cycle[1]].text == text:
                found, at = self._cycle
            else:
                found = self._completions(text)
        if found:
            shown = found[at : at + MAX_SHOWN]
            labels = [Content.styled(visible(shown[0].label, MAX_LABEL), "$text-accent")]
            labels += [
                Content.styled(visible(one.label, MAX_LABEL), "$text-muted") for one in shown[1:]
            ]
            self._advice.update(Content("  ").join(labels))
        else:
            messages = "; ".join(problem.message for problem in problems)
            self._advice.update(Content.styled(visible(messages), "$text-error"))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._advise(event.value)
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(DEBOUNCE, self._apply)

    @on(Input.Submitted)
    def _finished(self, event: Input.Submitted) -> None:
        event.stop()
        self._apply()
        self.post_message(self.Submitted(self.text))

    def on_key(self, event: events.Key) -> None:
        """Post `Dismissed` on escape, unless the app binds the key."""
        if event.key == "escape":
            event.stop()
            if self._timer is not None:
                self._timer.stop()
            self.post_message(self.Dismissed())

    def _apply(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self.text != self._posted:
            self._posted = self.text
            self.post_message(self.Changed(self._posted))
