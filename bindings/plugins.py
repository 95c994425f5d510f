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
        keymap = offered[name].load()
        keys = dict(keymap) if isinstance(keymap, Mapping) else None
    except (Exception, SystemExit) as error:  # it is the package's own code that is run
        raise KeymapError(f"it cannot be loaded: {type(error).__name__}: {error}") from error
    if keys is None or not all(isinstance(id_, str) for id_ in keys):
        raise KeymapError(f"{offered[name].value} is not a mapping of action ids to keys")
    for id_, wanted in keys.items():
        texts = wanted if isinstance(wanted, list | tuple) else [wanted]
        if not all(isinstance(text, str) for text in texts):
            raise KeymapError(f"{id_}: {wanted!r} is neither a key nor a list of keys", id_)
    return keys
