"""What the buttons of the mouse do, whatever they hit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.app import App
from textual.css.query import NoMatches
from textual.errors import NoWidget
from textual.events import MouseDown

from ...widgets.table.live_table import LiveTable
from ..dialogs.base import Dialog
from ..screens.base.screen import MonitorScreen

if TYPE_CHECKING:
    from typing import Any

    from textual.events import MouseUp
    from textual.geometry import Offset
    from textual.screen import Screen

LEFT: Final = 1
RIGHT: Final = 3


class MouseButtons:
    """Drops presses that are not meant for what they hit.

    The second press of a double click must not hit a dialog that the first one has opened, nor what
    was below a dialog that the first one has closed. Only the left button presses anything.
    """

    def __init__(self) -> None:
        self._screen: Screen[Any] | None = None
        self._place: Offset | None = None
        self._pressed_at = 0.0
        self._drops = False

    def takes(self, event: MouseDown | MouseUp, screen: Screen[Any]) -> bool:
        """Return whether a screen may have a press or release of a button."""
        if event.button != LEFT:
            return False
        if isinstance(event, MouseDown):
            again = event.time - self._pressed_at <= App.CLICK_CHAIN_TIME_THRESHOLD
            again = again and event.screen_offset == self._place
            has_dialog = isinstance(screen, Dialog) or isinstance(self._screen, Dialog)
            self._drops = again and has_dialog and screen is not self._screen
            if not self._drops:
                self._screen = screen
            self._place, self._pressed_at = event.screen_offset, event.time
        return not self._drops


def selects_row(event: MouseDown | MouseUp, screen: Screen[Any]) -> bool:
    """Move to the row of a list under the right button; return whether there is one."""
    if not isinstance(event, MouseDown) or event.button != RIGHT:
        return False
    if not isinstance(screen, MonitorScreen) or screen.typing is not None:
        return False
    try:
        widget = screen.get_widget_at(*event.screen_offset)[0]
    except (NoWidget, NoMatches):
        return False
    if not isinstance(widget, LiveTable):
        return False
    # `Widget.focus` would do so only after the menu has asked which row is selected.
    screen.set_focus(widget, scroll_visible=False)
    return widget.point_at(event.screen_offset - widget.content_region.offset)
