"""Widgets below each other, of which some are mounted when they first have something to show."""

from __future__ import annotations

from collections.abc import Sequence

from textual.widget import AwaitMount, Widget


def mount_among(stack: Sequence[Widget], widget: Widget) -> AwaitMount:
    """Mount a widget of a stack in its place among those that are mounted, at least one."""
    number = stack.index(widget)
    below = next((other for other in stack[number:] if other.is_attached), None)
    above = next((other for other in stack[number::-1] if other.is_attached), None)
    beside = below or above
    assert beside is not None and isinstance(beside.parent, Widget)
    if below is not None:
        return beside.parent.mount(widget, before=below)
    return beside.parent.mount(widget, after=above)
