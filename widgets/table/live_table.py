"""A table over external rows: cursor, marks, order and mouse.

The rows are never copied. `live_rows.py` draws them. Cursor, marks and anchor are ids
(`viewport.py`, `marks.py`), so they stay on their rows while rows arrive and leave.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from textual import events
from textual.geometry import Offset
from textual.message import Message

from .cells import plain
from .column import Column, Rows
from .layout import Layout
from .live_rows import LiveRows
from .viewport import Motion

R = TypeVar("R")

WHEEL_LINES = 3
"""Lines that a step of the wheel scrolls."""


class LiveTable(LiveRows[R], Generic[R], inherit_bindings=False):
    """A table of rows that change."""

    _clicked_id: str | None = None
    """The row that was clicked last, unless that marked it."""

    @dataclass
    class Opened(Message):
        """A row was opened."""

        table: LiveTable[Any]
        row_id: str

        @property
        def control(self) -> LiveTable[Any]:
            """The table."""
            return self.table

    @dataclass
    class Resized(Message, bubble=False):
        """The table has another size; sent to the screen."""

        table: LiveTable[Any]

    def on_resize(self) -> None:
        """Report it."""
        self.screen.post_message(self.Resized(self))

    # State

    @property
    def rows(self) -> Rows[R]:
        """The rows."""
        return self._rows

    @property
    def columns(self) -> tuple[Column[R], ...]:
        """All columns, in the table's own order."""
        return self._columns.all

    @property
    def cursor_id(self) -> str | None:
        """The id of the row under the cursor; None for a key that went down before it was seen."""
        return self._viewport.cursor_id if self._row_seen else None

    @property
    def cursor_row(self) -> R | None:
        """The row under the cursor."""
        if self.cursor_id is None:
            return None
        index = self._rows.index(self.cursor_id)
        return None if index is None else self._rows[index]

    @property
    def marks(self) -> tuple[str, ...]:
        """The marked ids, in the order in which they were marked."""
        return tuple(self._marks)

    @property
    def follow(self) -> bool:
        """Whether the newest row (or, in other orders, the cursor's) is kept visible."""
        return self._viewport.follow

    @property
    def seen(self) -> tuple[str, ...]:
        """The ids of the visible rows."""
        return tuple(self._viewport.seen)

    @property
    def unseen(self) -> int:
        """The number of rows beyond the window at the end where new ones arrive."""
        return self._viewport.unseen

    @property
    def hidden(self) -> tuple[int, int]:
        """The numbers of rows above and below the window."""
        viewport = self._viewport
        return viewport.top, max(0, len(self._rows) - viewport.top - viewport.height)

    @property
    def wide(self) -> bool:
        """Whether all columns are shown, to be scrolled."""
        return self._columns.wide

    @property
    def column_layout(self) -> Layout:
        """The columns that the user chose; empty is the table's own layout."""
        return self._columns.layout

    @property
    def fitting(self) -> Mapping[str, int]:
        """The widths of the columns that there is room for, by their ids."""
        return {place.column.id: place.width for place in self._arrange().placed}

    @property
    def empty_columns(self) -> Collection[str]:
        """The ids of the columns that are left out because they show nothing."""
        return self._columns.empty

    @property
    def sort(self) -> tuple[str, bool] | None:
        """The id of the sort column, and whether the largest is first."""
        return self._columns.sort

    # Moving and marking

    def action_move(self, motion: Motion) -> None:
        """Move the cursor: `down`, `up`, `page_down`, `half_up`, `top`, `bottom`, ..."""
        self._viewport.move(motion)
        self._moved()

    def action_open(self) -> None:
        """Open the cursor's row."""
        if self.cursor_id is not None:
            self.post_message(self.Opened(self, self.cursor_id))

    def action_toggle_follow(self) -> None:
        """Follow, or stop following."""
        self._viewport.follow = not self._viewport.follow
        self._viewport.pinned = False
        self._update()

    def action_toggle_mark(self) -> None:
        """Mark or unmark the cursor's row, and move to the next one."""
        if self.cursor_id is None or not self._markable:
            return
        self._marks.toggle(self.cursor_id)
        self.action_move("down")
        self._repaint()

    def action_mark_range(self) -> None:
        """Mark from the last marked row to the cursor."""
        index = None if self.cursor_id is None else self._rows.index(self.cursor_id)
        if index is not None and self._markable:
            self._marks.extend(self._rows, index)
            self._repaint()

    def action_mark_all(self) -> None:
        """Mark every row that is listed, on the screen or not."""
        if self._markable and self._row_seen:
            self._marks.add_all(self._rows)
            self._repaint()

    def action_unmark_all(self) -> None:
        """Remove all marks."""
        self._marks.clear()
        self._repaint()

    def mark(self, *row_ids: str) -> None:
        """Mark these rows."""
        for row_id in row_ids:
            self._marks.add(row_id)
        self._repaint()

    def unmark(self, *row_ids: str) -> None:
        """Unmark these rows."""
        for row_id in row_ids:
            self._marks.discard(row_id)
        self._repaint()

    def move_to(self, row_id: str) -> bool:
        """Move the cursor to a row; return whether it is listed."""
        index = self._rows.index(row_id)
        if index is None:
            return False
        if self._viewport.newest is not None:
            # To follow the newest rows would move the cursor away again.
            self._viewport.follow = False
        self._viewport.resting = False
        self._viewport.place(index)
        self._moved()
        return True

    # Search

    def search_lines(self) -> list[str]:
        """Return the text of each row."""
        rows = (self._rows[index] for index in range(len(self._rows)))
        return [
            "  ".join(plain(column.cell(row, self._frame)) for column in self.columns)
            for row in rows
        ]

    def show_match(self, line: int, start: int, end: int) -> int:
        """Move the cursor to a row; return its y."""
        if line < len(self._rows):
            self.move_to(self._row_id(self._rows[line]))
        return line - self._viewport.top + self._header_height

    def hide_match(self) -> None:
        """Leave the cursor at the match."""

    def _moved(self) -> None:
        self._cursor_chosen()
        self._scroll_to_top()
        self._repaint()

    # Columns and order

    def action_scroll_columns(self, direction: Literal["left", "right"]) -> None:
        """Scroll by one column; the first one stays."""
        if self._columns.scroll(1 if direction == "right" else -1, self._room):
            self._rearrange()

    def action_toggle_wide(self) -> None:
        """Show all columns, or only those that fit."""
        self._columns.toggle_wide()
        self._rearrange()

    def action_sort_by(self, column_id: str) -> None:
        """Sort by a column; reverse the order if it is already the sort column."""
        if self.sort is not None and self.sort[0] == column_id:
            self.order_by(column_id, not self.sort[1])
            return
        for column in self.columns:
            if column.id == column_id:
                self.order_by(column_id, column.descending)

    def action_invert(self) -> None:
        """Reverse the order."""
        if self.sort is not None:
            self.order_by(self.sort[0], not self.sort[1])

    def action_sort_next(self) -> None:
        """Sort by the next column."""
        self._sort_beside(1)

    def action_sort_previous(self) -> None:
        """Sort by the previous column."""
        self._sort_beside(-1)

    def _sort_beside(self, step: int) -> None:
        column = self._columns.sortable_beside(step)
        if column is not None:
            self.order_by(column.id, column.descending)

    def order_by(self, column_id: str, descending: bool) -> None:
        """Sort by a column; nothing happens if it is unknown or cannot be sorted by."""
        key = self._columns.sort_key(column_id)
        if key is None:
            return
        self._rows.set_order(key, descending)
        self._columns.sort = (column_id, descending)
        self._viewport.newest = self._columns.newest
        self._viewport.restart()
        self._cursor_chosen()
        self._rearrange()

    # Mouse

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the row, or sort by the clicked title; a double click opens.

        A click in the gutter, or with ctrl, marks or unmarks the row.
        """
        offset = event.get_content_offset(self)
        if offset is None:
            return
        event.stop()
        if offset.y < self._header_height:
            place = self._arrange().column_at(offset.x)
            if place is not None and place.column.sort_key is not None:
                self.action_sort_by(place.column.id)
            return
        # The second click of a double click opens the row of the first, which may have moved.
        if event.chain == 2 and self._clicked_id is not None:
            if self._clicked_id == self.cursor_id:
                self.action_open()
            self._clicked_id = None
            return
        self._clicked_id = None
        if not self.point_at(offset) or self.cursor_id is None:
            return
        if self._markable and (offset.x < self._gutter or event.ctrl):
            self._marks.toggle(self.cursor_id)
            self._repaint()
        else:
            self._clicked_id = self.cursor_id

    def point_at(self, offset: Offset) -> bool:
        """Move the cursor to the row that is painted at an offset; return whether there is one."""
        line = self._painted.get(offset.y)
        if line is None or line.row_id is None or offset.y < self._header_height:
            return False
        self._viewport.hold()
        self.move_to(line.row_id)
        return True

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down; the cursor stays on its row."""
        self._wheel(event, WHEEL_LINES)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up; the cursor stays on its row."""
        self._wheel(event, -WHEEL_LINES)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        """Scroll the columns."""
        self._wheel_sideways(event, "right")

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        """Scroll the columns back."""
        self._wheel_sideways(event, "left")

    def _wheel_sideways(
        self, event: events.MouseEvent, direction: Literal["left", "right"]
    ) -> None:
        event.stop()
        event.prevent_default()
        self.action_scroll_columns(direction)

    def _wheel(self, event: events.MouseEvent, lines: int) -> None:
        """Scroll by some lines; at the end the page around the table scrolls instead."""
        if event.shift:
            self._wheel_sideways(event, "right" if lines > 0 else "left")
            return
        if not self._viewport.can_scroll(lines):
            return
        event.stop()
        event.prevent_default()
        if self._viewport.resting:
            self._viewport.resting = False
            self.focus(scroll_visible=False)
        self._viewport.hold()
        self._viewport.scroll(self._viewport.top + lines)
        self._moved()
