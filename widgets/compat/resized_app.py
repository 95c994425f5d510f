"""Following a terminal that is resized several times at once.

It overrides private methods of `App` and calls one of `Driver`. Tested with Textual 8.2.8.
"""

from __future__ import annotations

from textual import events
from textual.geometry import Size

from .mounting_app import MountingApp


class ResizedApp(MountingApp, inherit_bindings=False):
    """An app that has the size of its terminal, and draws all of it after each resize."""

    async def _on_resize(self, event: events.Resize) -> None:
        # It is called before that of `App`. The handler of a signal can be interrupted by another
        # one after it has read the size, and then sends an old size last.
        read_size = getattr(self._driver, "_get_terminal_size", None)
        if read_size is not None:
            event.size = Size(*read_size())

    def _check_resize(self) -> None:
        if self._resize_event is not None and self._screen_stack:
            # A terminal that had another size for a moment has lost what was outside of it, even
            # if the size is that of the last layout again.
            self.screen.refresh()
        super()._check_resize()
