"""The help: all keys, those of the current screen first, and the filter syntax."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.content import Content

from ...bindings.contexts import CONTEXT_TITLES, Context
from ...bindings.keymap import Keymap
from ...bindings.keys import key_names
from .text import SearchedDialog

_KEYS_WIDTH = 16

FILTER_EXAMPLES = (
    ("invoice", "text in name, id, arguments, worker, queue, exception or state"),
    (
        "state:failure,retry",
        "any of these; also running, waiting, finished, faulty, revoking",
    ),
    ("name:geo.*  name:~^bill", "the whole name, with * and ?; a regular expression"),
    ("queue:=celery  worker:web", "an exact value; a part of the value"),
    ("runtime:>10s  age:<5m", "a duration: 300ms, 5s, 2m, 1h, 1d"),
    ("finished:<1d  sent:2026-11-01", "how long ago, or a date; A..B is a range"),
    ("!retry  -name:beat", "exclude"),
    ('args:"two words"', "quote text that contains spaces"),
)


class Help(SearchedDialog):
    """All keys, in sections.

    Args:
        keymap: The user's keys.
        contexts: The contexts whose keys come first.
        ascii_only: Whether arrow keys are written as words.
    """

    def __init__(
        self, keymap: Keymap, contexts: Sequence[Context], *, ascii_only: bool = False
    ) -> None:
        super().__init__("Keys")
        self._keymap = keymap
        self.contexts = tuple(contexts)
        self._ascii_only = ascii_only

    def text(self) -> Content:
        """Return the whole text."""
        lines: list[Content] = []
        for context, actions in self._keymap.by_context(self.contexts):
            lines.append(Content.styled(CONTEXT_TITLES[context], "bold $text-primary"))
            for action in actions:
                lines.append(_row(key_names(action, ascii_only=self._ascii_only), action.help))
            lines.append(Content(""))
        lines.append(Content.styled("Filter syntax", "bold $text-primary"))
        lines += [_row(example, meaning, 28) for example, meaning in FILTER_EXAMPLES]
        return Content("\n").join(lines)

    def on_key(self, event: events.Key) -> None:
        """Close with the keys that open the help or leave a screen."""
        closing = self._keymap["help"].keys + self._keymap["quit"].keys
        if event.key in closing or event.character in closing:
            event.stop()
            self.dismiss(None)


def _row(keys: str, meaning: str, width: int = _KEYS_WIDTH) -> Content:
    return Content.assemble(
        "  ", Content.styled(keys.ljust(width), "bold $text-accent"), f"  {meaning}"
    )
