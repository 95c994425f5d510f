"""The table of actions as Textual's bindings."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from ..bindings.actions import Action, Context
from ..bindings.keys import in_context, key_name


def bindings(*contexts: Context) -> list[BindingType]:
    """Return the bindings of some contexts, for a `BINDINGS` class variable."""
    return [_binding(action) for action in in_context(*contexts)]


def _binding(action: Action) -> Binding:
    return Binding(
        ",".join(action.keys),
        action.action,
        action.label,
        show=action.show,
        key_display=key_name(action.keys[0]),
        priority=action.priority,
        tooltip=action.help,
        id=action.id,
    )
