"""The history in an SQLite file, for one person.

The file is in WAL mode: readers do not block the writer, nor it them, and several celtops may have
it open. What was committed survives the death of the process; a power failure may lose the last
seconds, but does not corrupt the file. It is readable by its owner only.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any, Final

from ...model.text.coerce import without_surrogates
from ..rows import Pruned
from ..sql import statements
from ..sql.conditions import Parameter
from ..sql.schema import SQLITE, VERSION, Table, creation
from ..sql.store import SqlStore
from ..store import CorruptStoreError, NewerStoreError, NoHistoryError, StoreError
from .file_lock import FileLock

OWNER_ONLY: Final = 0o600
OWNER_ONLY_FOLDER: Final = 0o700
BUSY_TIMEOUT: Final = 5.0
"""Seconds to wait for another celtop that is writing."""
CACHE_KIB: Final = 4_096
MAX_PARAMETERS: Final = 999
"""Parameters of one statement; the limit of SQLite before 3.32."""
CHECKPOINT_PAGES: Final = 4_000
"""Pages of the WAL, 16 MB, that are brought into the file together: in a flood, each batch changes
the same pages of the index of ids again."""
FREED_PAGES: Final = 2_000
"""Pages that are given back to the file system after each slice of the retention."""
NEWS_INTERVAL: Final = 0.5
"""Seconds between two looks whether another celtop has written."""
_CORRUPT: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_TRANSIENT: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
    }
)
ADVICE: Final = {
    sqlite3.SQLITE_BUSY: "Another process is writing it. Try again when that has finished.",
    sqlite3.SQLITE_FULL: "Free space on its disk.",
}
_PRIMARY_CODE: Final = 0xFF
"""The bits of an extended error code that are the kind of error."""


class SqliteStore(SqlStore):
    """A store in a file.

    Args:
        path: The file; it is created, with its folder, unless the store is only read.
        read_only: Whether nothing is written; a file that does not exist is an error then.

    Raises:
        StoreError: It cannot be opened.
        NoHistoryError: It does not exist, and is only read.
        CorruptStoreError: It is no database, or a damaged one.
        NewerStoreError: A newer celtop has written it.
    """

    dialect = SQLITE

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        super().__init__()
        self.path = path
        self.read_only = read_only
        self._locks: dict[int, FileLock] = {}
        """By the numbers of their clusters."""
        self._data_version: int | None = None
        if not read_only:
            _create(path)
        elif not path.exists():
            raise NoHistoryError(f"No history at {path}: no celtop has written it yet.")
        with self._failing("open"):
            self._connection = sqlite3.connect(
                _uri(path, read_only=read_only),
                timeout=BUSY_TIMEOUT,
                isolation_level=None,
                check_same_thread=False,
                uri=True,
            )
        try:
            self._file = _identity(path)
            with self._failing("open"):
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        run = self._connection.execute
        run(f"PRAGMA cache_size = -{CACHE_KIB}")
        run("PRAGMA temp_store = MEMORY")
        version = run("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise NewerStoreError(
                f"The history at {self.path} was written by a newer celtop (schema {version}, this "
                f"one reads {VERSION}). Update celtop, or choose another file with --history."
            )
        if self.read_only:
            if version == 0:
                raise NoHistoryError(f"The history at {self.path} is empty.")
            if version < VERSION:
                self._update()
            run("PRAGMA query_only = 1")
            return
        if version == 0:
            # So that the retention can shrink the file; only possible before the first table.
            run("PRAGMA auto_vacuum = INCREMENTAL")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")
        run(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        if version < VERSION:
            with self._transaction():
                # Another celtop may have done it meanwhile.
                version = run("PRAGMA user_version").fetchone()[0]
                if version < VERSION:
                    for statement in creation(SQLITE, self._columns):
                        run(statement)
                    run(f"PRAGMA user_version = {VERSION}")

    def _update(self) -> None:
        """Bring a file that is only read up to date, through another connection."""
        try:
            SqliteStore(self.path).close()
        except StoreError as error:
            raise StoreError(
                f"The history at {self.path} was written by an older celtop, and cannot be brought "
                f"up to date. {error}",
                transient=error.transient,
            ) from error

    def _columns(self, table: str) -> list[str]:
        return [row[0] for row in self._rows("SELECT name FROM pragma_table_info(?)", (table,))]

    @property
    def location(self) -> str:
        """The file's path."""
        return str(self.path)

    def _check_file(self) -> None:
        """Check that the file has not been removed: what is written into it would be lost.

        Raises:
            StoreError: It has; it is created when it is opened again.
        """
        if _identity(self.path) != self._file:
            raise StoreError(f"The history at {self.path} was removed.", transient=True)

    def _rows(self, sql: str, parameters: Sequence[Parameter] = ()) -> list[tuple[Any, ...]]:
        with self._failing("read"):
            if not self._connection.in_transaction:  # which has checked it
                self._check_file()
            try:
                return self._connection.execute(sql, parameters).fetchall()
            except UnicodeEncodeError:
                return self._connection.execute(sql, _storable(parameters)).fetchall()

    def _execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        kept = list(rows)
        with self._failing("write"):
            try:
                self._connection.executemany(sql, kept)
            except UnicodeEncodeError:
                self._connection.executemany(sql, map(_storable, kept))

    def _upsert(self, table: Table, rows: Iterable[Sequence[Any]]) -> None:
        # Each statement opens the table with its indexes and releases Python's lock, which takes
        # as long as adding a row: so it adds many.
        kept = list(rows)
        size = MAX_PARAMETERS // len(table.names)
        whole = len(kept) - len(kept) % size
        if whole:
            sql = table.upsert(self.dialect, size)
            slices = (kept[start : start + size] for start in range(0, whole, size))
            self._execute_many(sql, (list(chain.from_iterable(one)) for one in slices))
        super()._upsert(table, kept[whole:])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._check_file()
        with self._failing("write"):
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            with self._failing("write"):
                self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise

    def _delete(self, table: Table, number: int, before: float) -> int:
        sql = statements.DELETE_OLDER.format(table=table.name, at=table.at)
        with self._failing("write"):
            deleted = self._connection.execute(sql, (number, before)).rowcount
        return max(0, deleted)

    def prune(self, now: float, max_age: float, max_bytes: int) -> Pruned:
        """Delete one slice of what is too old or too much. Raises: StoreError."""
        pruned = super().prune(now, max_age, max_bytes)
        if pruned.rows:
            self._rows(f"PRAGMA incremental_vacuum({FREED_PAGES})")
        return pruned

    def size(self) -> int:
        """Return the bytes that the data takes. Raises: StoreError."""
        pages, free, size = (
            int(self._rows(f"PRAGMA {name}")[0][0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size

    def lead(self, cluster: str) -> bool:
        """Become the writer of a cluster unless another celtop is. Raises: StoreError."""
        number = self._number(cluster)
        lock = self._locks.setdefault(
            number, FileLock(self.path.with_name(f"{self.path.name}.writer-{number}"))
        )
        try:
            return lock.acquire() or (self._others.is_frozen(cluster) and lock.seize())
        except OSError as error:
            raise StoreError(f"Cannot lock {lock.path}: {error.strerror}.") from error

    def wait_for_news(self, cluster: str, timeout: float) -> bool:
        """Wait until another connection has written a cluster. Raises: StoreError."""
        deadline = time.monotonic() + timeout
        while True:
            version = int(self._rows("PRAGMA data_version")[0][0])
            if version != self._data_version:
                self._data_version = version
                if self._others.has_news(cluster):
                    return True
            rest = deadline - time.monotonic()
            if rest <= 0:
                return False
            time.sleep(min(NEWS_INTERVAL, rest))

    def close(self) -> None:
        """Close the file."""
        for lock in self._locks.values():
            lock.release()
        with suppress(sqlite3.Error):
            self._connection.close()

    @contextmanager
    def _failing(self, action: str) -> Iterator[None]:
        """Turn an error in the block into a `StoreError`."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE
            message = f"Cannot {action} the history at {self.path}: {error}."
            if code in ADVICE:
                message += f" {ADVICE[code]}"
            if code in _CORRUPT:
                raise CorruptStoreError(message) from error
            raise StoreError(message, transient=code in _TRANSIENT) from error


def _uri(path: Path, *, read_only: bool) -> str:
    """Return the URI of a file.

    To read one in WAL mode, SQLite has to create files beside it. Where it cannot, and where no
    writer has left such files, nothing can write it.
    """
    uri = path.absolute().as_uri()
    has_wal = path.with_name(f"{path.name}-wal").exists()
    if read_only and not has_wal and not os.access(path.parent, os.W_OK):
        return f"{uri}?immutable=1"
    return uri


def _identity(path: Path) -> tuple[int, int] | None:
    """Return the device and the inode of a file; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _storable(values: Sequence[Any]) -> Sequence[Any]:
    """Return values without what no text in SQLite can have: lone surrogates."""
    return [without_surrogates(one) if isinstance(one, str) else one for one in values]


def _create(path: Path) -> None:
    """Create the file with its folder, readable by its owner only.

    SQLite gives the files beside it the same permissions. A file that exists is never opened here:
    closing it would release the locks that SQLite holds on it in this process (section 2.2 of
    https://www.sqlite.org/howtocorrupt.html).
    """
    try:
        path.parent.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
        try:
            target = os.path.realpath(path)  # O_EXCL follows no link, also to a file to be created
            os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY))
        except FileExistsError:
            found = path.stat()
            if stat.S_ISDIR(found.st_mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)) from None
            if found.st_uid == os.geteuid():
                path.chmod(OWNER_ONLY)
    except OSError as error:
        transient = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.EROFS)
        raise StoreError(
            f"Cannot open the history at {path}: {error.strerror}. "
            "Choose another file with --history, or none with --no-history.",
            transient=transient,
        ) from error


def move_aside(path: Path, now: float) -> Path:
    """Rename a damaged file, with those beside it, and return its new path.

    Args:
        path: The file.
        now: Epoch seconds, which become part of the name.

    Raises:
        OSError: It cannot be renamed.
    """
    target = path.with_name(f"{path.name}.corrupt-{int(now)}")
    path.rename(target)
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(target.with_name(target.name + suffix))
    return target
