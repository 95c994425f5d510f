"""The table of actions as Textual's bindings, and a user's keys as its keymap."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType

from ..bindings.action import Action
from ..bindings.contexts import Context
from ..bindings.keymap import Keymap
from ..bindings.keys import key_name

NO_KEY: Final = "unbound"
"""A key that no keyboard has: Textual's keymap cannot leave an action without a key."""


def bindings(*contexts: Context) -> list[BindingType]:
    """Return the bindings of some contexts, for a `BINDINGS` class variable."""
    return [_binding(action) for action in Keymap().in_context(*contexts)]


def textual_keymap(keymap: Keymap) -> dict[str, str]:
    """Return the keys that differ from the defaults, for `App.set_keymap`."""
    return {
        action.id: ",".join(map(_textual_name, action.keys)) or NO_KEY
        for action, default in zip(keymap.actions, Keymap().actions, strict=True)
        if action != default
    }


def _binding(action: Action) -> Binding:
    return Binding(
        ",".join(map(_textual_name, action.keys)),
        action.action,
        action.label,
        show=action.show,
        key_display=key_name(action.keys[0]),
        priority=action.priority,
        tooltip=action.help,
        id=action.id,
    )


def _textual_name(key: str) -> str:
    return "comma" if key == "," else key
