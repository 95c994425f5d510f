"""The names of keys: as Textual has them, and as people read and write them."""

from __future__ import annotations

import difflib
from typing import Final

from .action import Action

MODIFIERS: Final = frozenset({"alt", "ctrl", "shift"})
NAMED_KEYS: Final = frozenset(
    (
        *("backspace", "delete", "down", "end", "enter", "escape", "home", "insert", "left"),
        *("pagedown", "pageup", "right", "space", "tab", "up"),
        *(f"f{number}" for number in range(1, 25)),
    )
)

_SHOWN_NAMES: Final = {
    "escape": "esc",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "down": "↓",
    "up": "↑",
    "left": "←",
    "right": "→",
    "f1": "F1",
}
_KEYS_BY_SHOWN_NAME: Final = {name.lower(): key for key, name in _SHOWN_NAMES.items()}


def key_name(key: str, *, ascii_only: bool = False) -> str:
    """Return a key as people write it: `esc`, `PgDn`, `ctrl+d`; arrows as such, or as words."""
    name = _SHOWN_NAMES.get(key, key)
    return name if name.isascii() or not ascii_only else key


def key_names(action: Action, *, ascii_only: bool = False) -> str:
    """Return all keys of an action, in one short text."""
    return " ".join(key_name(key, ascii_only=ascii_only) for key in action.keys)


def parse_key(text: str) -> str:
    """Return a key, as a person or `key_name` writes it, as Textual names it: `pagedown`.

    Raises:
        ValueError: There is no such key; the message names what to write instead.
    """
    if len(text) == 1 and text.isprintable() and not text.isspace():
        return _KEYS_BY_SHOWN_NAME.get(text, text)
    *modifiers, key = text.lower().split("+")
    key = _KEYS_BY_SHOWN_NAME.get(key, key)
    # Shift alone makes another character, which is written as itself.
    modified_character = len(key) == 1 and key.isalnum() and {"alt", "ctrl"} & set(modifiers)
    if set(modifiers) <= MODIFIERS and (key in NAMED_KEYS or modified_character):
        return "+".join((*sorted(set(modifiers)), key))
    near = difflib.get_close_matches(key, NAMED_KEYS, n=1)
    advice = (
        f"did you mean {near[0]!r}?" if near else "write 'x', 'X', 'ctrl+x', 'f5' or 'pagedown'"
    )
    raise ValueError(f"unknown key {text!r}; {advice}")
