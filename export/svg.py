"""Snapshots as a picture: the tables of the text format, coloured."""

from __future__ import annotations

import io
import re
from typing import Final

from rich.console import Console
from rich.text import Text

from .records import Snapshot
from .text import TASKS_SHOWN, lines

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
    "state-rejected": _GREY,
    "state-custom": "#4dd0e1",
    "good": _GOOD,
    "warn": _ORANGE,
    "bad": _BAD,
    "muted": _GREY,
    "header": f"bold {_GREY}",
    "title": "bold",
}
"""Colours as the Django admin and Flower have taught them."""

_FONT_FROM_THE_NET: Final = re.compile(r"@font-face\s*\{[^}]*\}")


def render(snapshot: Snapshot, width: int = 120, limit: int = TASKS_SHOWN) -> str:
    """Return the snapshot as an SVG document that loads nothing from anywhere.

    Args:
        snapshot: What to show.
        width: The most cells in a line.
        limit: The most tasks to show.
    """
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
            # `Text.append` takes a text as it stands: no markup in it is ever read.
            text.append(part, STYLES.get(style, ""))
        console.print(text, crop=False)
    svg = console.export_svg(title="celtop", unique_id="celtop")
    return _FONT_FROM_THE_NET.sub("", svg)
