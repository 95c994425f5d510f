r"""Arguments as JSON text that a person edits: written so that nothing is lost, read strictly.

Values that JSON has no words for are written as kombu writes them on the wire:
`{"__type__": "decimal", "__value__": "1.10"}`, and read back the same. What Python's reader would
take and change without a word (a key given twice, `1e999`, more digits than a float holds) is
refused: the task must get what stands there.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final

from .parse import ParseError
from .sanitize import visible

_MAX_DIGITS: Final = 4_000
"""Python refuses to read longer whole numbers (`sys.set_int_max_str_digits`)."""
_MAX_EXCERPT: Final = 16
"""Characters of the text that are shown with an error."""
MAX_LINE_LENGTH: Final = 60
"""Characters that are written in one line; longer text is indented."""


def write(value: Any) -> str:
    r"""Return a value as JSON, every character of it printable: others as `\u202e`.

    Raises:
        TypeError: It holds something that kombu cannot write.
        ValueError: Likewise, or it holds itself.
    """
    from kombu.utils.json import dumps

    text: str = dumps(value, ensure_ascii=False)
    if len(text) > MAX_LINE_LENGTH:
        text = dumps(value, ensure_ascii=False, indent=2)
    return escaped(text)


def escaped(text: str) -> str:
    r"""Return JSON with its hidden characters written out, which means the same within strings."""
    if all(char.isprintable() or char == "\n" for char in text):
        return text
    return "".join(
        char if char.isprintable() or char == "\n" else _unicode_escape(char) for char in text
    )


def read_list(text: str) -> tuple[Any, ...]:
    """Return the values of a JSON array; no text at all is an empty one.

    Raises:
        Mistyped: It is none; the text says where.
    """
    value = _read(text) if text.strip() else []
    if not isinstance(value, list):
        raise ParseError('not a list: ["a", 1]')
    return tuple(value)


def read_mapping(text: str) -> dict[str, Any]:
    """Return a JSON object; no text at all is an empty one.

    Raises:
        Mistyped: It is none; the text says where.
    """
    value = _read(text) if text.strip() else {}
    if not isinstance(value, dict):
        raise ParseError('not an object: {"name": 1}')
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
        # Half of a surrogate pair is a string for Python, and nothing that can be sent.
        dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise ParseError(_explained(error)) from None
    except UnicodeEncodeError:
        raise ParseError("half a character, which cannot be sent") from None
    except RecursionError:
        raise ParseError("brackets within brackets, too many of them") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> Any:
    from kombu.utils.json import object_hook

    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ParseError(f'"{visible(key, _MAX_EXCERPT)}" stands there twice')
        found[key] = value
    try:
        return object_hook(found)
    except Exception as error:  # decoders of values raise what they like
        kind = visible(str(found.get("__type__")), _MAX_EXCERPT)
        raise ParseError(f"no such value of the type {kind}") from error


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ParseError(f"{visible(text, _MAX_EXCERPT)} is too large for a number")
    if Decimal(text) != Decimal(repr(value)):
        raise ParseError(
            f"{visible(text, _MAX_EXCERPT)} has more digits than a number holds: {value!r}"
        )
    return value


def _int(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ParseError(f"a number of {len(text):,} digits")
    return int(text)


def _constant(text: str) -> Any:
    raise ParseError(f"{text} is no JSON")


def _explained(error: json.JSONDecodeError) -> str:
    lines = error.doc.count("\n")
    place = f"line {error.lineno}, column {error.colno}" if lines else f"column {error.colno}"
    rest = error.doc[error.pos : error.pos + _MAX_EXCERPT]
    near = f" at {visible(rest)}" if rest.strip() else " at the end"
    hint = ""
    if rest.startswith("'"):
        hint = ': strings take "'
    elif rest[:4] in ("True", "None", "Fals"):
        hint = ": true, false, null"
    return f"{place}{near}: {error.msg[:1].lower()}{error.msg[1:]}{hint}"


def _unicode_escape(char: str) -> str:
    code = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{code[at : at + 4]}" for at in range(0, len(code), 4))
