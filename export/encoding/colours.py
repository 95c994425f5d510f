"""The colours of pictures and pages, by style."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_GOOD: Final = "#4caf50"
_BAD: Final = "#ef5350"
_ORANGE: Final = "#f5a623"
_BLUE: Final = "#4aa3ff"
_PURPLE: Final = "#b583f0"
_CYAN: Final = "#4dd0e1"
_GREY: Final = "#9e9e9e"

STYLES: Final[Mapping[str, str]] = {
    "state-success": _GOOD,
    "state-failure": _BAD,
    "state-pending": _ORANGE,
    "state-received": _ORANGE,
    "state-started": _BLUE,
    "state-retry": _PURPLE,
    "state-revoked": _GREY,
    "state-custom": _CYAN,
    "accent": _CYAN,
    "bar": _BLUE,
    "bar-rest": _GREY,
    "idle": _GREY,
    "good": _GOOD,
    "warn": _ORANGE,
    "bad": _BAD,
    "muted": _GREY,
    "header": f"bold {_GREY}",
    "title": "bold",
}
"""The colours of the Django admin and Flower."""
