"""A traceback to read: the exception, then the calls, the app's own with their source.

Its text is not trusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from ..model.text.frames import TracebackFrame
from .compat.component_style import component_style
from .compat.textual_internals import LazyComponents
from .glyphs import UNICODE, Glyphs
from .table.viewport import Motion
from .traceback_lines import DrawnLine, TracebackLine, draw, traceback_lines

MARK_WIDTH = 2
"""Cells of the mark of a folded frame and the blank after it."""
_STYLES = ("text", "muted", "accent", "bad", "error", "function", "match", "cursor")


class TracebackView(ScrollView, LazyComponents, can_focus=True, inherit_bindings=False):
    """A traceback with a cursor, which begins on the innermost call of the app's own code."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"traceback--{name}" for name in _STYLES}

    DEFAULT_CSS = """
    TracebackView {
        height: 1fr;
        width: 1fr;
        scrollbar-size: 0 1;
        scrollbar-gutter: stable;
        color: $foreground;
        & > .traceback--muted { color: $text-muted; }
        & > .traceback--accent { color: $text-accent; text-style: bold; }
        & > .traceback--bad { color: $text-error; }
        & > .traceback--error { color: $text-error; text-style: bold; }
        & > .traceback--function { text-style: bold; }
        & > .traceback--match { text-style: reverse; }
        & > .traceback--cursor { background: $block-cursor-blurred-background; }
    }
    TracebackView:nocolor > .traceback--cursor { text-style: reverse; }
    TracebackView:ansi {
        & > .traceback--muted { text-style: dim; }
        & > .traceback--cursor { background: ansi_default; text-style: reverse; }
    }
    """

    @dataclass
    class Opened(Message):
        """A frame was opened."""

        view: TracebackView
        frame: TracebackFrame

        @property
        def control(self) -> TracebackView:
            """The traceback."""
            return self.view

    def __init__(
        self,
        text: str = "",
        task: str | None = None,
        *,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
    ) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self._text: tuple[str, str | None] = (text, task)
        self._lines: list[TracebackLine] = traceback_lines(text, task)
        self._opened = False
        self._cursor = 0
        """The index of a drawn line."""
        self._match: tuple[int, int, int] | None = None
        """The line of text, and the beginning and end in it, that was searched."""
        self._width = 0
        self._drawn: list[DrawnLine] = []
        self._styles: dict[tuple[str, bool], Style] = {}
        self._draw()
        self._to_own_frame()

    def show(self, text: str, task: str | None = None) -> None:
        """Show another traceback, from its beginning.

        Args:
            text: The traceback, or another text to show instead.
            task: The name of the task, by which the code of an installed app is recognized.
        """
        if (text, task) == self._text:
            return
        self._text = (text, task)
        self._lines = traceback_lines(text, task)
        self._opened, self._match = False, None
        self._draw()
        self._to_own_frame()
        self.scroll_to(0, 0, animate=False, immediate=True)
        self.refresh(layout=True)

    @property
    def own_frame(self) -> TracebackFrame | None:
        """The innermost frame of the app's own code."""
        return next((line.frame for line in self._lines if line.kind == "own"), None)

    @property
    def frame(self) -> TracebackFrame | None:
        """The frame under the cursor."""
        line = self._cursor_line
        return None if line is None else line.frame

    @property
    def on_library(self) -> bool:
        """Whether the cursor is on a frame that can be folded."""
        line = self._cursor_line
        return line is not None and line.frame is not None and not line.own

    @property
    def _cursor_line(self) -> TracebackLine | None:
        return self._lines[self._drawn[self._cursor].line] if self._drawn else None

    # Searching

    def search_lines(self) -> list[str]:
        """Return the whole text, including folded lines."""
        return [line.text for line in self._lines]

    def show_match(self, line: int, start: int, end: int) -> int:
        """Scroll to a part of a line and highlight it, unfolded; return its y."""
        if not any(drawn.line == line for drawn in self._drawn):
            self._open(True)
        self._match = (line, start, end)
        drawn = [number for number, each in enumerate(self._drawn) if each.line == line]
        before = [number for number in drawn if self._drawn[number].start <= start]
        self._move_to(before[-1] if before else drawn[0] if drawn else self._cursor)
        return self._cursor - self.scroll_offset.y

    def hide_match(self) -> None:
        """Remove the highlight."""
        if self._match is not None:
            self._match = None
            self.refresh()

    # Actions

    def action_move(self, motion: Motion) -> None:
        """Move the cursor: `down`, `page_up`, `bottom`, ..."""
        if not self._drawn:
            return
        top, height = self.scroll_offset.y, max(1, self._room.height)
        if motion in ("down", "up") and not top <= self._cursor < top + height:
            self._move_to(self._cursor)  # the first step brings it into view
            return
        page, half = max(1, height - 1), max(1, height // 2)
        steps = {
            "down": 1,
            "up": -1,
            "page_down": page,
            "page_up": -page,
            "half_down": half,
            "half_up": -half,
            "top": -self._cursor,
            "bottom": len(self._drawn),
        }
        self._move_to(self._cursor + steps[motion])

    def action_fold(self) -> None:
        """Show or hide the source of the frames of libraries."""
        self._open(not self._opened)

    def action_open(self) -> None:
        """Open the frame under the cursor."""
        if self.frame is not None:
            self.post_message(self.Opened(self, self.frame))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor; a double click opens the frame, a click on its mark unfolds it."""
        offset = event.get_content_offset(self)
        if offset is None or not self._drawn:
            return
        place = offset + self.scroll_offset
        self._move_to(place.y)
        if place.x < MARK_WIDTH and self.on_library:
            self.action_fold()
        elif event.chain == 2:
            self.action_open()

    def _open(self, opened: bool) -> None:
        line = self._drawn[self._cursor].line if self._drawn else 0
        self._opened = opened
        self._draw()
        # The source of the frame may be folded now: the cursor goes to its heading.
        at = [number for number, drawn in enumerate(self._drawn) if drawn.line <= line]
        self.refresh(layout=True)
        self._move_to(at[-1] if at else 0)

    def _to_own_frame(self) -> None:
        own = (self.own_frame, *(line.frame for line in self._lines if line.own))
        wanted = next((frame for frame in own if frame is not None), None)
        lines = (number for number, line in enumerate(self._lines) if line.frame is wanted)
        first = next(lines, 0) if wanted is not None else 0
        self._cursor = next((at for at, each in enumerate(self._drawn) if each.line == first), 0)

    def _move_to(self, index: int) -> None:
        self._cursor = max(0, min(index, len(self._drawn) - 1))
        line = Region(self.scroll_offset.x, self._cursor, 1, 1)
        self.scroll_to_region(line, animate=False, force=True, x_axis=False, immediate=True)
        self.refresh()

    # Drawing

    @property
    def _room(self) -> Size:
        return self.scrollable_content_region.size

    def _draw(self) -> None:
        """Lay the lines out for the present width."""
        self._drawn = draw(self._lines, self._width or 80, opened=self._opened, glyphs=self._glyphs)
        width = max((cell_len(each.text) for each in self._drawn), default=0)
        self.virtual_size = Size(max(self._width, width), len(self._drawn))
        self._cursor = max(0, min(self._cursor, len(self._drawn) - 1))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of lines at a width."""
        self._fit(width)
        return len(self._drawn)

    def on_resize(self, event: events.Resize) -> None:
        """Wrap and shorten the lines for another width."""
        self._fit(self._room.width)

    def _fit(self, width: int) -> None:
        if width and width != self._width:
            line = self._drawn[self._cursor].line if self._drawn else 0
            self._width = width
            self._draw()
            places = (number for number, each in enumerate(self._drawn) if each.line == line)
            self._cursor = next(places, self._cursor)

    def notify_style_update(self) -> None:
        """Forget the styles that lines were drawn in."""
        self._styles.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """Return a line of the screen."""
        scroll_x, scroll_y = self.scroll_offset
        width, index = self.size.width, scroll_y + y
        if index >= len(self._drawn):
            return Strip.blank(width, self.rich_style)
        cursor = index == self._cursor and self.has_focus
        strip = self._strip(index, cursor)
        room = self._room.width
        if room and strip.cell_length > scroll_x + room:
            more = Segment(self._glyphs.more_right, self._style("muted", cursor))
            strip = Strip([*strip.crop(0, scroll_x + room - 1), more])
        strip = strip.crop_extend(scroll_x, scroll_x + width, self._style("text", cursor))
        return strip.apply_offsets(scroll_x, index)

    def _strip(self, index: int, cursor: bool) -> Strip:
        drawn = self._drawn[index]
        highlighted = self._highlighted(index)
        segments: list[Segment] = []
        at = 0
        for text, name in drawn.parts:
            style = self._style(name, cursor)
            for start, end, extra in _spans(at, at + len(text), highlighted):
                part = text[start - at : end - at]
                segments.append(Segment(part, style + extra if extra is not None else style))
            at += len(text)
        return Strip(segments)

    def _highlighted(self, index: int) -> tuple[int, int, Style] | None:
        """Return the part of a drawn line that is selected or was searched, and its style."""
        selection = self.text_selection
        span = None if selection is None else selection.get_span(index)
        drawn = self._drawn[index]
        if span is not None:
            start, end = span
            style = self.screen.get_component_rich_style("screen--selection")
            return start, len(drawn.text) if end == -1 else end, style
        if self._match is None or self._match[0] != drawn.line:
            return None
        shift = drawn.margin - drawn.start
        start, end = self._match[1] + shift, self._match[2] + shift
        if end <= drawn.margin:
            return None
        return max(drawn.margin, start), end, component_style(self, "traceback--match")

    def _style(self, name: str, cursor: bool) -> Style:
        key = (name, cursor)
        if key not in self._styles:
            style = self.rich_style + component_style(self, f"traceback--{name}")
            over = component_style(self, "traceback--cursor") if cursor else Style.null()
            self._styles[key] = style + over
        return self._styles[key]

    def watch_has_focus(self, has_focus: bool) -> None:
        """Draw the cursor only while focused."""
        super().watch_has_focus(has_focus)
        self.refresh()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the text that was selected with the mouse."""
        return selection.extract("\n".join(each.text for each in self._drawn)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Highlight the selected text."""
        self.refresh()


def _spans(
    start: int, end: int, highlighted: tuple[int, int, Style] | None
) -> list[tuple[int, int, Style | None]]:
    """Return the parts of a range that are highlighted or not, without empty ones."""
    if highlighted is None:
        return [(start, end, None)]
    first = max(start, min(highlighted[0], end))
    last = max(first, min(highlighted[1], end))
    parts = ((start, first, None), (first, last, highlighted[2]), (last, end, None))
    return [part for part in parts if part[0] < part[1]]
