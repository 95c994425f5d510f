"""A table over rows that live elsewhere: it draws what is visible and repaints what changed.

The rows are never copied. Each frame compares the visible lines with those on the screen and
refreshes the parts that differ, so a frame costs the height of the terminal, whatever the number
of rows. Cursor, marks and anchor are ids (`viewport.py`, `marks.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, TypeVar

from rich.style import Style
from textual import events
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from .cells import CELL_STYLES
from .column import Column, Frame, Rows, arrange, last_offset
from .lines import Line, LineArtist
from .marks import Marks
from .textual_internals import set_virtual_size
from .viewport import Motion, Newest, Viewport

R = TypeVar("R")

GUTTER = 2
"""Cells for the mark."""
CACHED_SCREENS = 4
WHEEL_LINES = 3


class LiveTable(ScrollView, Generic[R], can_focus=True, inherit_bindings=False):
    """A table of rows that change.

    Args:
        columns: The columns in their order; the first is always shown.
        rows: What to show; asked anew for each frame.
        row_id: A row's id, which never changes.
        row_version: Any value that differs when anything shown of the row has changed.
        empty: What to say when there is nothing.
        sort: The id of the column by which the rows are sorted as they come, and whether the
            largest is first.
        arrival: The `sort_key` of the order in which rows arrive: `follow` then shows the newest
            row, else it keeps the cursor's row in its place on the screen.
        follow: Whether to follow from the start.
        markable: Whether rows can be marked; without, there is no gutter.
    """

    ALLOW_SELECT = False

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"livetable--{name}" for name in CELL_STYLES),
        "livetable--header",
        "livetable--header-sorted",
        "livetable--empty",
        "livetable--mark",
        "livetable--marked",
        "livetable--cursor",
        "livetable--cursor-blurred",
    }

    DEFAULT_CSS = """
    LiveTable {
        height: 1fr;
        width: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        color: $foreground;
        & > .livetable--muted { color: $text-muted; }
        & > .livetable--accent { color: $text-accent; }
        & > .livetable--good { color: $text-success; }
        & > .livetable--warn { color: $text-warning; }
        & > .livetable--bad { color: $text-error; }
        & > .livetable--bar { color: $text-primary; }
        & > .livetable--bar-rest { color: $foreground 30%; }
        & > .livetable--state-success { color: $text-success; }
        & > .livetable--state-failure { color: $text-error; }
        & > .livetable--state-started { color: $text-primary; }
        & > .livetable--state-received { color: $text-warning; }
        & > .livetable--state-retry { color: $text-secondary; }
        & > .livetable--state-revoked { color: $text-muted; }
        & > .livetable--state-pending { color: $text-warning; }
        & > .livetable--state-custom { color: $text-accent; }
        & > .livetable--header { color: $text-muted; text-style: bold; }
        & > .livetable--header-sorted { color: $text-primary; text-style: bold; }
        & > .livetable--empty { color: $text-muted; }
        & > .livetable--mark { color: $text-accent; text-style: bold; }
        & > .livetable--marked { text-style: bold; }
        & > .livetable--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
        }
        & > .livetable--cursor-blurred { background: $block-cursor-blurred-background; }
    }
    LiveTable:ansi, LiveTable:nocolor {
        & > .livetable--cursor { text-style: reverse; }
        & > .livetable--cursor-blurred { text-style: bold; }
    }
    """

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
    class Highlighted(Message):
        """The cursor is on another row; None when there is none."""

        table: LiveTable[Any]
        row_id: str | None

        @property
        def control(self) -> LiveTable[Any]:
            """The table."""
            return self.table

    @dataclass
    class Sorted(Message):
        """The rows are in another order."""

        table: LiveTable[Any]
        column_id: str
        descending: bool

        @property
        def control(self) -> LiveTable[Any]:
            """The table."""
            return self.table

    @dataclass
    class Marked(Message):
        """There are now `count` marks."""

        table: LiveTable[Any]
        count: int

        @property
        def control(self) -> LiveTable[Any]:
            """The table."""
            return self.table

    def __init__(
        self,
        columns: Sequence[Column[R]],
        rows: Rows[R],
        *,
        row_id: Callable[[R], str],
        row_version: Callable[[R], object],
        empty: str = "",
        sort: tuple[str, bool] | None = None,
        arrival: str = "arrival",
        follow: bool = False,
        markable: bool = True,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.columns = tuple(columns)
        self.empty = empty
        self._rows = rows
        self._row_id = row_id
        self._row_version = row_version
        self._arrival = arrival
        self._markable = markable
        self._sort = sort
        self._wide = False
        self._offset = 0
        self._frame = Frame(0.0)
        self._viewport = Viewport(rows, row_id)
        self._viewport.follow = follow
        self._viewport.newest = self._newest()
        self._marks = Marks(row_id)
        self._styles: dict[tuple[str, str], Style] = {}
        self._lines: LRUCache[object, Line] = LRUCache(1)
        self._painted: dict[int, Line] = {}
        self._artist: LineArtist[R] | None = None
        self._ticking: tuple[Callable[[R], bool], ...] = ()
        self._scrolling = False
        self._highlighted: str | None = None

    # What it shows

    @property
    def rows(self) -> Rows[R]:
        """The rows."""
        return self._rows

    @property
    def cursor_id(self) -> str | None:
        """The id of the row that the cursor is on."""
        return self._viewport.cursor_id

    @property
    def cursor_row(self) -> R | None:
        """The row that the cursor is on."""
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
        """Whether the newest row (or, in another order, the cursor's) is kept in sight."""
        return self._viewport.follow

    @property
    def unseen(self) -> int:
        """How many rows lie beyond the window at the end where new ones arrive."""
        return self._viewport.unseen

    @property
    def wide(self) -> bool:
        """Whether all columns are shown, side by side, to be scrolled."""
        return self._wide

    @property
    def sort(self) -> tuple[str, bool] | None:
        """The id of the column by which the rows are sorted, and whether the largest is first."""
        return self._sort

    # Painting

    def paint(self, frame: Frame) -> int:
        """Bring the screen up to the rows' present state.

        Returns:
            How many lines were refreshed.
        """
        if (frame.glyphs, frame.utc) != (self._frame.glyphs, self._frame.utc):
            self._artist = None
        self._frame = frame
        return self._update()

    def show(self, rows: Rows[R]) -> None:
        """Show other rows. The cursor stays on its row if it is among them."""
        self._rows = self._viewport.rows = rows
        self._viewport.restart()
        self._update()

    def render_line(self, y: int) -> Strip:
        """Return a line as it was last painted, so that a frozen screen stays frozen."""
        self._arrange()
        line = self._painted.get(y)
        if line is None:
            line = self._painted[y] = self._draw(y)
        return line.strip

    def notify_style_update(self) -> None:
        """Draw everything anew in the new styles."""
        self._artist = None
        super().notify_style_update()

    def watch_has_focus(self, has_focus: bool) -> None:
        """Draw the cursor as active or not."""
        super().watch_has_focus(has_focus)
        self._repaint()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the scrollbar and the wheel; only the lines that differ are refreshed."""
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = new_value
        if not self._scrolling and round(old_value) != round(new_value):
            self._viewport.scroll(round(new_value))
            self._repaint()

    def on_resize(self) -> None:
        """Fit the columns into the new width."""
        self._update()

    def _update(self) -> int:
        """Settle cursor and top, tell the scrollbar, refresh what differs."""
        if not self.is_attached or not self.size:
            return 0
        self._arrange()
        self._viewport.height = self._body_height
        self._viewport.settle()
        self._scroll_to_top()
        return self._repaint()

    def _scroll_to_top(self) -> None:
        """Make Textual's scroll position that of the viewport."""
        self._scrolling = True
        size = Size(self._line_width, len(self._rows) + self._header_height)
        if size != self.virtual_size:
            set_virtual_size(self, size)
        self.scroll_target_y = self.scroll_y = self._viewport.top
        self._scrolling = False

    @property
    def _line_width(self) -> int:
        return max(0, self.size.width - self.scrollbar_size_vertical)

    @property
    def _header_height(self) -> int:
        return 1 if self.size.height > 1 else 0

    @property
    def _body_height(self) -> int:
        return self.size.height - self._header_height

    def _arrange(self) -> LineArtist[R]:
        """Choose the columns for the present width; drop what was drawn for another."""
        width = self._line_width
        if self._artist is not None and self._artist.width == width:
            return self._artist
        gutter = GUTTER if self._markable else 0
        room = max(0, width - gutter)
        self._offset = min(self._offset, last_offset(self.columns, room, wide=self._wide))
        placed = arrange(self.columns, room, wide=self._wide, offset=self._offset)
        self._styles.clear()
        self._artist = LineArtist(placed, gutter=gutter, width=width, style=self._style)
        self._ticking = tuple(p.column.ticks for p in placed if p.column.ticks is not None)
        self._lines = LRUCache(max(1, CACHED_SCREENS * self.size.height))
        self._painted.clear()
        return self._artist

    def _rearrange(self) -> None:
        """Draw all again with other columns."""
        self._artist = None
        self.refresh()
        self._update()

    def _repaint(self) -> int:
        """Refresh the lines that differ from those on the screen; return how many."""
        if not self.is_attached or not self.size:
            return 0
        artist = self._arrange()
        regions: list[Region] = []
        count = 0
        for y in range(self.size.height):
            line = self._draw(y)
            old = self._painted.get(y)
            if line is old:
                continue
            self._painted[y] = line
            spans = artist.changes(old, line)
            count += bool(spans)
            regions += [Region(span.x, y, span.width, 1) for span in spans]
        if regions:
            self.refresh(*regions)
        if self.cursor_id != self._highlighted:
            self._highlighted = self.cursor_id
            self.post_message(self.Highlighted(self, self.cursor_id))
        return count

    def _draw(self, y: int) -> Line:
        """Return the line for a row of the screen, from the cache if it is unchanged."""
        artist, frame = self._arrange(), self._frame
        header = self._header_height
        if y < header:
            key: object = ("header", self._sort)
            line = self._lines.get(key)
            if line is None:
                line = self._draw_header(artist)
                self._lines[key] = line
            return line
        index = self._viewport.top + y - header
        if index >= len(self._rows):
            text = self.empty if not len(self._rows) and y == header else ""
            line = self._lines.get(("message", text))
            if line is None:
                line = self._lines[("message", text)] = artist.message(text, frame)
            return line
        row = self._rows[index]
        row_id = self._row_id(row)
        marked = row_id in self._marks
        look = self._look(row_id, marked)
        second = int(frame.now) if any(ticks(row) for ticks in self._ticking) else 0
        key = (row_id, self._row_version(row), look, second)
        line = self._lines.get(key)
        if line is None:
            mark = frame.glyphs.mark if marked else ""
            line = self._lines[key] = artist.row(row, row_id, look, mark, frame)
        return line

    def _draw_header(self, artist: LineArtist[R]) -> Line:
        hidden = last_offset(self.columns, artist.width - artist.gutter, wide=self._wide)
        return artist.header(
            self._sort, self._frame, left=self._offset > 0, right=self._offset < hidden
        )

    def _look(self, row_id: str, marked: bool) -> str:
        cursor = ""
        if row_id == self.cursor_id:
            cursor = "cursor" if self.has_focus else "cursor-blurred"
        if marked:
            return f"marked {cursor}" if cursor else "marked"
        return cursor

    def _style(self, name: str, look: str) -> Style:
        style = self._styles.get((name, look))
        if style is None:
            style = self.rich_style
            for part in (name, *look.split()):
                style += self.get_component_rich_style(f"livetable--{part}", partial=True)
            self._styles[name, look] = style
        return style

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
        self._update()

    def action_toggle_mark(self) -> None:
        """Mark the cursor's row or take its mark away, and go on to the next."""
        if self.cursor_id is None or not self._markable:
            return
        self._marks.toggle(self.cursor_id)
        self.action_move("down")
        self._marked()

    def action_mark_range(self) -> None:
        """Mark from the last marked row to the cursor."""
        index = None if self.cursor_id is None else self._rows.index(self.cursor_id)
        if index is not None and self._markable:
            self._marks.extend(self._rows, index)
            self._marked()

    def action_mark_all(self) -> None:
        """Mark every row that is listed, on the screen or not."""
        if self._markable:
            self._marks.add_all(self._rows)
            self._marked()

    def action_unmark_all(self) -> None:
        """Take away all marks."""
        self._marks.clear()
        self._marked()

    def unmark(self, row_id: str) -> None:
        """Take away one mark."""
        self._marks.discard(row_id)
        self._marked()

    def move_to(self, row_id: str) -> bool:
        """Put the cursor on a row; return whether it is listed."""
        index = self._rows.index(row_id)
        if index is None:
            return False
        self._viewport.place(index)
        self._moved()
        return True

    def _moved(self) -> None:
        self._scroll_to_top()
        self._repaint()

    def _marked(self) -> None:
        self._repaint()
        self.post_message(self.Marked(self, len(self._marks)))

    # Columns and order

    def action_scroll_columns(self, direction: Literal["left", "right"]) -> None:
        """Scroll by one column; the first one stays."""
        room = max(0, self._line_width - (GUTTER if self._markable else 0))
        last = last_offset(self.columns, room, wide=self._wide)
        step = 1 if direction == "right" else -1
        offset = max(0, min(self._offset + step, last))
        if offset != self._offset:
            self._offset = offset
            self._rearrange()

    def action_toggle_wide(self) -> None:
        """Show all columns, or as many as fit."""
        self._wide = not self._wide
        self._offset = 0
        self._rearrange()

    def action_sort_by(self, column_id: str) -> None:
        """Sort by a column; by the one that is sorted by already, the other way round."""
        if self._sort is not None and self._sort[0] == column_id:
            self._order(column_id, not self._sort[1])
            return
        for column in self.columns:
            if column.id == column_id:
                self._order(column_id, column.descending)

    def action_invert(self) -> None:
        """Sort the other way round."""
        if self._sort is not None:
            self._order(self._sort[0], not self._sort[1])

    def action_sort_next(self) -> None:
        """Sort by the next column."""
        self._sort_beside(1)

    def action_sort_previous(self) -> None:
        """Sort by the previous column."""
        self._sort_beside(-1)

    def _sort_beside(self, step: int) -> None:
        sortable = [
            column
            for column in self.columns
            if column.sort_key is not None and (self._wide or not column.wide_only)
        ]
        if not sortable:
            return
        ids = [column.id for column in sortable]
        if self._sort is None or self._sort[0] not in ids:
            column = sortable[0 if step > 0 else -1]
        else:
            column = sortable[(ids.index(self._sort[0]) + step) % len(ids)]
        self._order(column.id, column.descending)

    def _order(self, column_id: str, descending: bool) -> None:
        key = next((c.sort_key for c in self.columns if c.id == column_id), None)
        if key is None:
            return
        self._rows.set_order(key, descending)
        self._sort = (column_id, descending)
        self._viewport.newest = self._newest()
        self._viewport.restart()
        self._update()
        self.post_message(self.Sorted(self, column_id, descending))

    def _newest(self) -> Newest | None:
        if self._sort is None:
            return None
        column_id, descending = self._sort
        key = next((c.sort_key for c in self.columns if c.id == column_id), None)
        if key != self._arrival:
            return None
        return "first" if descending else "last"

    # Mouse

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the row; on the titles, sort; twice, open."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        event.stop()
        if offset.y < self._header_height:
            place = self._arrange().column_at(offset.x)
            if place is not None and place.column.sort_key is not None:
                self.action_sort_by(place.column.id)
            return
        line = self._painted.get(offset.y)
        if line is None or line.row_id is None:
            return
        self._viewport.hold()
        self.move_to(line.row_id)
        if event.chain == 2:
            self.action_open()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down; the cursor stays on its row."""
        self._wheel(event, WHEEL_LINES)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up; the cursor stays on its row."""
        self._wheel(event, -WHEEL_LINES)

    def _wheel(self, event: events.MouseEvent, lines: int) -> None:
        event.stop()
        event.prevent_default()
        self._viewport.hold()
        self._viewport.scroll(self._viewport.top + lines)
        self._moved()
