"""The help: the keys of the screen by purpose, the filter syntax, and all other keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Final

from rich.cells import cell_len
from textual import events
from textual.content import Content

from ...bindings.action import Action
from ...bindings.contexts import CONTEXT_TITLES, Context
from ...bindings.keymap import Keymap
from ...bindings.keys import key_names
from ...bindings.purposes import by_purpose, is_brief
from .text import LongText

_KEYS_WIDTH: Final = 10
_EXAMPLES_WIDTH: Final = 28
_FRAME_WIDTH: Final = 8
_MIN_MEANING_WIDTH: Final = 20
_GAP: Final = "   "

FILTER_EXAMPLES = (
    ("invoice", "text in name, id, arguments, worker, queue, exception or state"),
    (
        "state:failure,retry",
        "any of these; also running, waiting, finished, faulty, revoking",
    ),
    ("name:geo.*  name:~^bill", "the whole name, with * and ?; a regular expression"),
    ("queue:=celery  worker:web", "an exact value; a part of the value"),
    ("runtime:>10s  age:<5m", "a duration: 300ms, 5s, 2m, 1h, 1d"),
    ("finished:<1d  sent:2026-11-01", "how long ago, or a day; also today, yesterday, A..B"),
    ("!retry  -name:beat", "exclude"),
    ('args:"two words"', "quote text that contains spaces"),
)


class Help(LongText):
    """The keys that work on a screen, then the filter syntax and the keys of other screens.

    Args:
        keymap: The user's keys.
        contexts: The contexts of the screen.
        ascii_only: Whether arrow keys are written as words.
        width: Cells of the terminal.
    """

    def __init__(
        self,
        keymap: Keymap,
        contexts: Sequence[Context],
        *,
        ascii_only: bool = False,
        width: int = 104,
    ) -> None:
        super().__init__("Keys")
        self._keymap = keymap
        self.contexts = tuple(contexts)
        self._ascii_only = ascii_only
        self._width = min(width, 104) - _FRAME_WIDTH

    def text(self) -> Content:
        """Return the whole text."""
        return Content("\n").join(self.parts())

    def parts(self) -> Sequence[Content]:
        """Return the keys that work here, the filter syntax, and the keys of other screens."""
        sections = self._here(), self._filters(), self._elsewhere()
        return [Content("\n").join(lines) for lines in sections]

    def _here(self) -> Iterator[Content]:
        search, close = self._keymap.key("search"), self._keymap.key("dialog.close")
        yield Content.styled(f"{search} searches this help, {close} closes it", "$text-muted")
        actions = [each for each in self._keymap.in_context("global", *self.contexts) if each.keys]
        for title, its in by_purpose(actions):
            yield _title(title)
            for action in its:
                if not is_brief(action):
                    yield from self._row(self._keys(action), _meaning(action))
            yield from self._flow([action for action in its if is_brief(action)])

    def _flow(self, actions: Sequence[Action]) -> Iterator[Content]:
        """Yield lines of keys with their labels, as many on each as fit."""
        parts: list[tuple[str, str]] = []
        used = 0
        for action in actions:
            keys = self._keys(action)
            size = cell_len(keys) + len(action.label) + 1 + len(_GAP)
            if used and used + size > self._width:
                yield Content.assemble(*parts)
                parts, used = [], 0
            before = _GAP if used else "  "
            parts += [(before, ""), (keys, "bold $text-accent"), (f" {action.label}", "")]
            used += size
        if used:
            yield Content.assemble(*parts)

    def _filters(self) -> Iterator[Content]:
        yield Content("")
        yield _title("Filter syntax")
        for example, meaning in FILTER_EXAMPLES:
            yield from self._row(example, meaning, _EXAMPLES_WIDTH)

    def _elsewhere(self) -> Iterator[Content]:
        here = set(self._keymap.in_context("global", *self.contexts))
        for context, actions in self._keymap.by_context(self.contexts):
            others = [action for action in actions if action not in here]
            if others:
                yield Content("")
                yield _title(f"Elsewhere: {CONTEXT_TITLES[context]}")
                for action in others:
                    yield from self._row(self._keys(action), _meaning(action))

    def _row(self, keys: str, meaning: str, width: int = _KEYS_WIDTH) -> Iterator[Content]:
        """Yield keys with their meaning, on as many lines as it needs."""
        width = max(width, cell_len(keys))
        room = max(_MIN_MEANING_WIDTH, self._width - width - 4)
        first, *others = wrap(meaning, room) if len(meaning) > room else [meaning]
        styled = Content.styled(keys.ljust(width), "bold $text-accent")
        yield Content.assemble("  ", styled, f"  {first}")
        for line in others:
            yield Content(" " * (width + 4) + line)

    def _keys(self, action: Action) -> str:
        return key_names(action, ascii_only=self._ascii_only)

    def on_key(self, event: events.Key) -> None:
        """Close with the keys that open the help or leave a screen."""
        closing = self._keymap["help"].keys + self._keymap["quit"].keys
        if event.key in closing or event.character in closing:
            event.stop()
            self.dismiss(None)


def _meaning(action: Action) -> str:
    """Return the help of an action, preceded by its label unless it contains that."""
    label = action.label.strip(".")
    return action.help if label in action.help.lower() else f"{label.capitalize()}: {action.help}"


def _title(text: str) -> Content:
    return Content.styled(text, "bold $text-primary")
