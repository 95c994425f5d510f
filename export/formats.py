"""The formats of all documents: one table for the commands and for saving a screen.

Encoders are imported when they are used: the help of a command shows the names alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from .encoding.document import Document


def _text(document: Document, width: int) -> bytes:
    from .encoding.text import render

    return render(document, width).encode(errors="backslashreplace")


def _json(document: Document, width: int) -> bytes:
    from .encoding.json import encode

    return encode(document.record)


def _ndjson(document: Document, width: int) -> bytes:
    from .encoding.json import encode_lines

    return encode_lines(document.records)


def _csv(document: Document, width: int) -> bytes:
    from .encoding.csv import encode

    return encode(document)


def _markdown(document: Document, width: int) -> bytes:
    from .encoding.markdown import encode

    return encode(document)


def _svg(document: Document, width: int) -> bytes:
    from .encoding.svg import render

    return render(document, width).encode(errors="backslashreplace")


def _html(document: Document, width: int) -> bytes:
    from .encoding.html import encode

    return encode(document)


def _prometheus(document: Document, width: int) -> bytes:
    from .encoding.prometheus import encode

    return encode(document)


class Format(NamedTuple):
    """One format."""

    name: str
    suffix: str
    """The suffix of its files, with the dot."""
    encode: Callable[[Document, int], bytes]
    """Encodes a document. Text and SVG fit it into a width in terminal cells.

    Prometheus raises an ImportError without the package `prometheus_client`.
    """
    repeatable: bool = False
    """Whether the documents that `--watch` appends to one another can still be read."""


FORMATS: Final = {
    one.name: one
    for one in (
        Format("text", ".txt", _text, repeatable=True),
        Format("json", ".json", _json, repeatable=True),
        Format("ndjson", ".ndjson", _ndjson, repeatable=True),
        Format("csv", ".csv", _csv, repeatable=True),
        Format("markdown", ".md", _markdown),
        Format("svg", ".svg", _svg),
        Format("html", ".html", _html),
        Format("prometheus", ".prom", _prometheus),
    )
}
"""All formats, by name."""

SUFFIXES: Final = tuple(one.suffix for one in FORMATS.values())
"""The suffixes of saved files."""


def format_of(suffix: str) -> Format | None:
    """Return the format of files with a suffix, or None if there is none."""
    return next((one for one in FORMATS.values() if one.suffix == suffix), None)
