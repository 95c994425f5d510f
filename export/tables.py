"""Tables as lines of styled cells, fitted into a width of terminal cells.

The text of cells must be free of control characters (see `model.text.sanitize`). The text format
joins the lines, the SVG format colours them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from rich.cells import cell_len, chop_cells, set_cell_size

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


def table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int) -> list[Line]:
    """Return the header and the rows; columns that do not fit are dropped from the right."""
    widths = [
        max([len(column.title), *(cell_len(row[place][0]) for row in rows)])
        for place, column in enumerate(columns)
    ]
    shown = list(columns)
    while shown and not _shrink(shown, widths, width):
        shown.pop()
    header: Line = [(column.title, "header") for column in shown]
    return [_line(shown, widths, row[: len(shown)]) for row in (header, *rows)]


def plain(line: Line) -> str:
    """Return a line as text without trailing spaces."""
    return "".join(text for text, _ in line).rstrip()


def fit(text: str, width: int, right: bool = False) -> str:
    """Return a text shortened or padded to a width in terminal cells."""
    length = cell_len(text)
    if length > width:
        kept = max(0, width - len(ELLIPSIS))
        return set_cell_size(text, kept) + ELLIPSIS[: width - kept]
    blanks = " " * (width - length)
    return blanks + text if right else text + blanks


def flow(cells: Sequence[Cell], width: int) -> list[Line]:
    """Return cells on as many lines as they need; a cell wider than a line is shortened."""
    out: list[Line] = [[]]
    used = 0
    for text, style in cells:
        text = text if cell_len(text) <= width else fit(text, width)
        if used + cell_len(text) > width:
            out.append([])
            used = 0
        if used or not text.isspace():
            out[-1].append((text, style))
            used += cell_len(text)
    return out


def wrap(text: str, width: int) -> list[str]:
    """Return a text as lines, broken at spaces if possible."""
    out = [""]
    for word in text.split(" "):
        joined = f"{out[-1]} {word}" if out[-1] else word
        if cell_len(joined) <= width:
            out[-1] = joined
        else:
            out += chop_cells(word, max(2, width))
    return [line for line in out if line]


def _line(columns: Sequence[Column], widths: Sequence[int], cells: Sequence[Cell]) -> Line:
    line: Line = []
    for column, width, (text, style) in zip(columns, widths, cells, strict=False):
        if line:
            line.append((" " * GAP, ""))
        line.append((fit(text, width, column.right), style))
    return line


def _shrink(columns: Sequence[Column], widths: list[int], width: int) -> bool:
    """Shrink the widest columns until all fit; return whether they do."""
    if len(columns) == 1:
        widths[0] = min(widths[0], width)
        return True
    fitted = widths[: len(columns)]
    excess = sum(fitted) + GAP * (len(columns) - 1) - width
    while excess > 0:
        slack = {
            place: fitted[place]
            for place, column in enumerate(columns)
            if column.min_width is not None and fitted[place] > column.min_width
        }
        if not slack:
            return False
        fitted[max(slack, key=slack.__getitem__)] -= 1
        excess -= 1
    widths[: len(columns)] = fitted
    return True
