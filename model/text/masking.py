"""Masks the values in a text whose name or content matches a pattern."""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "***"
"""Replaces masked text. A value that contains it must never be sent as an argument."""

MAX_DEPTH: Final = 50
"""Levels of nesting that are searched; deeper values are masked completely."""

NAME_PATTERN: Final = re.compile(r"[^\W\d][\w-]*\Z")
_ASSIGNED: Final = re.compile(
    r"[\w-]{0,64}+(?:\\{0,8}['\"])?\]?\s{0,8}+(?P<sign>:|=>|=(?!=))\s{0,8}"
)
_OPENING: Final = re.compile(r"[bBrRuUfF]{0,2}(?P<quote>\\{0,8}(?:'''|\"\"\"|['\"]))")
_BRACKETS: Final = {"(": ")", "[": "]", "{": "}"}


def masked(pattern: re.Pattern[str], text: str) -> str:
    """Return a text with every match masked; if a name matches, its value is masked."""
    parts: list[str] = []
    done = position = 0
    while (found := pattern.search(text, position)) is not None:
        start, end = found.span()
        if start == end:
            position = end + 1
            continue
        assigned = _ASSIGNED.match(text, end) if NAME_PATTERN.match(found[0]) else None
        if assigned is None:
            parts += (text[done:start], MASK)
            done = position = end
            continue
        value = assigned.end()
        stop, shown = _value_at(text, value, assigned["sign"])
        parts += (text[done:value], shown)
        done = position = stop
    return "".join((*parts, text[done:])) if parts else text


def _value_at(text: str, start: int, sign: str) -> tuple[int, str]:
    """Return the end of a value and its replacement, which keeps the quotes of a string."""
    opening = _OPENING.match(text, start)
    if opening is not None:
        quote = opening["quote"]
        end, closed = _end_of_text(text, opening.end(), quote)
        following = text[end : end + 1]
        if not closed or not following or following in ",)]}:;&\\'\" \n":
            return end, opening[0] + MASK + (quote if closed else "")
    return _end_of_value(text, start, sign), MASK


def _end_of_text(text: str, start: int, quote: str) -> tuple[int, bool]:
    """Return the end of a quoted string, quote included, and whether it is closed."""
    escape = len(quote) - len(quote.lstrip("\\"))
    position = start
    while (found := text.find(quote, position)) != -1:
        before = found
        while before > start and text[before - 1] == "\\":
            before -= 1
        # An escaped quote is preceded by more backslashes than the opening quote.
        slashes = found - before
        if slashes == 0 or (not escape and slashes % 2 == 0):
            return found + len(quote), True
        position = found + 1
    return len(text), False


def _end_of_value(text: str, start: int, sign: str) -> int:
    """Return the end of an unquoted value: a number, a call, a list, a header."""
    ends = ",;&\n" if sign == ":" else ",;& \t\n"
    depth: list[str] = []
    position = start
    while position < len(text):
        char = text[position]
        if char in "'\"":
            position = _end_of_text(text, position + 1, char)[0]
            continue
        if char in _BRACKETS:
            depth.append(_BRACKETS[char])
        elif depth and char == depth[-1]:
            depth.pop()
        elif not depth and (char in ends or char in ")]}"):
            break
        position += 1
    return position
