r"""Arguments and results as values, where their text tells the value for certain.

Events carry `repr` texts, cut and abbreviated, and reading one back can give another value than
was written: a cut string reads as a string, `\n` in a path as a newline, `...` as Ellipsis. So a
text is taken as a value only if the value, written again, gives the very same text.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any, Final

import msgspec

LONGEST: Final = 200_000
"""Characters of a text that is read; a longer one is shown as text."""
DEEPEST: Final = 40
"""Brackets within brackets; Python's parser fails badly at some hundreds."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A text and, if it is known for certain, the value that it writes."""

    text: str
    value: Any = None
    known: bool = False


def read(text: str) -> Literal:
    """Read a text as JSON or as a Python literal; raises nothing."""
    if not text or len(text) > LONGEST or _depth(text) > DEEPEST:
        return Literal(text)
    for reader in (_json, _python):
        try:
            return Literal(text, reader(text), True)
        except (
            msgspec.MsgspecError,
            ValueError,
            SyntaxError,
            TypeError,
            MemoryError,
            RecursionError,
        ):
            continue
    return Literal(text)


def _json(text: str) -> Any:
    return msgspec.json.decode(text)


def _python(text: str) -> Any:
    if "..." in text or "\\" in text:
        raise ValueError("abbreviated, or escaped in a way that may be lost")
    value = ast.literal_eval(text)
    if repr(value) != text:
        raise ValueError("not what was written")
    return value


def _depth(text: str) -> int:
    deepest = depth = 0
    for char in text:
        if char in "[({":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "])}":
            depth -= 1
    return deepest
