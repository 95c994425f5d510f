"""The config file: TOML, with the line of each key for error messages and `celtop config show`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from .files import read_file

MAX_BYTES: Final = 1 << 20


def read(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """Return the values of a config file, and the line of each key by its dotted name.

    Raises:
        OSError: The file cannot be read, or is too large.
        ValueError: It is not TOML.
    """
    text = read_file(path, MAX_BYTES).decode()
    try:
        return tomllib.loads(text), _lines(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _lines(text: str) -> dict[str, int]:
    """Return where each key of a valid document begins; tomllib itself keeps no positions."""
    lines: dict[str, int] = {}
    header = statement = ""
    first = 1
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        statement += line
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


def _names(table: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in table.items():
        yield prefix + key
        if isinstance(value, dict):
            yield from _names(value, f"{prefix}{key}.")
