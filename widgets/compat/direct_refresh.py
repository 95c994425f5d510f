"""Widgets that are drawn again without messages. It uses private methods of Textual 8.2.8."""

from __future__ import annotations

from collections.abc import Collection

from textual.geometry import Region
from textual.widget import Widget


class DirectRefresh(Widget, inherit_bindings=False):
    """A widget whose changed parts are drawn with the next update of the screen.

    Textual sends three messages for each refresh of each widget: one to the widget, one from it to
    the screen, and one to the screen, each of which wakes a task. For a frame in which only the
    clock has moved on, that is a third of the work.
    """

    def refresh_parts(self, regions: Collection[Region]) -> None:
        """Draw parts of the content again, which has the same size and the same styles as before.

        Args:
            regions: The parts, in cells of the content.
        """
        screen = self.screen if self._is_mounted else None
        if screen is None or not (
            self.display and screen.is_current and screen in screen._compositor
        ):
            self.refresh(*regions)
            return
        self._set_dirty(*regions)
        screen._dirty_widgets.add(self)
        screen._update_timer.resume()
