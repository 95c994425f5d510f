"""Tests of a column that stand for a value of a filter, for databases to search by.

A test may hold for more texts than the filter does, never for fewer: the filter itself decides
about those that are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Final, Literal

import msgspec

from .condition import TextPattern, Value
from .time_range import TimeRange

_DOUBLE_S: Final = re.compile("ss", re.IGNORECASE | re.ASCII)
MAX_DOUBLE_S: Final = 4
"""Occurrences of `ss` in a text up to which a database searches for all spellings."""
_GLOB_PART: Final = re.compile(r"\[(.)\]|(\*)|(\?)|(.)", re.DOTALL)


class Criterion(msgspec.Struct, frozen=True, gc=False):
    """A test of one column."""

    column: str
    """Its name, by that of the filter's field."""
    operator: Literal["in", "equals", "contains", "startswith", "endswith", "from", "before"]
    """Texts but `equals` are compared ignoring case; times are `from` on, and `before`."""
    value: Any
    """A text, a list of texts for `in`, or epoch seconds."""


def criteria_of(column: str, value: Value, now: float) -> list[tuple[Criterion, ...]]:
    """Return the alternatives for a value; none if columns cannot be tested for it."""
    if isinstance(value, TimeRange):
        low, high = value.bounds(now)
        limits: Mapping[Any, float | None] = {"from": low, "before": high}
        found = [Criterion(column, sign, at) for sign, at in limits.items() if at is not None]
        return [tuple(found)]
    if not isinstance(value, TextPattern) or value.kind == "regex":
        return []
    if value.kind == "equals":
        return [(Criterion(column, "equals", value.text),)]
    # Databases fold only ASCII in the same way as Python.
    if not value.text.isascii():
        return []
    if value.kind == "contains":
        return [(Criterion(column, "contains", text),) for text in _spellings(value.text)]
    return [tuple(_glob(column, value.text))]


def _spellings(text: str) -> list[str]:
    """Return what equals an ASCII text to Python, ignoring case, but not to a database.

    Python takes `STRASSE` and `Straße` as equal. The other such characters are ligatures and
    historic letters.
    """
    parts = _DOUBLE_S.split(text)
    if len(parts) > MAX_DOUBLE_S + 1:
        return []
    return [
        "".join(map("".join, zip(parts, (*between, ""), strict=True)))
        for between in product(("ss", "ß"), repeat=len(parts) - 1)
    ]


def _glob(column: str, pattern: str) -> Iterator[Criterion]:
    """Yield tests for the texts between the wildcards of an `fnmatch` pattern."""
    parts = [""]
    for literal, star, mark, char in _GLOB_PART.findall(pattern):
        if star or mark:
            parts.append("")
        else:
            parts[-1] += literal or char
    # A test that is left out only lets more entries through.
    parts = ["" if _DOUBLE_S.search(part) else part for part in parts]
    if parts[0]:
        yield Criterion(column, "startswith", parts[0])
    if parts[-1] and len(parts) > 1:
        yield Criterion(column, "endswith", parts[-1])
    for part in parts[1:-1]:
        if part:
            yield Criterion(column, "contains", part)
