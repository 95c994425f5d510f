"""Documents as an SVG image: the tables of the text format, in colour."""

from __future__ import annotations

import io
import re
from typing import Final

from rich.console import Console
from rich.text import Text

from .colours import STYLES
from .document import Document
from .text import lines

_FONT_FACE: Final = re.compile(r"@font-face\s*\{[^}]*\}")


def render(document: Document, width: int) -> str:
    """Return the document as an SVG image without external resources (see `text.render`)."""
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
    for line in lines(document, width):
        text = Text(no_wrap=True, overflow="ignore")
        for part, style in line:
            # `Text.append` takes plain text: markup in it is not interpreted.
            text.append(part, STYLES.get(style, ""))
        console.print(text, crop=False)
    svg = console.export_svg(title="celtop", unique_id="celtop")
    return _FONT_FACE.sub("", svg)
