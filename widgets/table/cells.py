"""The text of a table's cells: sanitized, cut to a width in terminal cells, with a style's name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias, TypeGuard, cast

from rich.cells import cell_len, set_cell_size

from ...model.text.sanitize import visible

Cell: TypeAlias = tuple[str, str]
"""A text and the name of its style, one of `colours.COLOURS`."""

Justify: TypeAlias = Literal["left", "right"]

_CHARACTERS_PER_CELL: Final = 4
"""Code points that are read per cell: enough for combining marks, and a bound for huge texts."""

PART_GAP: Final = "  "
"""What the text of a part of its own begins with: it is not the rest of the text before it."""
MIN_PART_WIDTH: Final = 10
"""Cells, with the gap, below which the start of such a part means nothing: it is left out."""
MIN_REST_WIDTH: Final = 6
"""Cells below which the start of the rest of a text means nothing: only the ellipsis is shown."""


def is_single(content: Cell | Sequence[Cell]) -> TypeGuard[Cell]:
    """Return whether this is one cell, not a sequence of cells."""
    return len(content) > 0 and isinstance(content[0], str)


def plain(content: Cell | Sequence[Cell]) -> str:
    """Return the whole text of a cell, or of a sequence of cells."""
    if is_single(content):
        return content[0]
    return "".join(text for text, _ in cast(Sequence[Cell], content))


def sanitized(text: str, width: int) -> str:
    """Return the start of a text, enough for `width` cells, with control characters made visible.

    Cells should be sanitized already; this is the last check before the terminal.
    """
    limit = width * _CHARACTERS_PER_CELL + 1
    if len(text) > limit:
        text = text[:limit]
    return visible(text)


def fit(
    text: str, width: int, ellipsis: str, justify: Justify = "left", *, keeps_end: bool = False
) -> str:
    """Return a text in exactly `width` cells: padded, or cut at its end or start."""
    if len(text) <= width and text.isascii() and text.isprintable():
        return text.ljust(width) if justify == "left" else text.rjust(width)
    end = text[-width * _CHARACTERS_PER_CELL :]
    text = sanitized(text, width)
    size = cell_len(text)
    if size > width:
        if keeps_end:
            return cut_start(sanitized(end, width), width, ellipsis)
        return cut(text, width, ellipsis)
    padding = " " * (width - size)
    return text + padding if justify == "left" else padding + text


def cut(text: str, width: int, ellipsis: str) -> str:
    """Return a sanitized text that is too wide, cut to exactly `width` cells."""
    if width <= 0:
        return ""
    return set_cell_size(text, width - 1) + ellipsis


def cut_start(text: str, width: int, ellipsis: str) -> str:
    """Return the end of a sanitized text that is too wide, in exactly `width` cells."""
    if width <= 0:
        return ""
    start, room = len(text), width - 1
    while start and (size := cell_len(text[start - 1])) <= room:
        start -= 1
        room -= size
    return ellipsis + set_cell_size(text[start:], width - 1)


def fit_cells(
    cells: Sequence[Cell], width: int, ellipsis: str, justify: Justify = "left"
) -> list[Cell]:
    """Return cells cut or padded so that together they take exactly `width` cells."""
    fitted: list[Cell] = []
    left = width
    for text, style in cells:
        text = sanitized(text, left)
        size = len(text) if text.isascii() else cell_len(text)
        if size > left:
            if left:
                cut_text = cut(text, left, ellipsis)
                if fitted and text.startswith(PART_GAP):
                    cut_text = " " * left if left < MIN_PART_WIDTH else cut_text
                elif fitted and left < MIN_REST_WIDTH:
                    cut_text = ellipsis.rjust(left)
                fitted.append((cut_text, style))
            left = 0
            break
        if size:
            fitted.append((text, style))
        left -= size
    if left:
        at = 0 if justify == "right" else len(fitted)
        fitted.insert(at, (" " * left, "text"))
    return fitted
