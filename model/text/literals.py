"""Values read from the texts that Celery puts into events: exactly, or not at all.

Celery's `saferepr` is not `repr`: long values are cut, deep ones become `...`, newlines and
backslashes are not escaped, and bytes may appear as hex digits. A text is therefore accepted only
if it consists of plain literals and if its value, formatted again, gives the same text; a text
that could stand for two values is refused. Nothing is ever evaluated.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from .masking import MASK

ARGSREPR_MAXSIZE: Final = 1_024
"""Characters from which on Celery cuts arguments (`amqp.argsrepr_maxsize`)."""

Arguments: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]

_LITERAL_TOKENS: Final = re.compile(
    r"(?>[\[\](){},: ]|'[^']*'|True|False|None|-?[0-9]++(?:\.[0-9]++)?+(?:e[+-][0-9]++)?+)*+"
)
"""The tokens that a text may consist of, so that the parser can only find a literal and has
nothing to warn about."""

_MARKS: Final = (
    ("...", "Celery shortened the text (`...`)"),
    (MASK, f"the text is partly masked (`{MASK}`)"),
    ("\\", "the text contains a backslash or an escaped quote, which is ambiguous"),
    ("\ufffd", "the text contains an undecodable character"),
)


def parse_arguments(
    args: str | None, kwargs: str | None, origin: str = "the event"
) -> Arguments | str:
    """Return the arguments that `(1, 'a')` and `{'b': [2.5, None]}` in an event stand for.

    They have the caller's types, including tuples. If they are unknown, return the reason, which
    begins with its subject: `the arguments cannot be read from the event: ...`.

    Args:
        args: The text of the positional arguments.
        kwargs: The text of the keyword arguments.
        origin: Where the texts come from, for the reason.
    """
    values = []
    for subject, text in (("arguments", args), ("keyword arguments", kwargs)):
        if text is None:
            return f"the {subject} are unknown"
        try:
            values.append(_argument_value(text))
        except ValueError as error:
            return f"the {subject} cannot be read from {origin}: {error}"
    positional, named = values
    if not isinstance(positional, tuple | list):
        return f"the arguments cannot be read from {origin}: it is not a list or tuple"
    if not isinstance(named, dict) or not all(isinstance(name, str) for name in named):
        return f"the keyword arguments cannot be read from {origin}: it is not a dict"
    return tuple(positional), named


def _argument_value(text: str) -> Any:
    for mark, reason in _MARKS:
        if mark in text:
            raise ValueError(reason)
    if len(text) >= ARGSREPR_MAXSIZE:
        raise ValueError(
            f"the text may be cut at Celery's limit of {ARGSREPR_MAXSIZE:,} characters"
        )
    if not _LITERAL_TOKENS.fullmatch(text):
        raise ValueError("the text contains more than plain values")
    return read_literal(text, saferepr)


def read_literal(text: str, formatter: Callable[[Any], str]) -> Any:
    """Return the value of a Python literal that `formatter` turns into the very same text.

    Raises:
        ValueError: The text is not a literal, or can stand for several values.
    """
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise ValueError("the text is not a literal") from None
    try:
        same = formatter(value) == text
    except (TypeError, ValueError, RecursionError):
        same = False
    if not same:
        raise ValueError("the text can stand for several values")
    return value


def saferepr(value: object) -> str:
    """Return a plain value as `celery.utils.saferepr` formats it if nothing is cut.

    Raises:
        TypeError: A type whose text may stand for another: bytes, sets, complex numbers.
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
    raise TypeError(f"{kind.__name__} is not a plain value")
