"""Values on the command line: durations, times, names, and JSON for a task's arguments."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from ..files.files import MAX_INPUT_BYTES, read_file
from ..model.text import parse
from .exit_codes import InvalidUsage
from .options import DURATION

STDIN: Final = "-"

T = TypeVar("T")


def duration_option(
    *names: str, zero: bool = False, **attributes: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return `click.option` for a duration in seconds or None; `zero` allows a duration of zero."""

    def read(ctx: click.Context, option: click.Parameter, value: str | None) -> float | None:
        return None if value is None else read_duration(ctx, option, value, zero)

    return click.option(*names, callback=read, metavar=DURATION, **attributes)


def size_option(
    *names: str, **attributes: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return `click.option` for a number of bytes or None."""

    def read(ctx: click.Context, option: click.Parameter, value: str | None) -> int | None:
        try:
            return None if value is None else parse.size(value)
        except parse.ParseError as error:
            raise click.BadParameter(str(error), ctx, option) from None

    return click.option(*names, callback=read, metavar="SIZE", **attributes)


def read_duration(
    ctx: click.Context, option: click.Parameter, text: str, zero: bool = False
) -> float:
    """Return the seconds of a duration: `90`, `30s`, `1h30m`.

    Raises:
        BadParameter: It is not a duration, or zero where that makes no sense.
    """
    try:
        seconds = parse.duration(text)
    except parse.ParseError as error:
        raise click.BadParameter(str(error), ctx, option) from None
    if not seconds and not zero:
        raise click.BadParameter("must be greater than zero", ctx, option)
    return seconds


def read_name(what: str, text: str) -> str:
    """Return the name of a task or a queue.

    Raises:
        InvalidUsage: It is empty, or not UTF-8: another name would be sent.
    """
    if not text.strip():
        raise InvalidUsage(f"{what} must not be empty")
    _require_utf8(what, text)
    return text


def read_stdin() -> str:
    """Return the text on stdin.

    Raises:
        InvalidUsage: It is too long, or not UTF-8.
    """
    content = sys.stdin.buffer.read(MAX_INPUT_BYTES + 1)
    if len(content) > MAX_INPUT_BYTES:
        raise InvalidUsage(f"stdin has more than {MAX_INPUT_BYTES:,} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InvalidUsage("stdin is not UTF-8") from error


def read_args(text: str) -> tuple[Any, ...]:
    """Return positional arguments: a JSON array, `@FILE` for a file that holds it, `-` for stdin.

    Raises:
        InvalidUsage: The text cannot be read, or is not a JSON array.
    """
    from ..model.text.parse_json import read_list

    return _read_json("--args", text, read_list)


def read_kwargs(text: str) -> dict[str, Any]:
    """Return keyword arguments: a JSON object, given like `read_args`.

    Raises:
        InvalidUsage: The text cannot be read, or is not a JSON object.
    """
    from ..model.text.parse_json import read_mapping

    return _read_json("--kwargs", text, read_mapping)


def read_time(text: str, now: float | None = None) -> float:
    """Return a future time in epoch seconds; without an offset it is local time.

    Raises:
        InvalidUsage: It is not a time, or has passed.
    """
    now = time.time() if now is None else now
    try:
        at = parse.moment(text, now)
    except parse.ParseError as error:
        raise InvalidUsage(f"Invalid --eta {text!r}: {error}") from None
    if at < now:
        raise InvalidUsage(f"Invalid --eta {text!r}: this time is in the past")
    return at


def read_until(text: str, now: float | None = None) -> float:
    """Return when something ends, in epoch seconds: after a duration, or at a time.

    Raises:
        InvalidUsage: It is neither, or the time has passed.
    """
    now = time.time() if now is None else now
    try:
        return now + parse.duration(text)
    except parse.ParseError:
        pass
    try:
        at = parse.moment(text, now)
    except parse.ParseError:
        raise InvalidUsage(
            f"Invalid --until {text!r}: use a duration such as 30s, or a time such as 14:30"
        ) from None
    if at < now:
        raise InvalidUsage(f"Invalid --until {text!r}: this time is in the past")
    return at


def _read_json(option: str, text: str, read: Callable[[str], T]) -> T:
    source = option
    if text == STDIN:
        source, text = f"{option} (stdin)", read_stdin()
    elif text.startswith("@"):
        file = text[1:]
        source = f"{option} ({file})"
        try:
            text = read_file(Path(file)).decode()
        except OSError as error:
            raise InvalidUsage(f"{option}: cannot read {file}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise InvalidUsage(f"{option}: {file} is not UTF-8") from error
    else:
        _require_utf8(option, text)
    if not text.strip():
        # An unset shell variable or an empty file is hardly meant as "no arguments".
        raise InvalidUsage(f"{source} must not be empty")
    try:
        return read(text)
    except parse.ParseError as error:
        raise InvalidUsage(f"Invalid JSON in {source}: {error}") from None


def _require_utf8(what: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidUsage(f"{what} is not UTF-8") from None
