"""Lines that are typed into are mounted when they are first opened: each widget costs time."""

from __future__ import annotations

from textual.widget import AwaitMount, Widget


def mount_line(line: Widget, place: Widget, after: Widget | str | None = None) -> AwaitMount:
    """Mount a line, if that is not done or about to be; to be awaited before it is opened.

    Args:
        line: The line.
        place: What it belongs to.
        after: The widget there that it comes below, or its selector; None for the last.
    """
    return AwaitMount(place, [line]) if line.is_attached else place.mount(line, after=after)
