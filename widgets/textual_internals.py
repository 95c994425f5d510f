"""Every private name of Textual that we use, with the reason. Seen in Textual 8.2.8."""

from __future__ import annotations

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.widget import Widget


def set_virtual_size(widget: ScrollView, size: Size) -> None:
    """Tell a scroll view how much there is to scroll, without a layout of the whole screen.

    `Widget.virtual_size` is a reactive with `layout=True`: with rows arriving each frame it would
    lay out every widget of the screen each time. Only the scrollbar has to know, and
    `_scroll_update` tells it (and asks for a layout by itself when the bar comes or goes).
    """
    widget.set_reactive(Widget.virtual_size, size)
    update = getattr(widget, "_scroll_update", None)
    if update is None:
        widget.virtual_size = size
    else:
        update(size)
