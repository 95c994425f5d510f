"""JSON output: what all documents share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

_HIDDEN: Final = re.compile(
    "[\x7f-\x9f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0001\U000e0020-\U000e007f]"
)
"""Characters that a terminal obeys or does not show: categories Cc, Cf, Zl and Zp above ASCII."""


def encode(document: object) -> bytes:
    """Return a record as UTF-8 JSON, indented by two for `diff`, with a newline at its end.

    Control, format and bidirectional characters are escaped, so that the text is safe to print.
    """
    return escape(msgspec.json.format(msgspec.json.encode(document), indent=2)) + b"\n"


def encode_lines(records: Iterable[tuple[str, msgspec.Struct | Mapping[str, object]]]) -> bytes:
    """Return records, each with the name of its list, as NDJSON: one object per line.

    If they are of several lists, each object starts with its `list`.
    """
    named = list(records)
    several = len({name for name, _ in named}) > 1
    out = []
    for name, record in named:
        fields = msgspec.structs.asdict(record) if isinstance(record, msgspec.Struct) else record
        document = {"list": name, **fields} if several else fields
        out.append(escape(msgspec.json.encode(document)) + b"\n")
    return b"".join(out)


def compact(document: object) -> str:
    """Return a record as JSON in one line, escaped like a document."""
    return escape(msgspec.json.encode(document)).decode()


def escape(encoded: bytes) -> bytes:
    r"""Return encoded JSON with `\\u` escapes for characters that a terminal obeys or hides."""
    if encoded.isascii() and b"\x7f" not in encoded:
        return encoded
    return _HIDDEN.sub(_escaped, encoded.decode()).encode()


def _escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def utf8(text: str) -> str:
    """Return a text that UTF-8 can encode: lone surrogates are escaped."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def utf8_or_none(text: str | None) -> str | None:
    """Return the same for an optional text."""
    return None if text is None else utf8(text)
