"""An action that a key can start."""

from __future__ import annotations

from dataclasses import dataclass

from .contexts import Context


@dataclass(frozen=True, slots=True)
class Action:
    """An action with its keys and its texts for footer, help, palette and README."""

    id: str
    """Stable: `[keys]` in the config file refers to it."""
    keys: tuple[str, ...]
    """In Textual's notation: a character, `ctrl+d`, `pagedown`; empty if it has no key."""
    action: str
    """The action in Textual's notation: a method's name, with any arguments: `view('tasks')`."""
    label: str
    """One or two words, for the footer."""
    help: str
    contexts: tuple[Context, ...]
    show: bool = False
    """Whether the footer shows it."""
    priority: bool = False
    """Whether it takes its keys before the focused widget, and in every context."""
    mutates: bool = False
    """Whether it changes the cluster, and so is refused in read-only mode."""
