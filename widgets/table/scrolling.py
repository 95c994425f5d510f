"""Cursor motions for widgets that only scroll."""

from __future__ import annotations

from textual.widget import Widget

from .viewport import Motion


def scroll(widget: Widget, motion: Motion) -> None:
    """Scroll a widget at once, without animation."""
    page = max(1, widget.scrollable_content_region.height - 1)
    step = {
        "down": 1,
        "up": -1,
        "page_down": page,
        "page_up": -page,
        "half_down": max(1, page // 2),
        "half_up": -max(1, page // 2),
        "top": -widget.max_scroll_y,
        "bottom": widget.max_scroll_y,
    }[motion]
    widget.scroll_to(y=widget.scroll_offset.y + step, animate=False)
