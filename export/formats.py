"""The formats of a snapshot: one table for `celtop snapshot --format` and for saving a screen.

Encoders are imported when they are used: the help of a command shows the names alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from .records import Snapshot


def _json(snapshot: Snapshot, width: int, limit: int) -> bytes:
    from .json import encode

    return encode(snapshot)


def _text(snapshot: Snapshot, width: int, limit: int) -> bytes:
    from .text import render

    return render(snapshot, width, limit).encode()


def _svg(snapshot: Snapshot, width: int, limit: int) -> bytes:
    from .svg import render

    return render(snapshot, width, limit).encode()


class Format(NamedTuple):
    """One format."""

    name: str
    suffix: str
    """The suffix of its files, with the dot."""
    encode: Callable[[Snapshot, int, int], bytes]
    """Encodes a snapshot. Text and SVG fit it into a width in cells and a number of tasks."""


FORMATS: Final = {
    one.name: one
    for one in (
        Format("json", ".json", _json),
        Format("text", ".txt", _text),
        Format("svg", ".svg", _svg),
    )
}
"""All formats, by name."""

SUFFIXES: Final = tuple(one.suffix for one in FORMATS.values())
"""What the names of saved files can end in."""


def format_of(suffix: str) -> Format | None:
    """Return the format of files with a suffix, or None if there is none."""
    return next((one for one in FORMATS.values() if one.suffix == suffix), None)
