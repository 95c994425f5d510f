"""Results in a database, through SQLAlchemy: `db+sqlite:///...`, `db+postgresql://...`, ...

The tables are those of `celery/backends/database/models.py`, read by plain SELECTs: Celery's own
backend creates tables and columns as soon as it is used.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any, Final

from ....model.entities.result import READY_STATES, ResultMeta
from ....settings import Settings
from ...connection.broker import CONNECT_TIMEOUT
from ..errors import failure, missing
from .base import ResultReader, newest_first
from .decode import Undecoded, from_mapping, load

TABLE: Final = "celery_taskmeta"
_PLAIN_COLUMNS: Final = ("status", "date_done", "traceback", "name", "worker", "retries", "queue")
_ENCODED_COLUMNS: Final = ("args", "kwargs", "children")
_REQUIRED_COLUMNS: Final = frozenset({"task_id", "status", "result", "date_done", "traceback"})
"""Columns that identify a table of results with a custom name."""
_ROWS_SEARCHED: Final = 4
"""Rows searched, newest id first, for each entry wanted: ids are in the order of creation."""
_BLOCK_SIZE: Final = 500
"""Ids in one SELECT; SQLite takes 999 values before version 3.32."""


class DatabaseResults(ResultReader):
    """Reads a table of results, with the columns of `result_extended` if it has them.

    Args:
        zone: The app's time zone, in which Celery stores local times without an offset. (Celery
            5.4 and older store UTC; the two cannot be distinguished.)
    """

    def __init__(self, url: str, settings: Settings, zone: tzinfo = UTC) -> None:
        self._url = url
        self._settings = settings
        self._zone = zone
        self._lock = threading.Lock()
        self._engine: Any = None
        self._table: Any = None

    def read(self, ids: Sequence[str]) -> dict[str, ResultMeta]:
        """Return the entries of tasks, by id."""
        with self._failing():
            return {row["task_id"]: self._meta(row) for row in self._rows(list(ids))}

    def recent(
        self, limit: int, stop: threading.Event | None = None
    ) -> Iterator[tuple[ResultMeta, ...]]:
        """Yield blocks of entries of finished tasks, the newest first."""
        with self._failing():
            metas = [self._meta(row) for row in self._newest_rows(limit)]
        yield from newest_first(metas, limit)

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
            self._engine = self._table = None

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        """Turn an error in the block into a `ResultsError`."""
        try:
            import sqlalchemy  # noqa: F401
        except ImportError:
            raise missing("sqlalchemy", "db+...") from None
        try:
            yield
        except ImportError as error:
            raise missing(str(error.name or error), self._url.partition("://")[0]) from error
        except Exception as error:
            raise failure(error, self._url, self._settings) from error

    def _rows(self, ids: list[str]) -> Iterator[Mapping[str, Any]]:
        from sqlalchemy import select

        engine, table = self._open()
        columns = _columns(table)
        with engine.connect() as connection:
            for start in range(0, len(ids), _BLOCK_SIZE):
                wanted = select(*columns).where(
                    table.c.task_id.in_(ids[start : start + _BLOCK_SIZE])
                )
                yield from connection.execute(wanted).mappings()

    def _newest_rows(self, limit: int) -> list[Mapping[str, Any]]:
        """Return the newest rows by time, among those with the highest ids.

        The time has no index, and sorting a million rows would burden the database. The id counts
        up with each new entry.
        """
        from sqlalchemy import select

        engine, table = self._open()
        columns = _columns(table)
        wanted = select(*columns).where(table.c.status.in_(sorted(READY_STATES)))
        if "id" in table.c:
            added = select(table.c.id).order_by(table.c.id.desc()).limit(limit * _ROWS_SEARCHED)
            wanted = wanted.where(table.c.id.in_(select(added.subquery().c.id)))
        with engine.connect() as connection:
            found = connection.execute(wanted.order_by(table.c.date_done.desc()).limit(limit))
            return list(found.mappings())

    def _open(self) -> tuple[Any, Any]:
        with self._lock:
            if self._engine is None:
                self._engine = _engine(self._url, self._settings.workdir)
            if self._table is None:
                self._table = _table(self._engine)
            return self._engine, self._table

    def _meta(self, row: Mapping[str, Any]) -> ResultMeta:
        meta = {name: row.get(name) for name in _PLAIN_COLUMNS}
        undecoded = None
        try:
            meta["result"] = load(row["result"])
        except Undecoded as reason:
            undecoded = str(reason)
        for name in _ENCODED_COLUMNS:
            meta[name] = _load_or_none(row.get(name))
        stamps = _load_or_none(row.get("stamps"))
        if isinstance(stamps, Mapping) and isinstance(stamps.get("stamps"), Mapping):
            meta["stamped_headers"] = stamps.get("stamped_headers")
            meta = {**stamps["stamps"], **meta}
        return from_mapping(row["task_id"], meta, undecoded=undecoded, zone=self._zone)


def _columns(table: Any) -> list[Any]:
    names = ("task_id", "result", "stamps", *_PLAIN_COLUMNS, *_ENCODED_COLUMNS)
    return [table.c[name] for name in names if name in table.c]


def _load_or_none(payload: Any) -> Any:
    try:
        return load(payload)
    except Undecoded:
        return None


def _engine(url: str, workdir: str | None) -> Any:
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url

    place = make_url(url.partition("+")[2])
    kind = place.get_backend_name()
    if kind == "sqlite":
        if place.database and not place.database.startswith("file:"):
            file = Path(workdir or ".") / place.database
            if not file.is_file():  # SQLite would create it
                raise FileNotFoundError(f"no database file {file}")
            place = place.set(database=str(file))
        options: dict[str, Any] = {"timeout": CONNECT_TIMEOUT}
    elif kind in ("postgresql", "mysql", "mariadb"):
        options = {"connect_timeout": int(CONNECT_TIMEOUT)}
    else:
        options = {}
    return create_engine(place, pool_pre_ping=True, connect_args=options)


def _table(engine: Any) -> Any:
    """Return the table of results: the default one, or the only one with its columns.

    `database_table_names` may give it another name, which workers do not report.
    """
    from sqlalchemy import MetaData, Table, inspect

    looked = inspect(engine)
    names = [TABLE]
    if not looked.has_table(TABLE):
        names = [name for name in looked.get_table_names() if _holds_results(looked, name)]
        if len(names) != 1:
            raise LookupError(f"no such table: {TABLE}")
    return Table(names[0], MetaData(), autoload_with=engine, resolve_fks=False)


def _holds_results(looked: Any, table: str) -> bool:
    names = {column["name"] for column in looked.get_columns(table)}
    # The table of django-celery-results also has columns with the encoding.
    return names >= _REQUIRED_COLUMNS and "content_type" not in names
