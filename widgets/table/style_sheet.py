"""The component classes of a live table, and their styles."""

from __future__ import annotations

from typing import Final

from ..colours import COLOURS, colour_rules

STYLE_CLASSES: Final = {
    *(f"livetable--{name}" for name in COLOURS),
    "livetable--header",
    "livetable--header-sorted",
    "livetable--empty",
    "livetable--mark",
    "livetable--marked",
    "livetable--cursor",
    "livetable--cursor-blurred",
}
"""For each colour of cells, the titles, marks and the cursor."""

STYLE_SHEET: Final = """
LiveRows {
    height: 1fr;
    width: 1fr;
    overflow-x: hidden;
    overflow-y: auto;
    scrollbar-size-vertical: 1;
    color: $foreground;
    & > .livetable--header { color: $text-muted; text-style: bold; }
    & > .livetable--header-sorted { color: $text-primary; text-style: bold; }
    & > .livetable--empty { color: $text-muted; }
    & > .livetable--mark { color: $text-accent; text-style: bold; }
    & > .livetable--marked { text-style: bold; }
    & > .livetable--cursor {
        background: $block-cursor-background;
        color: $block-cursor-foreground;
    }
    & > .livetable--cursor-blurred { background: $block-cursor-blurred-background; }
}
LiveRows:nocolor {
    & > .livetable--cursor { text-style: reverse; }
    & > .livetable--cursor-blurred { text-style: bold; }
}
LiveRows:ansi {
    & > .livetable--muted { text-style: dim; }
    & > .livetable--bar-rest { text-style: dim; }
    & > .livetable--state-started { color: ansi_bright_blue; }
    & > .livetable--state-retry { color: ansi_magenta; }
    & > .livetable--state-revoked { text-style: dim; }
    & > .livetable--cursor {
        background: ansi_default;
        color: ansi_default;
        text-style: reverse;
    }
    & > .livetable--cursor-blurred { background: ansi_default; text-style: bold; }
}
""" + colour_rules("LiveRows > .livetable--")
