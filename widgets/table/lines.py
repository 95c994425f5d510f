"""The lines of a live table: cells as strips, and the differences between two lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar, cast

from rich.segment import Segment
from textual.strip import Strip

from ..compat.line_strip import LineStrip
from ..glyphs import Glyphs
from .cells import Cell, fit, fit_cells, is_single
from .column import GAP, Frame, Placed
from .look_styles import LookStyles
from .needs import MAX_MEASURED

R = TypeVar("R")


Drawn: TypeAlias = Segment | tuple[Segment, ...]
"""A drawn cell, including the gap after it."""


@dataclass(slots=True, eq=False)
class Line:
    """A drawn line."""

    row_id: str | None
    state: object
    """Changes when the line must be redrawn."""
    look: str
    """The style of the whole line, such as `marked cursor`; with another look all cells differ."""
    contents: list[Cell | Sequence[Cell]]
    """The columns' contents, before they are fitted."""
    cells: list[Drawn]
    """The gutter, if any, then each column."""
    strip: Strip


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a line, in cells."""

    x: int
    width: int


def sort_mark(glyphs: Glyphs, *, descending: bool) -> str:
    """Return the mark at the title of the sorted column; a letter stands apart from it."""
    mark = glyphs.descending if descending else glyphs.ascending
    return f" {mark}" if mark.isascii() else mark


class LineArtist(Generic[R]):
    """Draws the lines for one arrangement of columns at one width.

    Args:
        placed: The columns at their places.
        gutter: Cells before the first column.
        width: Cells of a whole line.
        styles: From a line's look to the styles of its cells.
    """

    def __init__(
        self,
        placed: Sequence[Placed[R]],
        *,
        gutter: int,
        width: int,
        styles: Callable[[str], LookStyles],
    ) -> None:
        self.placed = tuple(placed)
        self.gutter = gutter
        self.width = width
        self._styles = styles
        self.exceeded = False
        """Whether a cell was cut that is longer than those that the columns were measured by."""
        self._limits = [MAX_MEASURED] * len(self.placed)
        self._blank: Line | None = None
        self._gaps = [
            " " * max(0, min(GAP, width - gutter - place.x - place.width)) for place in self.placed
        ]

    def limit(self, widths: Mapping[str, int]) -> None:
        """Take the longest measured texts, in cells by column id: longer ones set `exceeded`."""
        self.exceeded = False
        self._limits = [
            MAX_MEASURED
            if place.column.fixed
            else max(place.width, widths.get(place.column.id, MAX_MEASURED))
            for place in self.placed
        ]

    def row(
        self,
        row: R,
        row_id: str,
        state: object,
        look: str,
        mark: str,
        frame: Frame,
        old: Line | None = None,
    ) -> Line:
        """Draw a row; unchanged cells are taken from the `old` line of the same row."""
        contents = [place.content(row, frame) for place in self.placed]
        if old is None or old.look != look:
            cells = self._gutter(mark, look) + [
                self._cell(number, content, look, frame) for number, content in enumerate(contents)
            ]
        else:
            cells = old.cells[:]
            first = len(cells) - len(contents)
            for number, content in enumerate(contents):
                if content != old.contents[number]:
                    cells[first + number] = self._cell(number, content, look, frame)
        return self._line(row_id, state, look, contents, cells)

    def _gutter(self, mark: str, look: str) -> list[Drawn]:
        if not self.gutter:
            return []
        return [Segment(mark.ljust(self.gutter)[: self.gutter], self._styles(look)["mark"])]

    def _cell(self, number: int, content: Cell | Sequence[Cell], look: str, frame: Frame) -> Drawn:
        place, gap, styles = self.placed[number], self._gaps[number], self._styles(look)
        ellipsis, justify = frame.glyphs.ellipsis, place.column.justify
        if is_single(content):
            text, name = content
            keeps_end = place.column.keeps_end
            if self._limits[number] < len(text) <= MAX_MEASURED:
                self.exceeded = True
            if place.column.shorten is not None and len(text) > place.width:
                text = place.column.shorten(text, place.width, ellipsis)
            text = fit(text, place.width, ellipsis, justify, keeps_end=keeps_end)
            return Segment(text + gap, styles[name])
        parts = cast(Sequence[Cell], content)
        if self._limits[number] < sum(len(text) for text, _ in parts) <= MAX_MEASURED:
            self.exceeded = True
        fitted = fit_cells(parts, place.width, ellipsis, justify)
        fitted.append((gap, "text"))
        return tuple([Segment(text, styles[name]) for text, name in fitted if text])

    def header(
        self, state: object, sort: tuple[str, bool] | None, frame: Frame, left: bool, right: bool
    ) -> Line:
        """Draw the titles; `left` and `right` mark hidden columns on that side."""
        glyphs = frame.glyphs
        styles = self._styles("")
        plain = styles["header"]
        cells: list[Drawn] = []
        if self.gutter:
            cells.append(Segment((glyphs.more_left if left else "").ljust(self.gutter), plain))
        for number, (place, gap) in enumerate(zip(self.placed, self._gaps, strict=True), start=1):
            column = place.column
            title, style = column.title.rstrip(), plain
            descending = None if sort is None or sort[0] != column.id else sort[1]
            if descending is not None:
                mark = sort_mark(glyphs, descending=descending)
                room = place.width + len(gap) - len(mark)
                title = fit(title, min(len(title), max(0, room)), glyphs.ellipsis)
                title, style = title + mark, styles["header-sorted"]
            text = fit(title, place.width, glyphs.ellipsis, column.justify)
            if descending is not None and len(title) > place.width:
                # The arrow takes the gap rather than a letter.
                text, gap = fit(title, place.width + len(gap), glyphs.ellipsis), ""
            if right and number == len(self.placed):
                text = (text + gap)[:-1] + glyphs.more_right
                gap = ""
            cells.append(Segment(text + gap, style))
        return self._line(None, state, "header", [], cells)

    def message(self, text: str, frame: Frame) -> Line:
        """Draw a line of text instead of a row; blank ones are all the same."""
        if not text and self._blank is not None:
            return self._blank
        blank = not text
        text = fit(" " * self.gutter + text, self.width, frame.glyphs.ellipsis)
        segment = Segment(text, self._styles("")["empty"])
        line = Line(None, None, "message", [], [segment], LineStrip([segment], self.width))
        if blank:
            self._blank = line
        return line

    def changes(self, old: Line | None, new: Line) -> list[Span]:
        """Return the parts in which a line differs from the line drawn in its place."""
        if old is None or old.look != new.look:
            return [Span(0, self.width)]
        if new.look == "message":
            return [] if old.cells == new.cells else [Span(0, self.width)]
        spans: list[Span] = []
        for number, (before, after) in enumerate(zip(old.cells, new.cells, strict=True)):
            if before is after or before == after:
                continue
            x, width = self._extent(number)
            if spans and spans[-1].x + spans[-1].width >= x:
                spans[-1] = Span(spans[-1].x, x + width - spans[-1].x)
            else:
                spans.append(Span(x, width))
        return spans

    def column_at(self, x: int) -> Placed[R] | None:
        """Return the column at a cell of the line."""
        for place in self.placed:
            if 0 <= x - self.gutter - place.x < place.width + GAP:
                return place
        return None

    def _extent(self, number: int) -> tuple[int, int]:
        """Return where a cell is, and its width with the gap."""
        if self.gutter:
            if number == 0:
                return 0, self.gutter
            number -= 1
        place = self.placed[number]
        return self.gutter + place.x, place.width + len(self._gaps[number])

    def _line(
        self,
        row_id: str | None,
        state: object,
        look: str,
        contents: list[Cell | Sequence[Cell]],
        cells: list[Drawn],
    ) -> Line:
        """Join cells to a line of exactly the width."""
        segments: list[Segment] = []
        for cell in cells:
            if isinstance(cell, Segment):
                segments.append(cell)
            else:
                segments += cell
        x, width = self._extent(len(cells) - 1) if cells else (0, 0)
        if x + width < self.width:
            rest = " " * (self.width - x - width)
            segments.append(Segment(rest, self._styles(look)["text"]))
        return Line(row_id, state, look, contents, cells, LineStrip(segments, self.width))
