"""Documents as CSV (RFC 4180), with one header line; safe to open in a spreadsheet.

Numbers are numbers and times are in ISO 8601. A text that a spreadsheet would run as a formula is
prefixed with `'`, as OWASP recommends; control characters are made visible, and texts that are
longer than a cell are shortened.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Final

from ...model.text.sanitize import visible
from .document import Document
from .json import compact, utf8

MAX_CELL: Final = 32_767
"""Characters that a cell of a spreadsheet holds; the csv module of Python reads 131,072."""
FORMULA_SIGNS: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""Characters that start a formula, also in full width. Tab and CR are made visible anyway."""


def encode(document: Document) -> bytes:
    """Return the values of all rows; those of several tables start with the name of their list."""
    several = len(document.tables) > 1
    fields = dict.fromkeys(name for table in document.tables for name in table.fields)
    rows: list[list[object]] = [[*(["list"] if several else []), *fields]]
    for table in document.tables:
        for values in table.values:
            row = dict(zip(table.fields, values, strict=True))
            rows.append([*([table.name] if several else []), *map(row.get, fields)])
    return encode_rows(rows)


def encode_rows(rows: Iterable[Iterable[object]]) -> bytes:
    """Return rows of values as lines."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(map(_cell, row) for row in rows)
    return out.getvalue().encode()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    return neutral(_text(value))


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return compact(value)
    if isinstance(value, Iterable):
        items = list(value)
        if all(isinstance(one, str) for one in items):
            return ", ".join(items)
        return compact(items)
    return str(value)


def neutral(text: str) -> str:
    """Return a text as one line that no spreadsheet takes for a formula."""
    shown = visible(utf8(text), MAX_CELL - 1)
    return f"'{shown}" if shown.lstrip().startswith(FORMULA_SIGNS) else shown
