"""Completions of a filter while it is typed: field names, and values that tasks have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from .fields import DURATIONS, FIELDS, TIMES
from .language import quoted

Values: TypeAlias = Callable[[str], Iterable[str]]
"""Returns the values that a field may have, the likely ones first."""

MAX_COMPLETIONS: Final = 200
_TERM: Final = re.compile(r"([!-]?)(?:([A-Za-z_]+):)?(.*)", re.DOTALL)
_DURATIONS: Final = (">10s", ">1m", ">1h", "<5m")
_TIMES: Final = ("<1h", "<1d", ">1d", "today", "yesterday")


@dataclass(frozen=True, slots=True)
class Completion:
    """A text that a filter can be completed to."""

    text: str
    """The whole filter."""
    label: str
    """The completed field or value."""
    extends: bool
    """Whether it only adds characters to the filter, ignoring case."""


def completions(text: str, values: Values) -> list[Completion]:
    """Return the completions of the word at the end of a filter, the best first.

    Values that begin with the typed ones come before those that contain it. A text with nothing to
    add has none.
    """
    start = _last_word(text)
    match = _TERM.fullmatch(text[start:])
    assert match is not None, "the expression matches every text"
    field, rest = (match[2] or "").lower(), match[3]
    if not match[2]:
        before, typed, options = text[: start + len(match[1])], rest, [f"{one}:" for one in FIELDS]
        options = [one for one in options if one.startswith(typed.lower())]
    else:
        if field not in FIELDS or rest.startswith("~"):
            return []
        cut = _last_alternative(rest)
        before, typed = text[: len(text) - len(rest) + cut], rest[cut:]
        options = _values(field, typed.removeprefix("=").removeprefix('"'), values)
    found = [_completion(before, typed, option) for option in options]
    return [one for one in found if one.text.casefold() != text.casefold()][:MAX_COMPLETIONS]


def _completion(before: str, typed: str, option: str) -> Completion:
    sign = "=" if typed.startswith("=") else ""
    word = sign + quoted(option)
    return Completion(before + word, option, word.casefold().startswith(typed.casefold()))


def _values(field: str, typed: str, values: Values) -> list[str]:
    if field in DURATIONS or field in TIMES:
        options: Iterable[str] = _DURATIONS if field in DURATIONS else _TIMES
    else:
        options = values(field)
    low = typed.casefold()
    found = [value for value in options if low in value.casefold() and value.isprintable()]
    return sorted(found, key=lambda value: not value.casefold().startswith(low))


def _last_word(text: str) -> int:
    """Return where the word at the end of a filter begins."""
    return _after_last(text, str.isspace)


def _last_alternative(text: str) -> int:
    """Return where the last of several values begins."""
    return _after_last(text, ",".__eq__)


def _after_last(text: str, separates: Callable[[str], bool]) -> int:
    """Return the position after the last separator outside quotes."""
    start, in_quotes, escaped = 0, False, False
    for position, character in enumerate(text):
        if escaped:
            escaped = False
        elif in_quotes and character == "\\":
            escaped = True
        elif character == '"':
            in_quotes = not in_quotes
        elif not in_quotes and separates(character):
            start = position + 1
    return start
