"""Keymaps that installed packages offer, in the entry point group `celtop.keymaps`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Final

from .keymap import KeymapError, Keys

GROUP: Final = "celtop.keymaps"


def load_keymap(name: str) -> Mapping[str, Keys]:
    """Return the keys that a named keymap gives to actions, by the actions' ids.

    Raises:
        KeymapError: No installed package offers the keymap, or it cannot be loaded.
    """
    offered = entry_points(group=GROUP)
    if name not in offered.names:
        names = ", ".join(sorted(offered.names)) or "none"
        raise KeymapError(f"no installed package provides it; available: {names}")
    try:
        keys = offered[name].load()
    except Exception as error:  # it is the package's own code that is imported
        raise KeymapError(f"it cannot be loaded: {type(error).__name__}: {error}") from error
    if not isinstance(keys, Mapping):
        raise KeymapError(f"{offered[name].value} is not a mapping of action ids to keys")
    return keys
