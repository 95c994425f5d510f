"""Lines of a live table: cells turned into strips, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from .cells import Cell, fit, fit_cells, is_single
from .column import GAP, Frame, Placed

R = TypeVar("R")


@dataclass(slots=True, eq=False)
class Line:
    """A drawn line."""

    row_id: str | None
    look: str
    """How the whole line is styled: cursor, mark; lines of two looks differ everywhere."""
    cells: tuple[tuple[Segment, ...], ...]
    """The gutter's segments, then those of each column, its gap included."""
    strip: Strip


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a line, in cells."""

    x: int
    width: int


class LineArtist(Generic[R]):
    """Draws lines for one arrangement of columns in one width."""

    def __init__(
        self,
        placed: Sequence[Placed[R]],
        *,
        gutter: int,
        width: int,
        style: Callable[[str, str], Style],
    ) -> None:
        """Remember the arrangement.

        Args:
            placed: The columns at their places.
            gutter: Cells before the first column.
            width: Cells of a whole line.
            style: From a cell's style and a line's look to a Rich style.
        """
        self.placed = tuple(placed)
        self.gutter = gutter
        self.width = width
        self._style = style

    def row(self, row: R, row_id: str, look: str, mark: str, frame: Frame) -> Line:
        """Draw a row."""
        style = self._style
        ellipsis = frame.glyphs.ellipsis
        blank = style("text", look)
        gap = Segment(" " * GAP, blank)
        cells: list[tuple[Segment, ...]] = []
        if self.gutter:
            cells.append((Segment(mark.ljust(self.gutter)[: self.gutter], style("mark", look)),))
        for place in self.placed:
            column = place.column
            content = column.cell(row, frame)
            if is_single(content):
                text, name = content
                text = fit(text, place.width, ellipsis, column.justify)
                cells.append((Segment(text, style(name, look)), gap))
            else:
                parts = cast(Sequence[Cell], content)
                fitted = fit_cells(parts, place.width, ellipsis, column.justify)
                cells.append((*(Segment(text, style(name, look)) for text, name in fitted), gap))
        return self._line(row_id, look, cells, blank)

    def header(self, sort: tuple[str, bool] | None, frame: Frame, left: bool, right: bool) -> Line:
        """Draw the titles; `left` and `right` tell that columns are hidden on that side."""
        glyphs = frame.glyphs
        plain = self._style("header", "")
        sorted_by = self._style("header-sorted", "")
        cells: list[tuple[Segment, ...]] = []
        if self.gutter:
            more = glyphs.more_left if left else ""
            cells.append((Segment(more.ljust(self.gutter), plain),))
        for number, place in enumerate(self.placed, start=1):
            column = place.column
            title, used = column.title, plain
            if sort is not None and sort[0] == column.id:
                arrow = glyphs.descending if sort[1] else glyphs.ascending
                title = fit(title, min(len(title), max(0, place.width - 1)), glyphs.ellipsis)
                title, used = title + arrow, sorted_by
            text = fit(title, place.width, glyphs.ellipsis, column.justify)
            if right and number == len(self.placed):
                text = text[:-1] + glyphs.more_right
            cells.append((Segment(text, used), Segment(" " * GAP, plain)))
        return self._line(None, "header", cells, plain)

    def message(self, text: str, frame: Frame) -> Line:
        """Draw a line of text in place of rows."""
        style = self._style("empty", "")
        text = fit(" " * self.gutter + text, self.width, frame.glyphs.ellipsis)
        return self._line(None, "", [(Segment(text, style),)], style)

    def changes(self, old: Line | None, new: Line) -> list[Span]:
        """Return the parts in which a line differs from what was drawn in its place."""
        if (
            old is None
            or old.look != new.look
            or len(old.cells) != len(new.cells)
            or len(new.cells) != len(self.placed) + (self.gutter > 0)
        ):
            return [] if old is not None and old.cells == new.cells else [Span(0, self.width)]
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
        if self.gutter:
            if number == 0:
                return 0, self.gutter
            number -= 1
        place = self.placed[number]
        x = self.gutter + place.x
        return x, max(0, min(place.width + GAP, self.width - x))

    def _line(
        self, row_id: str | None, look: str, cells: Sequence[tuple[Segment, ...]], blank: Style
    ) -> Line:
        """Put cells together to a line of exactly the width."""
        segments = [segment for cell in cells for segment in cell]
        taken = sum(segment.cell_length for segment in segments)
        if taken > self.width:
            segments.pop()
            taken -= GAP
        if taken < self.width:
            segments.append(Segment(" " * (self.width - taken), blank))
            taken = self.width
        strip = Strip(segments, taken)
        if taken > self.width:
            strip = strip.crop(0, self.width)
        return Line(row_id, look, tuple(cells), strip)
