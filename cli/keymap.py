"""The keymap for the settings `keymap` and `keys`; errors name the file and the line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..bindings.action import Action
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
    """Return the actions with keys of the user or of a keymap, each with the source of its keys."""
    found = []
    for action, default in zip(keymap_of(settings).actions, Keymap().actions, strict=True):
        if action.id in settings.keys:
            found.append((action, settings.source("keys", action.id)))
        elif action != default:
            found.append((action, f"keymap {settings.keymap}"))
    return found
