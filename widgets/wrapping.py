"""Where a text is broken to fit into a width in cells."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import get_character_cell_size

from ..model.text.units import is_within_value


def wrap(
    text: str, width: int, indent: int = 0, *, fill: bool = False
) -> Iterator[tuple[int, int]]:
    """Yield where the parts of a line begin and end that fit into a width, whole words if possible.

    A value stays with its unit. The parts after the first are narrower by `indent` cells. If
    `fill`, a long word fills the line rather than leave most of it blank.
    """
    start, room = 0, max(1, width)
    while True:
        end = start + _fitting(text, start, room)
        if end >= len(text):
            yield start, len(text)
            return
        space = _last_blank(text, start, end + 1)
        least = start + (end - start) // 3 if fill else start
        cut = space if space > least else end
        yield start, cut
        start = cut + (text[cut : cut + 1] == " ")
        room = max(1, width - indent)


def _last_blank(text: str, start: int, end: int) -> int:
    """Return the last blank, if possible within no value, in a part of a text; -1 if none."""
    blank = last = text.rfind(" ", start, end)
    while blank >= 0 and is_within_value(text, blank):
        blank = text.rfind(" ", start, blank)
    return last if blank < 0 else blank


def _fitting(text: str, start: int, room: int) -> int:
    """Return the number of characters from `start` that fit, at least one."""
    part = text[start : start + room]
    if part.isascii():
        return len(part)
    cells = 0
    for number, char in enumerate(part):
        cells += get_character_cell_size(char)
        if cells > room:
            return max(1, number)
    return len(part)
