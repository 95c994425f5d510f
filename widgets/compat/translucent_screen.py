"""Screens through which the one below shows.

It draws with the private compositor of the screen below. Tested with Textual 8.2.8.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import Screen
from textual.strip import Strip

R = TypeVar("R")

MAX_STYLES: Final = 2_000
"""Styles of text below, in all themes, for which the tinted ones are kept."""


class TranslucentScreen(Screen[R], inherit_bindings=False):
    """A screen that tints the lines of the screen below, each style once.

    Textual has Rich draw all of the screen below as text that is split into lines again, and mixes
    the colours of each piece of it: a third of the time to open a dialog.
    """

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the lines of the screen below, tinted with the background."""
        stack = self.app.screen_stack
        place = stack.index(self) if self in stack else 0
        if not place or self.styles.background.a == 1:
            return super().render_lines(crop)
        compositor = stack[place - 1]._compositor
        seen = crop.intersection(compositor.size.region)  # smaller until it is resized, too
        chops = compositor._render_chops(seen, seen.line_range.__contains__)
        below = [Strip.join(chops[y].values()) for y in seen.line_range]
        lines = [self._tinted(line).crop(*crop.column_span) for line in below]
        blank = Strip.blank(crop.width, self.visual_style.rich_style)
        return lines + [blank] * (crop.height - len(lines))

    def _tinted(self, line: Strip) -> Strip:
        base, colour = self.visual_style.rich_style, self.styles.background
        segments = [Segment(text, _tinted(style, base, colour)) for text, style, _ in line]
        tinted = Strip(segments, line.cell_length)
        for line_filter in self.get_line_filters():
            tinted = tinted.apply_filter(line_filter, self.background_colors[1])
        return tinted


@lru_cache(maxsize=MAX_STYLES)
def _tinted(style: Style | None, base: Style, colour: Color) -> Style | None:
    """Return a style as Textual tints it: without links and actions."""
    [segment] = BackgroundScreen.process_segments([Segment(" ", style)], colour)
    return base + segment.style if segment.style else base
