"""Tables as lines of styled cells, fitted into a width of terminal cells.

The text of cells must be free of control characters (see `model.text.sanitize`). The text format
joins the lines, the SVG format colours them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from rich.cells import cell_len, chop_cells, set_cell_size

from ...model.text.units import is_within_value

Cell: TypeAlias = tuple[str, str]
"""Text and the name of a style, "" for none."""

Line: TypeAlias = list[Cell]

GAP: Final = 2
ELLIPSIS: Final = ".."
"""The end of a shortened text, in ASCII."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column."""

    title: str
    right: bool = False
    min_width: int | None = None
    """The width that it can shrink to; None if it cannot shrink."""
    priority: int = 0
    """The columns of the highest number are left out first, of the same number the last one."""
    keeps_end: bool = False
    """Whether the start of a long text is cut, as of a dotted name."""
    shorten: Callable[[str, int, str], str] | None = None
    """Returns a short form of a text for a width, with an ellipsis; used if the text is wider."""


def table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int) -> list[Line]:
    """Return the header and the rows; columns that do not fit are left out by their priority."""
    widths = [
        max([len(column.title), *(cell_len(row[place][0]) for row in rows)])
        for place, column in enumerate(columns)
    ]
    places = list(range(len(columns)))
    while (fitted := _fitted(columns, widths, places, width)) is None:
        places.remove(max(places, key=lambda place: (columns[place].priority, place)))
    header: list[Cell] = [(column.title, "header") for column in columns]
    shown = [columns[place] for place in places]
    return [_line(shown, fitted, [row[place] for place in places]) for row in (header, *rows)]


def plain(line: Line) -> str:
    """Return a line as text without trailing spaces."""
    return "".join(text for text, _ in line).rstrip()


def fit(text: str, width: int, right: bool = False, *, keeps_end: bool = False) -> str:
    """Return a text shortened or padded to a width in terminal cells."""
    length = cell_len(text)
    if length > width:
        kept = max(0, width - len(ELLIPSIS))
        if keeps_end:
            end = text[max(0, len(text) - kept) :]
            while cell_len(end) > kept:
                end = end[1:]
            return ELLIPSIS[: width - kept] + set_cell_size(end, kept)
        return set_cell_size(text, kept) + ELLIPSIS[: width - kept]
    blanks = " " * (width - length)
    return blanks + text if right else text + blanks


def cut(line: Line, width: int) -> Line:
    """Return the start of a line that fits a width."""
    fitted: Line = []
    for text, style in line:
        if cell_len(text) >= width:
            return [*fitted, (fit(text, width), style)] if width > 0 else fitted
        fitted.append((text, style))
        width -= cell_len(text)
    return fitted


def flow(cells: Sequence[Cell], width: int) -> list[Line]:
    """Return cells on as many lines as they need; a cell wider than a line is on several."""
    out: list[Line] = [[]]
    used = 0
    for text, style in cells:
        for part in (text,) if cell_len(text) <= width else chop_cells(text, max(2, width)):
            if used + cell_len(part) > width:
                out.append([])
                used = 0
            if used or not part.isspace():
                out[-1].append((part, style))
                used += cell_len(part)
    return out


def wrap(text: str, width: int) -> list[str]:
    """Return a text as lines, broken between words if possible, and within no value."""
    out = [""]
    for word in _words(text):
        joined = f"{out[-1]} {word}" if out[-1] else word
        if cell_len(joined) <= width:
            out[-1] = joined
        else:
            out += chop_cells(word, max(2, width))
    return [line for line in out if line]


def _words(text: str) -> Iterator[str]:
    start = 0
    for blank in (number for number, char in enumerate(text) if char == " "):
        if not is_within_value(text, blank):
            yield text[start:blank]
            start = blank + 1
    yield text[start:]


def _line(columns: Sequence[Column], widths: Sequence[int], cells: Sequence[Cell]) -> Line:
    line: Line = []
    for column, width, (text, style) in zip(columns, widths, cells, strict=False):
        if line:
            line.append((" " * GAP, ""))
        if column.shorten is not None and len(text) > width:
            text = column.shorten(text, width, ELLIPSIS)
        line.append((fit(text, width, column.right, keeps_end=column.keeps_end), style))
    return line


def _fitted(
    columns: Sequence[Column], widths: Sequence[int], places: Sequence[int], width: int
) -> list[int] | None:
    """Return the widths of some columns, the widest of them shrunk; None if they do not fit."""
    fitted = [widths[place] for place in places]
    if len(places) == 1:
        return [min(fitted[0], width)]
    least = [
        fit if (own := columns[place].min_width) is None else min(fit, own)
        for place, fit in zip(places, fitted, strict=True)
    ]
    gaps = GAP * (len(places) - 1)
    if sum(least) + gaps > width:
        return None
    for _ in range(sum(fitted) + gaps - width):
        slack = [at for at, fit in enumerate(fitted) if fit > least[at]]
        fitted[max(slack, key=fitted.__getitem__)] -= 1
    return fitted
