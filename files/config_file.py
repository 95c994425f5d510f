"""Files of the config folder: TOML, with the line of each key for error messages.

The config file itself is only read. Of a file of named tables, such as `views.toml`, single tables
are replaced: the rest keeps its comments.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from .files import locked, read_file, replace_file

T = TypeVar("T")

MAX_BYTES: Final = 1 << 20
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_CLOSING: Final = ("]", "}", '"""', "'''")
"""The ends of values of several lines."""
_INVALID_FIELD: Final = re.compile(r"(.*) - at `\$\.?([^`]*)`")
"""msgspec: "Expected `str`, got `int` - at `$.sort`"."""
_ODD_FIELD: Final = re.compile(r"(unknown|missing)(?: required)? field `(.*)`")
"""msgspec: "Object contains unknown field `sorted`", "Object missing required field `screen`"."""


class InvalidFile(Exception):
    """A file cannot be used; the message names it, the line and the reason, in one line."""


def read(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """Return the values of a config file, and the line of each key by its dotted name.

    Raises:
        OSError: The file cannot be read, or is too large.
        ValueError: It is not TOML.
    """
    text = read_file(path, MAX_BYTES).decode()
    try:
        values, lines = tomllib.loads(text), _lines(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    names: dict[str, int] = {}
    for path_of_key, line in lines.items():
        names.setdefault(".".join(path_of_key), line)
    return values, names


def read_tables(path: Path, kind: type[T]) -> tuple[dict[str, T], dict[str, str]]:
    """Return the tables of a file by name, each as a `kind`; none if there is no file.

    Returns:
        The valid tables, and why each other one is not of this kind, with its line and field.

    Raises:
        InvalidFile: The file cannot be read.
    """
    values, lines = read_or_explain(path)
    valid, invalid = {}, {}
    for name, table in values.items():
        try:
            valid[name] = msgspec.convert(table, kind)
        except msgspec.ValidationError as error:
            why, field = _explained(error)
            line = lines.get(f"{name}.{field}", lines[name])
            place = f"{field}: " if field else ""
            invalid[name] = f"Invalid {path}, [{_key(name)}], line {line}: {place}{why}"
    return valid, invalid


def _explained(error: msgspec.ValidationError) -> tuple[str, str]:
    """Return why a table is invalid, and the field; an empty one if it is no table."""
    why = str(error)
    if match := _INVALID_FIELD.fullmatch(why):
        return match[1], re.split(r"[.\[]", match[2])[0]
    if match := _ODD_FIELD.search(why):
        return f"{match[1]} field", match[2]
    return why, ""


def write_table(path: Path, name: str, values: Mapping[str, object] | None) -> None:
    """Replace a table of a file, or add it; None removes it. All other lines stay as they are.

    Args:
        path: The file; it and its folder are created if they are missing.
        name: The name of the table.
        values: Texts, numbers, booleans or sequences of texts, by key.

    Raises:
        InvalidFile: The file cannot be read, or its tables overlap: it is not written either.
        OSError: It cannot be written; it is unchanged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.parent):
        tables, _ = read_or_explain(path)
        text = read_file(path, MAX_BYTES).decode() if path.exists() else ""
        expected = {key: table for key, table in tables.items() if key != name}
        if values is not None:
            expected[name] = {key: _listed(value) for key, value in values.items()}
        text = _with_table(text, name, values)
        if not _means(text, expected):
            raise InvalidFile(f"Cannot change {name} in {path}: edit the file by hand")
        replace_file(path, text.encode())


def _with_table(text: str, name: str, values: Mapping[str, object] | None) -> str:
    """Return the text of a file with a table replaced, added or, by None, removed."""
    lines = text.split("\n")
    starts = {key: line - 1 for (key, *rest), line in reversed(_lines(text).items()) if not rest}
    block = []
    if values is not None:
        block = [f"[{_key(name)}]", *(f"{key} = {_value(one)}" for key, one in values.items())]
    start = end = len(lines)
    if name in starts:
        start = starts[name]
        end = min((line for line in starts.values() if line > start), default=len(lines))
        while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
            end -= 1  # the comment above the next table
    if start < end and not lines[start].lstrip().startswith("["):
        # Not under a header of its own: one in its place would take the keys that follow.
        del lines[start:end]
        start = end = len(lines)
    if start == end:
        while lines and not lines[-1].strip():
            lines.pop()
        start = end = len(lines)
        block = ["", *block] if lines and block else block
    text = "\n".join([*lines[:start], *block, *lines[end:]]).strip("\n")
    return f"{text}\n" if text else ""


def _means(text: str, expected: Mapping[str, object]) -> bool:
    try:
        return tomllib.loads(text) == expected
    except ValueError:
        return False


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def read_or_explain(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """Return the values and lines of a file, as `read`; none if there is no file.

    Raises:
        InvalidFile: The file cannot be read.
    """
    try:
        return read(path)
    except FileNotFoundError:
        return {}, {}
    except OSError as error:
        raise InvalidFile(f"Cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidFile(f"Cannot read {path}: it is not UTF-8") from error
    except ValueError as error:
        raise InvalidFile(
            f"Cannot read {path}: invalid TOML: {error}. Correct it in an editor: celtop does not "
            "overwrite it"
        ) from error


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _value(name)


def _value(value: object) -> str:
    # A text in JSON is one in TOML, which also wants DEL to be escaped.
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """Return where each key of a valid document begins; tomllib itself keeps no positions."""
    lines: dict[tuple[str, ...], int] = {}
    header = statement = ""
    first = 1
    for number, line in enumerate(StringIO(text, newline="\n"), start=1):
        statement += line
        if first != number and not any(closing in line for closing in _CLOSING):
            continue  # a long value is not parsed again for each of its lines
        try:
            found = tomllib.loads(header + statement)
        except tomllib.TOMLDecodeError:
            continue  # the value goes on in the next line
        if statement.lstrip().startswith("["):
            header = statement
            found = tomllib.loads(header)
        for name in _names(found):
            lines.setdefault(name, first)
        statement, first = "", number + 1
    return lines


def _names(table: dict[str, Any], prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in table.items():
        yield (*prefix, key)
        if isinstance(value, dict):
            yield from _names(value, (*prefix, key))
