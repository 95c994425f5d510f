"""The base of screens with a traceback, which gets the keys while it is focused."""

from __future__ import annotations

from ....model.text.frames import TracebackFrame
from ....model.text.sanitize import visible
from ....widgets.traceback_view import TracebackView
from ...messages import CopyRequested
from ...screens.base.screen import MonitorScreen


class TracebackScreen(MonitorScreen):
    """A screen with a traceback, whose frames can be copied and opened in the user's editor."""

    @property
    def current_row(self) -> object | None:
        """The frame at the cursor of the focused traceback, otherwise the row."""
        return self._frame or super().current_row

    @property
    def _frame(self) -> TracebackFrame | None:
        return self.focused.frame if isinstance(self.focused, TracebackView) else None

    def action_pane(self, step: int) -> None:
        """Focus the next or previous pane; on a library frame, show or hide its source."""
        focused = self.focused
        if step > 0 and isinstance(focused, TracebackView) and focused.on_library:
            focused.action_fold()
        else:
            super().action_pane(step)

    def action_copy_id(self) -> None:
        """Copy the text selected with the mouse, the frame at the cursor, or the id."""
        frame = self._frame
        if frame is None or self.get_selected_text():
            super().action_copy_id()
        else:
            self._copy(frame)

    def on_traceback_view_opened(self, message: TracebackView.Opened) -> None:
        """Open the frame in the user's editor if its file exists here, else copy its place."""
        from ...output.editor import open_in_editor

        problem = open_in_editor(self.app, message.frame)
        if problem:
            self.notify(visible(problem), severity="error", markup=False)
        elif problem is not None:
            self._copy(message.frame)

    def _copy(self, frame: TracebackFrame) -> None:
        self.post_message(CopyRequested(visible(frame.place, 80), frame.place))
