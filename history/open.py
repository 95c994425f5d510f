"""Opens the store that the setting `history` names."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from .store import HistoryStore, StoreError

DEFAULT: Final = "sqlite"
"""The file of the user, in the data folder."""
OFF: Final = "off"
FILE_NAME: Final = "history.sqlite3"
POSTGRESQL_SCHEMES: Final = ("postgresql://", "postgres://")
_SQLITE_SCHEME: Final = "sqlite:///"


def history_file(location: str) -> Path | None:
    """Return the SQLite file that a setting names; None if it names a server or nothing."""
    if location == OFF or location.startswith(POSTGRESQL_SCHEMES):
        return None
    if location == DEFAULT:
        from platformdirs import user_data_path

        return user_data_path("celtop", appauthor=False) / FILE_NAME
    return Path(location.removeprefix(_SQLITE_SCHEME)).expanduser()


def open_store(location: str, *, read_only: bool = False) -> HistoryStore:
    """Open a store; it may block.

    Args:
        location: `sqlite`, the path of a file, or `postgresql://...`.
        read_only: Whether nothing is written; a store that does not exist is not created then.

    Raises:
        StoreError: It cannot be opened.
    """
    path = history_file(location)
    if path is not None:
        from .sqlite.store import SqliteStore

        return SqliteStore(path, read_only=read_only)
    if location == OFF:
        raise StoreError("The history is off.")
    from .postgresql.store import PostgresStore

    return PostgresStore(location, read_only=read_only)
