"""Lines of styled cells with the colours of a terminal, which its user has chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .tables import Line

_CODES: Final[Mapping[str, str]] = {
    "accent": "36",
    "bad": "31",
    "bar": "34",
    "bar-rest": "2",
    "good": "32",
    "header": "1;2",
    "idle": "2",
    "muted": "2",
    "state-custom": "36",
    "state-failure": "31",
    "state-pending": "33",
    "state-received": "33",
    "state-retry": "35",
    "state-revoked": "2",
    "state-started": "34",
    "state-success": "32",
    "title": "1",
    "warn": "33",
}
"""Parameters of `ESC [ ... m` (SGR, ECMA-48) by style."""


def coloured(line: Line) -> str:
    """Return a line with colours and without trailing spaces."""
    parts = []
    last = len(line) - 1
    for place, (text, style) in enumerate(line):
        shown = text.rstrip() if place == last else text
        code = _CODES.get(style)
        parts.append(f"\x1b[{code}m{shown}\x1b[0m" if code and shown else shown)
    return "".join(parts)
