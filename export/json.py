"""JSON output: what all documents share."""

from __future__ import annotations

import msgspec


def encode(document: object) -> bytes:
    """Return a record as UTF-8 JSON, indented by two for `diff`, with a newline at its end.

    Control characters are escaped, as JSON requires; other text is as it came from the cluster.
    """
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def utf8(text: str) -> str:
    """Return a text that UTF-8 can encode: lone surrogates are escaped."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def utf8_or_none(text: str | None) -> str | None:
    """Return the same for an optional text."""
    return None if text is None else utf8(text)
