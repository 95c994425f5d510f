"""The text of a table's cells: cut to a width in terminal cells, harmless, with a style's name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias, TypeGuard

from rich.cells import cell_len, set_cell_size

from ...model.text.sanitize import visible

Cell: TypeAlias = tuple[str, str]
"""A text and the name of its style, one of `CELL_STYLES`."""

Justify: TypeAlias = Literal["left", "right"]

CELL_STYLES: Final = (
    "text",
    "muted",
    "accent",
    "good",
    "warn",
    "bad",
    "bar",
    "bar-rest",
    "state-success",
    "state-failure",
    "state-started",
    "state-received",
    "state-retry",
    "state-revoked",
    "state-pending",
    "state-custom",
)

_STATE_STYLES: Final = {
    "SUCCESS": "state-success",
    "FAILURE": "state-failure",
    "STARTED": "state-started",
    "RECEIVED": "state-received",
    "RETRY": "state-retry",
    "REVOKED": "state-revoked",
    "REJECTED": "state-revoked",
    "PENDING": "state-pending",
}

_CHARACTERS_PER_CELL: Final = 4
"""How many code points of a text are looked at for each cell: room for combining marks, and a
bound on what a text of 10 MB can cost."""


def state_style(state: str) -> str:
    """Return the name of the style of a task state."""
    return _STATE_STYLES.get(state, "state-custom")


def is_single(content: Cell | Sequence[Cell]) -> TypeGuard[Cell]:
    """Tell one cell from a sequence of cells."""
    return len(content) > 0 and isinstance(content[0], str)


def harmless(text: str, width: int) -> str:
    """Return the start of a text, enough for `width` cells, with no character that acts.

    Cells come sanitised, but nothing else stands between a forgotten one and the terminal.
    """
    limit = width * _CHARACTERS_PER_CELL + 1
    if len(text) > limit:
        text = text[:limit]
    return text if text.isprintable() else visible(text)


def fit(text: str, width: int, ellipsis: str, justify: Justify = "left") -> str:
    """Return a text cut or padded to exactly `width` cells."""
    if len(text) <= width and text.isascii() and text.isprintable():
        return text.ljust(width) if justify == "left" else text.rjust(width)
    text = harmless(text, width)
    size = cell_len(text)
    if size > width:
        return cut(text, width, ellipsis)
    padding = " " * (width - size)
    return text + padding if justify == "left" else padding + text


def cut(text: str, width: int, ellipsis: str) -> str:
    """Return a harmless text that is too wide cut to exactly `width` cells."""
    if width <= 0:
        return ""
    return set_cell_size(text, width - 1) + ellipsis


def fit_cells(
    cells: Sequence[Cell], width: int, ellipsis: str, justify: Justify = "left"
) -> list[Cell]:
    """Return cells cut or padded so that together they take exactly `width` cells."""
    fitted: list[Cell] = []
    left = width
    for text, style in cells:
        text = harmless(text, left)
        size = len(text) if text.isascii() else cell_len(text)
        if size > left:
            if left:
                fitted.append((cut(text, left, ellipsis), style))
            left = 0
            break
        if size:
            fitted.append((text, style))
        left -= size
    if left:
        at = 0 if justify == "right" else len(fitted)
        fitted.insert(at, (" " * left, "text"))
    return fitted
