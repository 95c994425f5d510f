r"""Arguments as JSON text that a person edits: written without loss, read strictly.

Values beyond JSON are written as kombu writes them on the wire, and read back the same:
`{"__type__": "decimal", "__value__": "1.10"}`. Input that Python's reader would silently change (a
duplicate key, `1e999`, more digits than a float holds) is refused: the task must receive exactly
what is in the text.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final

from .parse import ParseError
from .sanitize import visible

_MAX_DIGITS: Final = 4_000
"""Digits of an integer; Python refuses longer ones (`sys.set_int_max_str_digits`)."""
_MAX_EXCERPT: Final = 16
"""Characters of the text that an error quotes."""
MAX_LINE_LENGTH: Final = 60
"""Characters of JSON on one line; longer JSON is indented."""


def write(value: Any) -> str:
    r"""Return a value as JSON with every unprintable character escaped, such as `\u202e`.

    Raises:
        TypeError: It contains a value that kombu cannot serialize.
        ValueError: The same, or it contains itself.
    """
    from kombu.utils.json import dumps

    text: str = dumps(value, ensure_ascii=False)
    if len(text) > MAX_LINE_LENGTH:
        text = dumps(value, ensure_ascii=False, indent=2)
    return escaped(text)


def escaped(text: str) -> str:
    r"""Return JSON with its unprintable characters escaped, which leaves its strings equal."""
    return "".join(
        char if char.isprintable() or char == "\n" else _unicode_escape(char) for char in text
    )


def read_list(text: str) -> tuple[Any, ...]:
    """Return the values of a JSON array; blank text is an empty one.

    Raises:
        ParseError: The text is not a JSON array; the message gives the place of the error.
    """
    value = _read(text) if text.strip() else []
    if not isinstance(value, list):
        raise ParseError('expected an array such as ["a", 1]')
    return tuple(value)


def read_mapping(text: str) -> dict[str, Any]:
    """Return a JSON object; blank text is an empty one.

    Raises:
        ParseError: The text is not a JSON object; the message gives the place of the error.
    """
    value = _read(text) if text.strip() else {}
    if not isinstance(value, dict):
        raise ParseError('expected an object such as {"name": 1}')
    return value


def _read(text: str) -> Any:
    from kombu.utils.json import dumps

    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_float,
            parse_int=_int,
            parse_constant=_constant,
        )
        # Python accepts a lone surrogate in a string, but it cannot be sent.
        dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise ParseError(_explained(error)) from None
    except UnicodeEncodeError:
        raise ParseError("a lone surrogate (half a character) cannot be sent") from None
    except RecursionError:
        raise ParseError("nested too deeply") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> Any:
    from kombu.utils.json import object_hook

    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ParseError(f'"{visible(key, _MAX_EXCERPT)}" occurs twice')
        found[key] = value
    try:
        return object_hook(found)
    except Exception as error:  # kombu's decoders raise anything
        kind = visible(str(found.get("__type__")), _MAX_EXCERPT)
        raise ParseError(f"invalid value of type {kind}") from error


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ParseError(f"{visible(text, _MAX_EXCERPT)} is too large for a float")
    if Decimal(text) != Decimal(repr(value)):
        raise ParseError(
            f"{visible(text, _MAX_EXCERPT)} has more digits than a float holds: {value!r}"
        )
    return value


def _int(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ParseError(f"a number with {len(text):,} digits is too large")
    return int(text)


def _constant(text: str) -> Any:
    raise ParseError(f"{text} is not valid JSON")


def _explained(error: json.JSONDecodeError) -> str:
    lines = error.doc.count("\n")
    place = f"line {error.lineno}, column {error.colno}" if lines else f"column {error.colno}"
    rest = error.doc[error.pos : error.pos + _MAX_EXCERPT]
    near = f" at {visible(rest)}" if rest.strip() else " at the end"
    hint = ""
    if rest.startswith("'"):
        hint = '; strings need "'
    elif rest[:4] in ("True", "None", "Fals"):
        hint = "; use true, false or null"
    return f"{place}{near}: {error.msg[:1].lower()}{error.msg[1:]}{hint}"


def _unicode_escape(char: str) -> str:
    code = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{code[at : at + 4]}" for at in range(0, len(code), 4))
