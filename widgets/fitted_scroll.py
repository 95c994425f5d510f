"""A scrolled text without a scrollbar that it needs only because of the scrollbar."""

from __future__ import annotations

from textual import events
from textual.containers import VerticalScroll


class FittedScroll(VerticalScroll):
    """Scrolls what is inside, and has no scrollbar as soon as all of it fits.

    Textual measures the content in the width that a scrollbar leaves as long as there is one: its
    lines are shorter, so that it keeps the scrollbar in a terminal that has grown.
    """

    def on_resize(self, event: events.Resize) -> None:
        """Hide a scrollbar without which the content fits."""
        width, height = room = self.container_size
        if (
            self.show_vertical_scrollbar
            and self.styles.overflow_y == "auto"
            and self.get_content_height(room, self.app.size, width) <= height
        ):
            self.show_vertical_scrollbar = False
