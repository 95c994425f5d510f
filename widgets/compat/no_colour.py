"""NO_COLOR: text attributes alone, also for what is red."""

from __future__ import annotations

from typing import Any, Final

from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.filter import LineFilter, Monochrome

RED: Final = 1
"""The number of red among the 16 colours of terminals."""
_PLAIN: Final = Style(color="default", bgcolor="default")
_BOLD: Final = Style(color="default", bgcolor="default", bold=True)


class NoColourFilter(LineFilter):
    """Removes all colours. What is red, such as the worst problems, is bold instead."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments without colours."""
        return [
            Segment(text, None if style is None else style + _attributes(style), control)
            for text, style, control in segments
        ]


def _attributes(style: Style) -> Style:
    return _BOLD if style.color is not None and style.color.number == RED else _PLAIN


def drop_all_colour(app: App[Any]) -> None:
    """Send no colour codes at all, for NO_COLOR.

    Textual chooses its filter before a theme can be set, and its filter still sends greys.
    """
    filters = getattr(app, "_filters", None)
    if filters is not None:
        filters[:] = [NoColourFilter() if isinstance(one, Monochrome) else one for one in filters]
