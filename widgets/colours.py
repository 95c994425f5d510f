"""The colour of each style, in Textual's notation.

States have the hues of Flower's. Textual's themes lack two of them (`STATE_COLOURS`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

COLOURS: Final[Mapping[str, str]] = {
    "text": "",
    "muted": "$text-muted",
    "accent": "$text-accent",
    "good": "$text-success",
    "warn": "$text-warning",
    "bad": "$text-error",
    "idle": "$text-muted",
    "bar": "$text-primary",
    "bar-rest": "$foreground 30%",
    "state-success": "$text-success",
    "state-failure": "$text-error",
    "state-started": "$state-started",
    "state-received": "$text-warning",
    "state-pending": "$text-warning",
    "state-retry": "$state-retry",
    "state-revoked": "$text-muted",
    "state-custom": "$text-accent",
}

STATE_COLOURS: Final[Mapping[str, str]] = {"state-started": "#1c80e4", "state-retry": "#8f6ad8"}
"""Variables of themes that have none: they can be read on dark and on light backgrounds.

An app with these widgets returns them from `get_theme_variable_defaults`.
"""


def colour_rules(selector: str) -> str:
    """Return the CSS rules that give each style of a widget its colour.

    Args:
        selector: The component classes up to the style's name, such as `LiveRows > .livetable--`.
    """
    return "".join(
        f"{selector}{style} {{ color: {colour}; }}\n" for style, colour in COLOURS.items() if colour
    )
