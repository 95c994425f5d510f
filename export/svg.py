"""Snapshots as an SVG image: the tables of the text format, in colour."""

from __future__ import annotations

import io
import re
from typing import Final

from rich.console import Console
from rich.text import Text

from .records import Snapshot
from .text import lines

_GOOD: Final = "#4caf50"
_BAD: Final = "#ef5350"
_ORANGE: Final = "#f5a623"
_BLUE: Final = "#4aa3ff"
_PURPLE: Final = "#b583f0"
_GREY: Final = "#9e9e9e"

STYLES: Final = {
    "state-success": _GOOD,
    "state-failure": _BAD,
    "state-pending": _ORANGE,
    "state-received": _ORANGE,
    "state-started": _BLUE,
    "state-retry": _PURPLE,
    "state-revoked": _GREY,
    "state-custom": "#4dd0e1",
    "good": _GOOD,
    "warn": _ORANGE,
    "bad": _BAD,
    "muted": _GREY,
    "header": f"bold {_GREY}",
    "title": "bold",
}
"""The colours of the Django admin and Flower."""

_FONT_FACE: Final = re.compile(r"@font-face\s*\{[^}]*\}")


def render(snapshot: Snapshot, width: int, limit: int) -> str:
    """Return the snapshot as an SVG document without external resources (see `text.render`)."""
    console = Console(
        record=True,
        width=width,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
        emoji=False,
        markup=False,
        highlight=False,
    )
    for line in lines(snapshot, width, limit):
        text = Text(no_wrap=True, overflow="ignore")
        for part, style in line:
            # `Text.append` takes plain text: markup in it is not interpreted.
            text.append(part, STYLES.get(style, ""))
        console.print(text, crop=False)
    svg = console.export_svg(title="celtop", unique_id="celtop")
    return _FONT_FACE.sub("", svg)
