"""The tables of the history, and the statements that create and fill them.

Both databases have the same tables. What differs between them is in `Dialect`: names of types and
a few expressions. All statements here and in `statements` mark their parameters with `?`.

The version of the schema is stored beside the tables. Migrations only go forward: a celtop refuses
a history that a newer one has written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import msgspec

from ...model.ingest.series_recorder import (
    CLUSTER_VALUES,
    QUEUE_VALUES,
    RATES,
    TYPE_VALUES,
    WORKER_VALUES,
)
from ..rows import MINUTE

SCHEMA_NAME: Final = "celtop"
"""The schema of the tables in PostgreSQL."""
VERSION: Final = 4
"""The version of the schema that this celtop writes."""

Kind: TypeAlias = Literal["number", "integer", "real", "text"]

SHARE: Final = "share"
"""The part of the successful tasks that was stored, of the cluster; unknown if all were."""
MEANS: Final = tuple(
    dict.fromkeys((*CLUSTER_VALUES, *QUEUE_VALUES, *WORKER_VALUES, *TYPE_VALUES, SHARE))
)
"""Values of a rollup that are means over its minute."""
COUNTS: Final = tuple(f"n_{name}" for name in RATES)
"""Values of a rollup that are exact counts."""


class Dialect(msgspec.Struct, frozen=True):
    """Where the SQL of the databases differs."""

    number: str
    """The type of a primary key that numbers its rows."""
    integer: str
    real: str
    text: str
    floor: str
    """The floor of the expression `{}` as an integer."""
    partition_key: tuple[str, ...] = ()
    """Further columns of the key of `tasks`."""
    listed: tuple[str, ...] = ()
    """Further columns of the indexes by which tasks are listed: their filters read no other."""


SQLITE: Final = Dialect(
    number="INTEGER PRIMARY KEY",
    integer="INTEGER",
    real="REAL",
    text="TEXT",
    floor="CAST({} AS INTEGER)",
    listed=("state", "name", "worker", "queue"),
)


class Table(msgspec.Struct, frozen=True):
    """A table: its columns with their types, and its key."""

    name: str
    columns: tuple[tuple[str, Kind], ...]
    key: tuple[str, ...]
    at: str
    """The column by which the retention decides, and the oldest rows are found."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(name for name, _ in self.columns)

    def create(self, dialect: Dialect, options: str = "") -> str:
        """Return the statement that creates the table."""
        columns = [f"{name} {getattr(dialect, kind)}" for name, kind in self.columns]
        key = (*self.key, *self.partition_key(dialect))
        columns.append(f"PRIMARY KEY ({', '.join(key)})")
        return f"CREATE TABLE IF NOT EXISTS {self.name} ({', '.join(columns)}) {options}".strip()

    def upsert(self, dialect: Dialect, rows: int = 1) -> str:
        """Return the statement that adds rows, or replaces those with the same keys."""
        key = (*self.key, *self.partition_key(dialect))
        rest = [name for name in self.names if name not in key]
        changes = ", ".join(f"{name} = excluded.{name}" for name in rest)
        row = f"({', '.join('?' * len(self.names))})"
        return (
            f"INSERT INTO {self.name} ({', '.join(self.names)}) "
            f"VALUES {', '.join([row] * rows)} "
            f"ON CONFLICT ({', '.join(key)}) DO " + (f"UPDATE SET {changes}" if rest else "NOTHING")
        )

    def partition_key(self, dialect: Dialect) -> tuple[str, ...]:
        """Return the columns that the dialect adds to the key."""
        return dialect.partition_key if self.name == "tasks" else ()


def _reals(*names: str) -> Iterator[tuple[str, Kind]]:
    for name in names:
        yield name, "real"


def _texts(*names: str) -> Iterator[tuple[str, Kind]]:
    for name in names:
        yield name, "text"


TASKS: Final = Table(
    "tasks",
    (
        ("cluster", "integer"),
        ("id", "text"),
        ("at", "real"),
        *_texts("state", "body", "name", "worker", "queue"),
        *_reals("first_seen_at", "finished_at", "runtime"),
        *_texts("root_id", "parent_id", "group_id", "failure"),
        ("sample", "real"),
    ),
    ("cluster", "id"),
    "at",
)
"""The columns are those of `StoredTask`, in its order."""

ROLLUPS: Final = Table(
    "rollups",
    (
        ("cluster", "integer"),
        *_texts("kind", "name"),
        ("minute", "integer"),
        *_reals(*MEANS, *COUNTS),
    ),
    ("cluster", "kind", "name", "minute"),
    "minute",
)

FINDINGS: Final = Table(
    "findings",
    (
        ("cluster", "integer"),
        *_texts("code", "subject"),
        *_reals("began_at", "ended_at"),
        *_texts("severity", "text", "next_step"),
        *_reals("described_at"),
    ),
    ("cluster", "code", "subject", "began_at"),
    "began_at",
)

OPERATIONS: Final = Table(
    "operations",
    (
        ("cluster", "integer"),
        ("id", "text"),
        *_reals("began_at", "ended_at"),
        *_texts("user_name", "text", "targets"),
    ),
    ("cluster", "id"),
    "began_at",
)
"""`targets` is a JSON list."""

OPERATION_TARGETS: Final = Table(
    "operation_targets",
    (("cluster", "integer"), *_texts("target", "id"), ("began_at", "real")),
    ("cluster", "target", "id"),
    "began_at",
)

LOG: Final = Table(
    "log",
    (
        ("cluster", "integer"),
        ("at", "real"),
        ("checksum", "integer"),
        *_texts("level", "source", "text"),
    ),
    ("cluster", "at", "checksum"),
    "at",
)
"""The checksum of the line keeps a repeated write from adding it twice."""

MARKS: Final = Table(
    "marks",
    (("cluster", "integer"), ("at", "real"), *_texts("kind", "name", "text")),
    ("cluster", "at", "kind", "name"),
    "at",
)

RUNS: Final = Table(
    "runs",
    (("cluster", "integer"), ("id", "text"), *_reals("began_at", "alive_at", "ended_at")),
    ("cluster", "id"),
    "alive_at",
)

OBSERVATIONS: Final = Table(
    "observations",
    (("cluster", "integer"), ("subject", "text"), ("at", "real"), ("body", "text")),
    ("cluster", "subject"),
    "at",
)
"""The latest ones only, regardless of their age: no table of the retention."""

TABLES: Final = (TASKS, ROLLUPS, FINDINGS, OPERATIONS, OPERATION_TARGETS, LOG, MARKS, RUNS)
"""All that have rows of clusters, and are subject to the retention."""


def creation(
    dialect: Dialect,
    columns: Callable[[str], Collection[str]],
    options: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[str]:
    """Yield the statements that create the tables, or bring those of an older celtop up to date.

    Each is to be run before the next one is asked for, and also works if it was run before.

    Args:
        dialect: Whose types to use.
        columns: Returns the names of the columns that a table has.
        options: What follows the columns of tables, such as their partitioning, by their names.
    """
    yield (
        f"CREATE TABLE IF NOT EXISTS clusters "
        f"(number {dialect.number}, name {dialect.text} NOT NULL UNIQUE)"
    )
    for table in (*TABLES, OBSERVATIONS):
        yield table.create(dialect, options.get(table.name, ""))
        known = columns(table.name)
        for name, kind in table.columns:
            if name not in known:
                yield f"ALTER TABLE {table.name} ADD COLUMN {name} {getattr(dialect, kind)}"
    yield from _indexes(dialect)


def _indexes(dialect: Dialect) -> Iterator[str]:
    listed = ", ".join(("cluster", "at", "id", *dialect.listed))
    for name, where in (("tasks_at", ""), ("tasks_unsuccessful", "WHERE state <> 'SUCCESS'")):
        # Most tasks succeed: a search for other tasks need not read them.
        if dialect.listed:
            yield f"DROP INDEX IF EXISTS {name}"
            name = f"{name}_listed"
        yield f"CREATE INDEX IF NOT EXISTS {name} ON tasks ({listed}) {where}".strip()
    yield from (
        "CREATE INDEX IF NOT EXISTS tasks_failure ON tasks (cluster, failure, at) "
        "WHERE failure <> ''",
        "CREATE INDEX IF NOT EXISTS tasks_root ON tasks (cluster, root_id) "
        "WHERE root_id IS NOT NULL AND root_id <> id",
        "CREATE INDEX IF NOT EXISTS rollups_minute ON rollups (cluster, minute)",
        "CREATE INDEX IF NOT EXISTS findings_began_at ON findings (cluster, began_at)",
        "CREATE INDEX IF NOT EXISTS operations_began_at ON operations (cluster, began_at)",
        "CREATE INDEX IF NOT EXISTS operation_targets_began_at ON operation_targets "
        "(cluster, began_at)",
    )


def unit_of(table: Table) -> int:
    """Return the seconds that the time of a table counts."""
    return MINUTE if table.at == "minute" else 1
