"""Saved views of the screen: `views.toml` in the config folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from .config_file import read_tables, write_table
from .files import config_folder

MAX_NAME_CHARACTERS: Final = 40
RESERVED_NAMES: Final = frozenset({"save", "delete"})
"""The words after `:view` that are not names of views."""


class View(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A view of a list, or of another numbered screen."""

    screen: str
    """The screen by its command: `tasks`."""
    filter: str = ""
    faults: bool = False
    """Whether only failures and problems are listed."""
    sort: str = ""
    """The id of the sort column; empty is the list's own order."""
    descending: bool = False
    columns: tuple[str, ...] = ()
    """The shown columns, as in `columns.toml`; empty are the list's own ones."""
    window: str = ""
    """The time that charts cover: `5m`, `15m` or `1h`; empty leaves it as it is."""
    subject: str = ""
    """What charts are of: `queue:NAME`, `worker:NAME` or `type:NAME`; empty is the cluster."""

    def __str__(self) -> str:
        words = [self.screen, self.subject, self.filter, "failures only" if self.faults else ""]
        words += [f"by {self.sort}"] if self.sort else []
        return " ".join(filter(None, words))


def views_file() -> Path:
    """Return the path of the file."""
    return config_folder() / "views.toml"


def read_views() -> tuple[dict[str, View], dict[str, str]]:
    """Return the saved views by name, and why others are invalid.

    Raises:
        InvalidFile: The file cannot be read.
    """
    return read_tables(views_file(), View)


def save_view(name: str, view: View) -> None:
    """Save a view, in place of one with the same name.

    Raises:
        ValueError: The name cannot be used.
        InvalidFile: The file cannot be read, and is left as it is.
        OSError: It cannot be written.
    """
    if not name.strip() or len(name) > MAX_NAME_CHARACTERS or not name.isprintable():
        raise ValueError(
            f"The name of a view must have 1 to {MAX_NAME_CHARACTERS} printable characters"
        )
    if name.split()[0] in RESERVED_NAMES:
        raise ValueError(
            f"The name of a view must not begin with {' or '.join(sorted(RESERVED_NAMES))}"
        )
    write_table(views_file(), name, msgspec.to_builtins(view))


def delete_view(name: str) -> None:
    """Delete a saved view.

    Raises:
        InvalidFile: The file cannot be read, and is left as it is.
        OSError: It cannot be written.
    """
    write_table(views_file(), name, None)
