"""The picture of a screen, as SVG.

It reads the private compositor of `Screen`. Tested with Textual 8.2.8.
"""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console
from rich.segment import Segment, Segments
from textual.screen import Screen


class ScreenPicture:
    """A screen as it is now, which costs less than a frame; only as SVG it costs more.

    Textual's own screenshot is taken when it is needed: the line or dialog that asks for it is
    still there then, or its place is. It also forgets what the terminal has yet to be sent.

    Args:
        screen: The screen.
    """

    def __init__(self, screen: Screen[Any]) -> None:
        self._lines = screen._compositor.render_strips()
        self._size = screen.size
        self._title = screen.app.title

    def svg(self) -> str:
        """Return it as SVG."""
        width, height = self._size
        console = Console(
            width=width,
            height=height,
            file=StringIO(),
            force_terminal=True,
            color_system="truecolor",
            record=True,
            legacy_windows=False,
            safe_box=False,
        )
        segments = [segment for line in self._lines for segment in (*line, Segment.line())]
        console.print(Segments(segments[:-1]))
        return console.export_svg(title=self._title)
