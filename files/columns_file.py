"""The columns that the user chose for each list: `columns.toml` in the config folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from .config_file import read_tables, write_table
from .files import config_folder


class Columns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table of a list."""

    columns: tuple[str, ...]
    """The ids of the shown columns in their order, with a fixed width if one is set: `name:30`."""


def columns_file() -> Path:
    """Return the path of the file."""
    return config_folder() / "columns.toml"


def read_columns() -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Return the chosen columns by list, and why those of others are invalid.

    Raises:
        InvalidFile: The file cannot be read.
    """
    valid, invalid = read_tables(columns_file(), Columns)
    return {name: table.columns for name, table in valid.items()}, invalid


def save_columns(name: str, columns: Sequence[str]) -> None:
    """Save the columns of a list; none are the list's own ones.

    Raises:
        InvalidFile: The file cannot be read, and is left as it is.
        OSError: It cannot be written.
    """
    write_table(columns_file(), name, {"columns": list(columns)} if columns else None)
