"""Results in a database, through SQLAlchemy: `db+sqlite:///...`, `db+postgresql://...`, ...

The tables are those of `celery/backends/database/models.py`, read by plain SELECTs: Celery's own
backend creates tables and columns as soon as it is used.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, Final

from ....model.entities.result import READY_STATES, ResultMeta
from ....model.query.criterion import Criterion
from ....model.text.coerce import MAX_TIMESTAMP
from ....settings import Settings
from ...connection.broker import CONNECT_TIMEOUT
from ..criteria import Clause
from ..errors import failure, missing
from ..search import MAX_COUNTED, MAX_EXAMINED, Found, Put, ResultSearch
from .base import ONLY_NEWEST, Collector, ResultReader, newest_first
from .decode import Undecoded, from_mapping, load

TABLE: Final = "celery_taskmeta"
_PLAIN_COLUMNS: Final = ("status", "date_done", "traceback", "name", "worker", "retries", "queue")
_ENCODED_COLUMNS: Final = ("args", "kwargs", "children")
_REQUIRED_COLUMNS: Final = frozenset({"task_id", "status", "result", "date_done", "traceback"})
"""Columns that identify a table of results with a custom name."""
_ROWS_SEARCHED: Final = 4
"""Rows searched, newest id first, for each entry wanted: ids are in the order of creation."""
_COLUMNS: Final = {
    **{name: name for name in ("status", "name", "worker", "queue")},
    "id": "task_id",
    "finished": "date_done",
}
"""The columns that a filter's fields are searched in."""
_IDS_AT_ONCE: Final = 500_000
"""Row ids that one SELECT of a search covers, so that it can be stopped."""
_ZONE_MARGIN: Final = 3600.0
"""Seconds by which a local time may be ambiguous when the clocks are set back."""
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
        self._in_utc = zone is UTC or str(zone) == "UTC"
        self._lock = threading.Lock()
        self._engine: Any = None
        self._table: Any = None

    def read(self, ids: Sequence[str]) -> dict[str, ResultMeta]:
        """Return the entries of tasks, by id."""
        with self._failing():
            return {row["task_id"]: self._meta(row) for row in self._rows(list(ids))}

    def search(self, search: ResultSearch, put: Put, stop: threading.Event | None = None) -> Found:
        """Hand over the entries that match a query, those added last first."""
        with self._failing():
            engine, table = self._open()
            kept = {field for field, name in _COLUMNS.items() if name in table.c}
            criteria = search.criteria(kept)
            if criteria is None:
                return Found(0)
            where = [self._clause(table, clause) for clause in criteria.clauses]
            exact = criteria.exact and self._in_utc
            collector = Collector(search, put, counts=search.thorough and not exact)
            if search.query.empty and search.limit is not None and not search.thorough:
                metas = [self._meta(row) for row in self._newest_rows(search.limit)]
                for block in newest_first(metas, search.limit):
                    collector.add(block)
                ended = len(metas) < search.limit
            else:
                with engine.connect() as connection:
                    rows = self._matching_rows(connection, table, where, search.needs_values)
                    ended = _collect(rows, self._meta, collector, search, stop)
            if ended:
                return Found(collector.total)
            if collector.full and exact:
                return self._counted(engine, table, where, search.thorough)
            note = "" if collector.full else ONLY_NEWEST
            return Found(collector.total, more=True, note=note)

    def delete(self, metas: Sequence[ResultMeta]) -> int:
        """Delete entries, in short transactions."""
        from sqlalchemy import delete

        deleted = 0
        with self._failing():
            engine, table = self._open()
            for start in range(0, len(metas), _BLOCK_SIZE):
                states: dict[str | None, list[str]] = {}
                for meta in metas[start : start + _BLOCK_SIZE]:
                    states.setdefault(meta.status, []).append(meta.id)
                with engine.begin() as connection:
                    for state, ids in states.items():
                        unchanged = table.c.task_id.in_(ids), table.c.status == state
                        deleted += connection.execute(delete(table).where(*unchanged)).rowcount
        return deleted

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

    def _matching_rows(
        self, connection: Any, table: Any, where: list[Any], values: bool
    ) -> Iterator[list[Mapping[str, Any]]]:
        """Yield blocks of rows, those with the highest ids first."""
        from sqlalchemy import func, select

        columns = _columns(table, values)
        if "id" not in table.c:
            found = connection.execute(select(*columns).where(*where)).mappings()
            yield from iter(lambda: found.fetchmany(_BLOCK_SIZE), [])
            return
        highest = select(func.max(table.c.id))
        last = connection.scalar(highest)
        while last is not None:
            lowest = last - _IDS_AT_ONCE
            wanted = select(table.c.id, *columns).where(
                table.c.id <= last, table.c.id > lowest, *where
            )
            wanted = wanted.order_by(table.c.id.desc()).limit(_BLOCK_SIZE)
            block = list(connection.execute(wanted).mappings())
            yield block
            if len(block) == _BLOCK_SIZE:
                last = block[-1]["id"] - 1
            else:
                last = connection.scalar(highest.where(table.c.id <= lowest))

    def _counted(self, engine: Any, table: Any, where: list[Any], thorough: bool) -> Found:
        from sqlalchemy import func, literal, select

        some = select(literal(1).label("one")).select_from(table).where(*where)
        if not thorough:
            some = some.limit(MAX_COUNTED + 1)
        with engine.connect() as connection:
            number = int(connection.scalar(select(func.count()).select_from(some.subquery())))
        more = number > MAX_COUNTED and not thorough
        return Found(MAX_COUNTED if more else number, more=more)

    def _clause(self, table: Any, clause: Clause) -> Any:
        from sqlalchemy import and_, not_, or_, true

        found = or_(
            *(
                and_(true(), *(self._test(table, criterion) for criterion in alternative))
                for alternative in clause.alternatives
            )
        )
        if not clause.negated:
            return found
        columns = {one.column for alternative in clause.alternatives for one in alternative}
        unknown = [table.c[_COLUMNS[column]].is_(None) for column in columns]
        return or_(not_(found), *unknown)

    def _test(self, table: Any, criterion: Criterion) -> Any:
        from sqlalchemy import func

        column, value = table.c[_COLUMNS[criterion.column]], criterion.value
        if criterion.operator == "in":
            return column.in_(value)
        if criterion.operator == "equals":
            return column == value
        if criterion.operator == "from":
            return column >= self._stored_time(column, value, -1)
        if criterion.operator == "before":
            return column < self._stored_time(column, value, 1)
        # `icontains` and the like exist from SQLAlchemy 2.0 on.
        compare = getattr(func.lower(column), criterion.operator)
        return compare(value.lower(), autoescape=True)

    def _stored_time(self, column: Any, at: float, sign: int) -> datetime:
        """Return a time as it is stored: without an offset, in the app's time zone."""
        if not self._in_utc:
            at += sign * _ZONE_MARGIN
        found = datetime.fromtimestamp(min(max(at, 0.0), MAX_TIMESTAMP), self._zone)
        return found if getattr(column.type, "timezone", False) else found.replace(tzinfo=None)

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
            meta["result"] = load(row.get("result"))
        except Undecoded as reason:
            undecoded = str(reason)
        for name in _ENCODED_COLUMNS:
            meta[name] = _load_or_none(row.get(name))
        stamps = _load_or_none(row.get("stamps"))
        if isinstance(stamps, Mapping) and isinstance(stamps.get("stamps"), Mapping):
            meta["stamped_headers"] = stamps.get("stamped_headers")
            meta = {**stamps["stamps"], **meta}
        return from_mapping(row["task_id"], meta, undecoded=undecoded, zone=self._zone)


def _collect(
    blocks: Iterable[list[Mapping[str, Any]]],
    meta_of: Callable[[Mapping[str, Any]], ResultMeta],
    collector: Collector,
    search: ResultSearch,
    stop: threading.Event | None,
) -> bool:
    """Search blocks of rows; return whether all were searched."""
    examined, deadline = 0, time.monotonic() + search.timeout
    for block in blocks:
        collector.add([meta_of(row) for row in block])
        examined += len(block)
        if collector.full or (stop is not None and stop.is_set()):
            return False
        if not search.thorough and (examined >= MAX_EXAMINED or time.monotonic() > deadline):
            return False
    return True


def _columns(table: Any, values: bool = True) -> list[Any]:
    encoded = ("result", "stamps", *_ENCODED_COLUMNS) if values else ()
    names = ("task_id", *encoded, *_PLAIN_COLUMNS)
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
