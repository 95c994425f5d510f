"""The styles of the lines of a live table."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.filter import LineFilter
from textual.widget import Widget

from ..compat.component_style import component_style

MAX_KNOWN: Final = 200
"""Looks of tables, in all their states and themes, whose styles are kept."""


class LookStyles(dict[str, Style]):
    """The cell styles, by name, of lines with one look; computed on first use."""

    def __init__(self, make: Callable[[str], Style]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, name: str) -> Style:
        style = self[name] = self._make(name)
        return style


def look_styles(table: Widget, look: str, filters: Sequence[LineFilter]) -> LookStyles:
    """Return the styles of a table's lines of a look, such as `marked cursor`.

    Those of one table are taken for all that look alike: each page has tables of its own.
    """
    base, background = table.rich_style, table.background_colors[1]
    state = (table.classes, table.has_focus, table.mouse_hover, table.is_disabled)
    known = _known(
        (type(table), state, look),
        base,
        background,
        tuple(filters),
        frozenset(table.app.theme_variables.items()),
    )

    def make(name: str) -> Style:
        if name not in known:
            over = sum((_component(table, one) for one in look.split()), Style.null())
            segments = [Segment("", base + _component(table, name) + over)]
            for line_filter in filters:
                segments = line_filter.apply(segments, background)
            known[name] = segments[0].style or base
        return known[name]

    return LookStyles(make)


@lru_cache(maxsize=MAX_KNOWN)
def _known(*state: Hashable) -> dict[str, Style]:
    """Return the styles that are known for a state, to be completed."""
    return {}


def _component(table: Widget, name: str) -> Style:
    return component_style(table, f"livetable--{name}")
