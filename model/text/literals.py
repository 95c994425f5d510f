"""Arguments out of the text that Celery writes into events: exactly, or not at all.

Celery's `saferepr` is not `repr`: what is long is cut, what is deep becomes `...`, line ends and
backslashes are written raw, bytes sometimes as their hex digits. So a text counts only if it holds
nothing but plain literals, and if writing what was read gives the same text again; whatever could
have been written from two different values is refused. Nothing is ever evaluated.
"""

from __future__ import annotations

import ast
import re
from typing import Any, Final, TypeAlias

from .masking import MASK

ARGSREPR_MAXSIZE: Final = 1_024
"""Characters from which on Celery cuts (`amqp.argsrepr_maxsize`)."""

Arguments: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]

_LITERAL_TOKENS: Final = re.compile(
    r"(?>[\[\](){},: ]|'[^']*'|True|False|None|-?[0-9]++(?:\.[0-9]++)?+(?:e[+-][0-9]++)?+)*+"
)
"""The words that a text may be made of. What is left to the parser then can neither be anything
but a literal nor make it warn."""

_MARKS: Final = (
    ("...", "Celery cut it, at `...`"),
    (MASK, f"something in it is hidden, at `{MASK}`"),
    ("\\", "it has a backslash or a quote, which Celery does not write so that it can be read"),
    ("\ufffd", "it has a character that could not be read"),
)


def parse_arguments(args: str | None, kwargs: str | None) -> Arguments | str:
    """Return the arguments that two texts of an event stand for, or in words why they do not.

    Args:
        args: The positional arguments as events tell them: `(1, 'a')`.
        kwargs: The keyword arguments: `{'b': [2.5, None]}`.

    Returns:
        The arguments with the types that the caller gave them, tuples among them; or a reason that
        begins with what it is about: `the arguments were cut ...`.
    """
    values = []
    for what, text in (("arguments", args), ("keyword arguments", kwargs)):
        if text is None:
            return f"the {what} are not known"
        if reason := _unusable(text):
            return f"the {what} cannot be taken from its event: {reason}"
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return f"the {what} cannot be taken from its event: the text is not a literal"
        if not _round_trips(value, text):
            return f"the {what} cannot be taken from its event: its text can mean several values"
        values.append(value)
    found, named = values
    if not isinstance(found, tuple | list):
        return "the arguments cannot be taken from its event: the text is no list of them"
    if not isinstance(named, dict) or not all(isinstance(name, str) for name in named):
        return "the keyword arguments cannot be taken from its event: the text does not name them"
    return tuple(found), named


def _unusable(text: str) -> str | None:
    for mark, reason in _MARKS:
        if mark in text:
            return reason
    if len(text) >= ARGSREPR_MAXSIZE:
        return (
            f"it is as long as Celery makes it, {ARGSREPR_MAXSIZE:,} characters, so it may be cut"
        )
    if not _LITERAL_TOKENS.fullmatch(text):
        return "it holds more than text, numbers, true, false, none, lists, tuples and dicts"
    return None


def _round_trips(value: object, text: str) -> bool:
    try:
        return saferepr(value) == text
    except (TypeError, ValueError, RecursionError):
        return False


def saferepr(value: object) -> str:
    """Return a plain value as `celery.utils.saferepr` writes it where it neither cuts nor hides.

    Raises:
        TypeError: A type whose text may stand for something else: bytes, sets, complex numbers.
    """
    kind = type(value)
    if value is None or kind in (bool, int, float):
        return str(value)
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, dict):
        items = (f"{saferepr(key)}: {saferepr(item)}" for key, item in value.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(saferepr, value)) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(saferepr, value)) + (",)" if len(value) == 1 else ")")
    raise TypeError(f"{kind.__name__} is no plain value")
