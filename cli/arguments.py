"""What the command line says of a task that is to be sent: JSON, times."""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NoReturn

from .exit_codes import Misuse

STDIN: Final = "-"


def read_name(what: str, text: str) -> str:
    """Return the name of a task or a queue.

    Raises:
        Misuse: There is none, or its bytes are no UTF-8: what was sent would be another name.
    """
    if not text.strip():
        raise Misuse(f"{what} wants a name")
    _require_text(what, text)
    return text


def read_args(text: str) -> tuple[Any, ...]:
    """Return positional arguments: a JSON array.

    Args:
        text: The JSON, `@FILE` that holds it, or `-` for stdin.

    Raises:
        Misuse: It is none, or something else.
    """
    value = _read("--args", text)
    if not isinstance(value, list):
        raise Misuse(f"--args: a JSON array is wanted, [1, 2], not {_kind(value)}")
    return tuple(value)


def read_kwargs(text: str) -> dict[str, Any]:
    """Return keyword arguments: a JSON object, given like `read_args`.

    Raises:
        Misuse: It is none, or something else.
    """
    value = _read("--kwargs", text)
    if not isinstance(value, dict):
        raise Misuse(f'--kwargs: a JSON object is wanted, {{"a": 1}}, not {_kind(value)}')
    return value


def read_time(text: str, now: float | None = None) -> float:
    """Return a moment, epoch seconds; without an offset it is local time.

    Raises:
        Misuse: It is no ISO 8601 time, or lies in the past.
    """
    try:
        at = datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise Misuse(f"--eta: {text!r} is no time as 2030-01-31T08:00:00+01:00") from None
    if at < (time.time() if now is None else now):
        raise Misuse(f"--eta: {text} has passed")
    return at


def _read(option: str, text: str) -> Any:
    if text == STDIN:
        source, text = "stdin", sys.stdin.read()
    elif text.startswith("@"):
        source = text[1:]
        try:
            text = Path(source).read_text(encoding="utf-8")
        except OSError as error:
            raise Misuse(f"{option}: cannot read {source}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise Misuse(f"{option}: {source} is not UTF-8") from error
    else:
        source = ""
        _require_text(option, text)
    where = f"{option}: {source}: " if source else f"{option}: "
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        near = f" near {text[error.pos : error.pos + 20]!r}" if error.pos < len(text) else ""
        raise Misuse(f"{where}not JSON: {error.msg} at {place}{near}") from None
    except ValueError as error:
        raise Misuse(f"{where}not JSON: {error}") from None
    except RecursionError:
        raise Misuse(f"{where}it is nested too deeply") from None


def _require_text(what: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Misuse(f"{what} is not UTF-8") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _kind(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a text", bool: "a truth value"}
    return "null" if value is None else names.get(type(value), "a number")
