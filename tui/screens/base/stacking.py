"""Widgets below each other, of which some are mounted when they first have something to show."""

from __future__ import annotations

from collections.abc import Sequence

from textual.widget import AwaitMount, MountError, Widget


def mount_among(stack: Sequence[Widget], widget: Widget) -> AwaitMount:
    """Mount a widget of a stack in its place among those that are mounted.

    Raises:
        MountError: None of them is mounted, as when the app ends while they are being mounted.
    """
    number = stack.index(widget)
    below = next((other for other in stack[number:] if other.is_attached), None)
    above = next((other for other in stack[number::-1] if other.is_attached), None)
    beside = below or above
    if beside is None or not isinstance(beside.parent, Widget):
        raise MountError("no other widget of the stack is mounted")
    if below is not None:
        return beside.parent.mount(widget, before=below)
    return beside.parent.mount(widget, after=above)
