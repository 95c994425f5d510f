"""Screens that are first displayed when nothing changes their layout any more.

It overrides private methods of `Screen`. Tested with Textual 8.2.8.
"""

from __future__ import annotations

import time
from typing import Final, TypeVar

from textual import events, messages
from textual.geometry import Size
from textual.message import Message
from textual.screen import Screen
from textual.scrollbar import ScrollBar
from textual.widget import Widget

R = TypeVar("R")

MAX_LAYOUTS: Final = 4
"""Layouts after which a new screen is displayed even if another one is due."""


class SettledScreen(Screen[R], inherit_bindings=False):
    """A screen that is displayed when its widgets have their contents and their final sizes.

    Textual displays a screen after each layout: empty at first, then with what `on_mount` shows,
    then with what follows from the sizes. Drawing all of it each time takes most of the time until
    the last one. Meanwhile the terminal shows the screen before.
    """

    settled = False
    """Whether it is displayed, or will be with the next update of the terminal."""
    _layouts = 0
    """The layouts since it was mounted."""
    _laid_out_at = 0.0
    """When the last one began, in monotonic seconds."""
    _laid_out_size = Size()
    """The size of the terminal for it."""

    def post_message(self, message: Message) -> bool:
        """Leave out what is asked for anyway: all of it is drawn when it is displayed."""
        if isinstance(message, messages.Update) and not self.settled and self.is_current:
            return False
        return super().post_message(message)

    def lay_out(self) -> None:
        """Lay out the mounted widgets: what shows their contents then knows their sizes."""
        if self.focused is not None and self.app.app_focus:
            # Its event arrives after the layout: its contents would be drawn and styled twice.
            self.focused.has_focus = True
        for rack in self.query_children("ToastRack"):
            # Textual hides it some time later, which would need another layout than this.
            rack.display = bool(self.app._notifications)
        for widget in self._changed:
            widget._check_refresh()  # when it is idle, it would ask for another one
        self._is_mounted = True  # or else the layout would be empty; it is set after `on_mount`
        self._refresh_layout(self.app.size)
        self._layout_required = False  # asked for by those that were mounted
        self._repaint_required = True
        self.check_idle()

    def lay_out_changes(self) -> None:
        """Lay out at once what has changed since `lay_out`, unless the screen is displayed.

        What is drawn then has its final size: otherwise it would be drawn in two sizes.
        """
        if not self.settled and self._changed:
            self.lay_out()

    @property
    def _changed(self) -> list[Widget]:
        """The widgets that have yet to ask for a layout."""
        return [widget for widget in self.walk_children(Widget) if widget._layout_required]

    def settle(self) -> None:
        """Show what depends on sizes; called after each layout until it is displayed."""

    def displayed(self) -> None:
        """Do what can wait until then; called when it has been displayed for the first time."""

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Style no widget again: classes, focus and theme have styled it when they changed."""
        event.refresh_styles = False

    def _refresh_layout(self, size: Size | None = None, scroll: bool = False) -> None:
        self._laid_out_at = time.monotonic()
        self._laid_out_size = self.outer_size if size is None else size
        self._layouts += 1
        super()._refresh_layout(size, scroll)

    async def _on_layout(self, message: messages.Layout) -> None:
        # Each widget asks for a layout when it is mounted; all of them may have had it, as has a
        # scrollbar, which is made by a layout and shown by the one that the widget asks for.
        is_due = message.time >= self._laid_out_at and not isinstance(message.widget, ScrollBar)
        if self.settled or is_due:
            await super()._on_layout(message)
        else:
            message.stop()
            message.prevent_default()

    def _screen_resized(self, size: Size) -> None:
        # Textual lays a screen out again because the first layout has given it a size. It also
        # takes that event in place of one of the terminal that came before it, which is then lost:
        # the size of the app is always the newest.
        if self._laid_out_size != self.app.size:
            super()._screen_resized(self.app.size)

    def _compositor_refresh(self) -> None:
        if self.settled or not self.is_current:
            super()._compositor_refresh()

    def _on_timer_update(self) -> None:
        if self.settled or not self.is_current:
            super()._on_timer_update()
            return
        due = self._layout_required
        self.settled = not due or self._layouts >= MAX_LAYOUTS
        self._repaint_required = True
        super()._on_timer_update()
        if self.settled:
            self.displayed()
        else:
            self.settle()
            self._repaint_required = True
            self.check_idle()
