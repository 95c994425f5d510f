"""Rows drawn as lines: what is visible is drawn, what changed is repainted.

Each frame compares the visible lines with those on the screen and refreshes the parts that
differ, so a frame costs the height of the terminal, whatever the number of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

from rich.style import Style
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from .cells import CELL_STYLES
from .column import Column, Frame, Rows, arrange, last_offset
from .lines import Line, LineArtist
from .marks import Marks
from .textual_internals import set_virtual_size
from .viewport import Viewport

R = TypeVar("R")

GUTTER = 2
"""Cells for the mark."""
CACHED_SCREENS = 4


class LiveRows(ScrollView, Generic[R], can_focus=True, inherit_bindings=False):
    """The drawn part of a live table: rows, cursor and marks on the screen, nothing of the keys."""

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
    LiveRows {
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
    LiveRows:ansi, LiveRows:nocolor {
        & > .livetable--cursor { text-style: reverse; }
        & > .livetable--cursor-blurred { text-style: bold; }
    }
    """

    def __init__(
        self,
        columns: Sequence[Column[R]],
        rows: Rows[R],
        *,
        row_id: Callable[[R], str],
        row_version: Callable[[R], object],
        empty: str,
        sort: tuple[str, bool] | None,
        markable: bool,
        id: str | None,  # noqa: A002 - Textual's own name for it
        classes: str | None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.columns = tuple(columns)
        self.empty = empty
        self._rows = rows
        self._row_id = row_id
        self._row_version = row_version
        self._markable = markable
        self._sort = sort
        self._wide = False
        self._offset = 0
        self._frame = Frame(0.0)
        self._viewport = Viewport(rows, row_id)
        self._marks = Marks(row_id)
        self._styles: dict[tuple[str, str], Style] = {}
        self._lines: LRUCache[object, Line] = LRUCache(1)
        self._painted: dict[int, Line] = {}
        self._artist: LineArtist[R] | None = None
        self._ticking: tuple[Callable[[R], bool], ...] = ()
        self._scrolling = False

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
    def _gutter(self) -> int:
        return GUTTER if self._markable else 0

    @property
    def _room(self) -> int:
        """The cells that columns can take."""
        return max(0, self._line_width - self._gutter)

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
        gutter, room = self._gutter, self._room
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
        hidden = last_offset(self.columns, self._room, wide=self._wide)
        return artist.header(
            self._sort, self._frame, left=self._offset > 0, right=self._offset < hidden
        )

    def _look(self, row_id: str, marked: bool) -> str:
        cursor = ""
        if row_id == self._viewport.cursor_id:
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
