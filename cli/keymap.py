"""The keys that the settings `keymap` and `keys` make, or the place of what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..bindings.actions import Action
from ..bindings.keymap import Keymap, KeymapError
from .exit_codes import InvalidUsage

if TYPE_CHECKING:
    from ..settings import Settings


def keymap_of(settings: Settings) -> Keymap:
    """Return the keymap for these settings.

    Raises:
        InvalidUsage: The named keymap is not available, or an id or key is invalid.
    """
    keymap = Keymap()
    if settings.keymap:
        from ..bindings.plugins import load_keymap

        try:
            keymap = keymap.remapped(load_keymap(settings.keymap))
        except KeymapError as error:
            source = settings.source("keymap")
            raise InvalidUsage(
                f"Cannot use keymap {settings.keymap!r} ({source}): {error}"
            ) from error
    try:
        return keymap.remapped(settings.keys)
    except KeymapError as error:
        source = settings.source("keys", error.action)
        raise InvalidUsage(f"Invalid keys in {source}: {error}") from error


def remapped_actions(settings: Settings) -> list[tuple[Action, str]]:
    """Return the actions whose keys are not the default ones, each with the source of its keys."""
    return [
        (action, settings.source("keys", action.id) if action.id in settings.keys
         else f"keymap {settings.keymap}")
        for action, default in zip(keymap_of(settings).actions, Keymap().actions, strict=True)
        if action.id in settings.keys or action != default
    ]  # fmt: skip
