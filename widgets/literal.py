"""Values of the arguments and results that a screen shows, if their text is unambiguous.

Unlike `model.text.literals`, which reads arguments to send them again, this also reads JSON and
Python's own `repr`: the value is only displayed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from ..model.text.literals import read_literal

MAX_LENGTH: Final = 200_000
"""Characters of a text; a longer one is shown as text."""
MAX_DEPTH: Final = 40
"""Levels of nested brackets; Python's parser fails at a few hundred."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A text and its value, if that is known for certain."""

    text: str
    value: Any = None
    known: bool = False


def read(text: str) -> Literal:
    """Read a text as JSON or as a Python literal; never raises."""
    if not text or len(text) > MAX_LENGTH or _depth(text) > MAX_DEPTH:
        return Literal(text)
    try:
        return Literal(text, msgspec.json.decode(text), True)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass
    if "..." in text or "\\" in text:  # abbreviated, or escaped in a way that may lose something
        return Literal(text)
    try:
        return Literal(text, read_literal(text, repr), True)
    except ValueError:
        return Literal(text)


def _depth(text: str) -> int:
    deepest = depth = 0
    for char in text:
        if char in "[({":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "])}":
            depth -= 1
    return deepest
