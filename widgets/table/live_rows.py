"""The drawn part of a live table: only visible rows are drawn, only changed parts repainted.

Each frame compares the visible lines with those on the screen and refreshes the parts that
differ, so its cost depends on the height of the terminal, not on the number of rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from operator import attrgetter
from typing import ClassVar, Final, Generic, TypeVar

from textual.filter import LineFilter
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from ..compat.direct_refresh import DirectRefresh
from ..compat.textual_internals import LazyComponents, place_thumb, set_virtual_size
from ..wrapping import wrap
from .cells import sanitized
from .column import Column, Frame, Rows
from .cursor_trail import CursorTrail
from .layout import Layout
from .lines import Line, LineArtist
from .look_styles import LookStyles, look_styles
from .marks import Marks
from .style_sheet import STYLE_CLASSES, STYLE_SHEET
from .table_columns import TableColumns
from .viewport import Viewport

R = TypeVar("R")

MAX_MESSAGE_LINES: Final = 5
"""Lines of the text that is shown without rows."""

GUTTER_WIDTH = 2
"""Cells for the mark of a row."""
CACHED_SCREENS = 4
"""Screens of drawn rows that are kept; the least recently shown rows are dropped first."""
_NO_FRAME = Frame(0.0)


def _row_version(row: object) -> object:
    return getattr(row, "version", row)


class LiveRows(
    LazyComponents, DirectRefresh, ScrollView, Generic[R], can_focus=True, inherit_bindings=False
):
    """Rows, cursor and marks on the screen, without keys.

    Args:
        columns: The columns in their order; the first is always shown.
        rows: The rows, read again for each frame.
        row_id: A row's id, which never changes.
        row_version: Returns a value that changes whenever a row's cells do.
        empty: The text shown without rows.
        sort: The id of the column that the rows are initially sorted by, and whether the largest
            is first.
        follow: Whether to follow initially: if sorted by arrival, the newest row is shown, in other
            orders the cursor's row stays in its place on the screen.
        begins_at_top: Whether the cursor stays on the first row until one is chosen.
        rests: As `begins_at_top`; the first rows are also shown, without a cursor, while it does
            not have the focus.
        markable: Whether rows can be marked; if not, there is no gutter.
        titles: Whether the columns' titles are shown.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = STYLE_CLASSES
    DEFAULT_CSS = STYLE_SHEET

    def __init__(
        self,
        columns: Sequence[Column[R]],
        rows: Rows[R],
        *,
        row_id: Callable[[R], str] = attrgetter("id"),
        row_version: Callable[[R], object] = _row_version,
        empty: str = "",
        sort: tuple[str, bool] | None = None,
        follow: bool = False,
        begins_at_top: bool = False,
        rests: bool = False,
        markable: bool = True,
        titles: bool = True,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
    ) -> None:
        super().__init__(id=id)
        self.empty = empty
        self._rows = rows
        self._row_id = row_id
        self._row_version = row_version
        self._markable = markable
        self._titled = titles
        self._columns = TableColumns(columns, sort)
        self._frame = _NO_FRAME
        self._viewport = Viewport(rows, row_id)
        self._viewport.follow = follow
        self._viewport.newest = self._columns.newest
        self._rests = rests
        self._viewport.resting = rests or begins_at_top
        self._marks = Marks(row_id)
        self._styles: dict[str, LookStyles] = {}
        self._filters: tuple[LineFilter, ...] = ()
        self._lines: dict[str, Line] = {}
        self._titles: Line | None = None
        self._painted: dict[int, Line] = {}
        self._artist: LineArtist[R] | None = None
        self._arranged = (0, 0)
        """The cells and lines without the scrollbar, for which the columns were chosen: Textual
        looks for a widget's size in the layout each time."""
        self._ticking: tuple[Callable[[R], bool], ...] = ()
        self._scrolling = False
        self._cursor_trail = CursorTrail()
        self._row_seen = True
        """Whether there was a row under the cursor when the present key went down."""

    def on_mount(self) -> None:
        """Let the first layout know of rows that need a scrollbar in any case."""
        if len(self._rows) > self.app.size.height:
            self.set_reactive(Widget.virtual_size, Size(0, len(self._rows)))

    def paint(self, frame: Frame) -> int:
        """Update the screen to the current state of the rows.

        Returns:
            The number of refreshed lines.
        """
        old = self._frame
        if old is _NO_FRAME:
            self._lines.clear()  # drawn without the current time, on which dates depend
        if frame.look != old.look or frame.skews is not old.skews:
            self._artist = None
        self._frame = frame
        self._fit_columns()
        count = self._update()
        if self._artist is not None and self._artist.exceeded:
            self._artist.exceeded = False
            self._fit_columns(force=True)
            count += self._update()
        return count

    def show(self, rows: Rows[R]) -> None:
        """Show other rows; the cursor stays on its row if that is among them."""
        self._rows = self._viewport.rows = rows
        self._viewport.restart()
        self._cursor_chosen()
        self._update()

    def set_column_layout(self, layout: Layout) -> None:
        """Show other columns, or in another order or width."""
        if self._columns.set_layout(layout):
            self._rearrange()

    def render_line(self, y: int) -> Strip:
        """Return a line as last painted, so that a frozen screen stays frozen."""
        return self._lines_painted()[y].strip

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the lines of a region.

        Without border, padding and opacity Textual has nothing to add to the lines, and the app's
        filters are already applied to the styles (`_look_styles`): bypassing Textual's cache halves
        the cost of a frame.
        """
        if self.styles.gutter or self.opacity != 1.0:
            return super().render_lines(crop)
        if tuple(self.get_line_filters()) != self._filters:
            self._artist = None
        painted = self._lines_painted()
        strips = [painted[y].strip for y in crop.line_range]
        if crop.column_span == (0, self._line_width):
            return strips
        return [strip.crop(*crop.column_span) for strip in strips]

    def _lines_painted(self) -> dict[int, Line]:
        """Return all lines of the screen as last painted."""
        artist = self._arrange()
        if len(self._painted) < self.size.height:
            self._painted = dict(enumerate(self._visible_lines(artist)))
        return self._painted

    def notify_style_update(self) -> None:
        """Redraw everything in the new styles."""
        self._artist = None
        super().notify_style_update()

    def watch_has_focus(self, has_focus: bool) -> None:
        """Redraw the cursor as active or inactive."""
        super().watch_has_focus(has_focus)
        # A terminal without the focus takes it from the widget as well, which it gets back.
        if self._rests and not has_focus and self.app.app_focus:
            self._viewport.resting = True
        self._update()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the scrollbar; only the lines that differ are refreshed."""
        if not self._scrolling and round(old_value) != round(new_value):
            self._viewport.resting = False
            self._viewport.scroll(round(new_value))
            self._place_thumb()
            self._repaint()

    def on_resize(self) -> None:
        """Fit the columns into the new width."""
        self._fit_columns()
        self._update()

    def _update(self) -> int:
        """Update cursor, top and scrollbar, and refresh the lines that differ."""
        if not self.is_attached or not self.size:
            return 0
        self._arrange()
        self._viewport.height = self._body_height
        self._viewport.settle()
        self._scroll_to_top()
        self._cursor_trail.add(self._viewport.cursor_id, time.monotonic())
        return self._repaint()

    @property
    def cursor_line(self) -> int:
        """The line of the screen that the cursor is on."""
        line = self._viewport.cursor_index - self._viewport.top
        return self.region.y + self._header_height + line

    @contextmanager
    def as_seen_at(self, at: float, *, pin: bool) -> Iterator[None]:
        """Run a key on the row that the cursor was painted on when the key went down.

        A key that went down before there was a row to see is for none.

        Args:
            at: That moment, in monotonic seconds: frames may have been painted since.
            pin: Whether the cursor stays on the row, because the key is one for rows.
        """
        row_id = self._cursor_trail.at(at)
        if pin:
            self._viewport.pin(row_id or self._viewport.cursor_id)
        self._row_seen = row_id is not None
        try:
            yield
        finally:
            self._row_seen = True

    def _cursor_chosen(self) -> None:
        """Note that the user has moved the cursor: later keys are meant for its row."""
        self._cursor_trail.restart(self._viewport.cursor_id)

    def _scroll_to_top(self) -> None:
        """Set Textual's scroll position to that of the viewport."""
        self._scrolling = True
        size = Size(self._line_width, len(self._rows) + self._header_height)
        if size != self.virtual_size:
            set_virtual_size(self, size)
        if self.scroll_y != self._viewport.top:
            self.scroll_target_y = self.scroll_y = self._viewport.top
        self._scrolling = False
        self._place_thumb()

    def _place_thumb(self) -> None:
        if self.show_vertical_scrollbar:
            place_thumb(
                self.vertical_scrollbar,
                self.virtual_size.height,
                self.size.height,
                self._viewport.top,
            )

    @property
    def _line_width(self) -> int:
        return self._arranged[0]

    @property
    def _gutter(self) -> int:
        return GUTTER_WIDTH if self._markable else 0

    @property
    def _room(self) -> int:
        """The cells available to columns."""
        return max(0, self._line_width - self._gutter)

    @property
    def _header_height(self) -> int:
        return 1 if self._titled and self._arranged[1] > 1 else 0

    @property
    def _body_height(self) -> int:
        return self._arranged[1] - self._header_height

    def _arrange(self) -> LineArtist[R]:
        """Choose the columns for the current width; drop lines drawn for another one."""
        size = self.size
        width, height = max(0, size.width - self.scrollbar_size_vertical), size.height
        before, self._arranged = self._arranged, (width, height)
        if self._artist is not None and before[0] == width:
            if before[1] != height:
                self._painted.clear()
            return self._artist
        gutter, room = self._gutter, self._room
        self._columns.scroll(0, room)
        placed = self._columns.place(room, self._frame)
        self._styles.clear()
        self._filters = tuple(self.get_line_filters())
        self._artist = LineArtist(placed, gutter=gutter, width=width, styles=self._look_styles)
        self._artist.limit(self._columns.measured_widths)
        self._ticking = tuple(p.column.ticks for p in placed if p.column.ticks is not None)
        self._lines.clear()
        self._titles = None
        self._painted.clear()
        return self._artist

    @property
    def needed_widths(self) -> tuple[int, int]:
        """The cells in which no name is cut, and no text at all."""
        names, texts = self._columns.needed_widths(self._rows, self._frame)
        beside = self._gutter + (self.scrollbar_size_vertical if self.size else 0)
        return names + beside, texts + beside

    def _fit_columns(self, *, force: bool = False) -> None:
        """Fit the columns to the visible cells, unless they were measured a moment ago."""
        size, top, rows = self.size, self._viewport.top, self._rows
        if not size:
            return
        visible = range(top, min(top + size.height, len(rows)))
        changed = self._columns.measure(rows, visible, size, self._frame, force=force)
        if not changed or self._artist is None:
            return
        if tuple(self._columns.place(self._room, self._frame)) != self._artist.placed:
            self._artist = None
            self.refresh()
        else:
            self._artist.limit(self._columns.measured_widths)

    def _rearrange(self) -> None:
        """Redraw everything with other columns."""
        self._artist = None
        self.refresh()
        self._update()

    def _repaint(self) -> int:
        """Refresh the lines that differ from those on the screen; return how many."""
        if not self.is_attached or not self.size:
            return 0
        artist, painted = self._arrange(), self._painted
        regions: list[Region] = []
        count = 0
        for y, line in enumerate(self._visible_lines(artist)):
            old = painted.get(y)
            if line is old:
                continue
            painted[y] = line
            spans = artist.changes(old, line)
            count += bool(spans)
            regions += [Region(span.x, y, span.width, 1) for span in spans]
        if regions:
            self.refresh_parts(regions)
        return count

    def _visible_lines(self, artist: LineArtist[R]) -> Iterator[Line]:
        """Yield the lines of the screen from the top, those unchanged from the cache."""
        rows, frame, lines = self._rows, self._frame, self._lines
        row_version, row_id_of, ticking = self._row_version, self._row_id, self._ticking
        marks = self._marks
        rests = self._rests and self._viewport.resting and not self.has_focus
        cursor_id = None if rests else self._viewport.cursor_id
        cursor_look = "cursor" if self.has_focus else "cursor-blurred"
        second, top, height = int(frame.now), self._viewport.top, self._body_height
        relative = frame.relative
        end = min(top + height, len(rows))
        if self._header_height:
            yield self._header(artist)
        for index in range(top, end):
            row = rows[index]
            row_id = row_id_of(row)
            marked = row_id in marks
            look = "marked" if marked else ""
            if row_id == cursor_id:
                look = f"{look} {cursor_look}"
            ticks_now = relative or (ticking and any(ticks(row) for ticks in ticking))
            moment = second if ticks_now else 0
            state = (row_version(row), look, moment)
            line = lines.pop(row_id, None)
            if line is None or line.state != state:
                mark = frame.glyphs.mark if marked else ""
                line = artist.row(row, row_id, state, look, mark, frame, line)
            lines[row_id] = line
            yield line
        message = self._message_lines() if not end else []
        for number in range(top + height - end):
            yield artist.message(message[number] if number < len(message) else "", frame)
        for row_id in list(islice(lines, max(0, len(lines) - CACHED_SCREENS * height))):
            del lines[row_id]

    def _message_lines(self) -> list[str]:
        """Return the text shown without rows, in lines that fit."""
        text = sanitized(self.empty, self._room * MAX_MESSAGE_LINES)
        return [text[start:end] for start, end in wrap(text, self._room)]

    def _header(self, artist: LineArtist[R]) -> Line:
        columns, room = self._columns, self._room
        state = (columns.sort, columns.offset)
        if self._titles is None or self._titles.state != state:
            left, right = columns.offset > 0, columns.hides(artist.placed, room)
            self._titles = artist.header(state, columns.sort, self._frame, left, right)
        return self._titles

    def _look_styles(self, look: str) -> LookStyles:
        """Return the styles of lines of a look, such as `marked cursor`."""
        styles = self._styles.get(look)
        if styles is None:
            styles = self._styles[look] = look_styles(self, look, self._filters)
        return styles
