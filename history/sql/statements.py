"""The statements that read and delete, for both databases; parameters are marked with `?`.

Statements with `{...}` are completed by the driver: with the conditions of a filter, or with an
expression of its dialect.
"""

from __future__ import annotations

from typing import Final

from .schema import (
    COUNTS,
    FINDINGS,
    LOG,
    MARKS,
    MEANS,
    OBSERVATIONS,
    OPERATIONS,
    ROLLUPS,
    RUNS,
    TASKS,
)

TASK_COLUMNS: Final = ", ".join(TASKS.names[1:])
"""All but the cluster, which is known."""

ADD_CLUSTER: Final = "INSERT INTO clusters (name) VALUES (?) ON CONFLICT (name) DO NOTHING"
CLUSTER_NUMBER: Final = "SELECT number FROM clusters WHERE name = ?"
CLUSTER_NAMES: Final = "SELECT number, name FROM clusters ORDER BY name"

OLDER: Final = "(at, id) < (?, ?)"
NOT_OLDER: Final = "(at, id) >= (?, ?)"

TASK_BLOCK: Final = (
    f"SELECT {TASK_COLUMNS} FROM tasks WHERE cluster = ? AND {OLDER} AND {NOT_OLDER}{{where}} "
    "ORDER BY at DESC, id DESC LIMIT ?"
)
"""The newest tasks between two places."""
COUNT_BLOCK: Final = (
    f"SELECT count(*) FROM tasks WHERE cluster = ? AND {OLDER} AND {NOT_OLDER}{{where}}"
)
SLICE_END: Final = (
    f"SELECT at, id FROM tasks WHERE cluster = ? AND {OLDER}{{where}} "
    "ORDER BY at DESC, id DESC LIMIT 1 OFFSET ?"
)
"""The place so many rows further back; read from an index alone."""

TASK_BY_PREFIX: Final = (
    f"SELECT {TASK_COLUMNS} FROM tasks WHERE cluster = ? AND id >= ? AND id < ? ORDER BY id LIMIT 2"
)
WORKFLOW: Final = (
    f"SELECT {TASK_COLUMNS} FROM tasks "
    "WHERE cluster = ? AND root_id = ? AND root_id IS NOT NULL AND root_id <> id LIMIT ?"
)
TASK_BY_ID: Final = f"SELECT {TASK_COLUMNS} FROM tasks WHERE cluster = ? AND id = ?"

_MEANS = ", ".join(f"avg({name})" for name in MEANS)
_COUNTS = ", ".join(f"sum({name})" for name in COUNTS)
SERIES: Final = (
    f"SELECT (minute - ?) - (minute - ?) % ?, {_MEANS}, {_COUNTS} FROM rollups "
    "WHERE cluster = ? AND kind = ? AND name = ? AND minute >= ? AND minute < ? GROUP BY 1"
)
"""The values by the first minute of each step, counted from the beginning of the window."""
LATEST_ROLLUP: Final = (
    f"SELECT {', '.join(ROLLUPS.names[4:])} FROM rollups "
    "WHERE cluster = ? AND kind = 'cluster' AND name = '' ORDER BY minute DESC LIMIT 1"
)

LATEST_ROLLUPS: Final = (
    f"SELECT kind, name, minute, {', '.join(MEANS)}, {', '.join(f'all_{name}' for name in COUNTS)} "
    "FROM rollups JOIN (SELECT kind AS its_kind, name AS its_name, max(minute) AS latest, "
    f"{', '.join(f'sum({name}) AS all_{name}' for name in COUNTS)} FROM rollups "
    "WHERE cluster = ? AND minute >= ? GROUP BY kind, name) AS newest "
    "ON kind = its_kind AND name = its_name AND minute = latest WHERE cluster = ? AND minute >= ?"
)
"""The newest values of each subject, and its counts since a minute."""

ROLLUPS_OF: Final = (
    f"SELECT {', '.join(ROLLUPS.names[1:])} FROM rollups WHERE cluster = ? AND minute = ?"
)


def _weighted(value: str) -> str:
    """Return a mean of percentiles that weighs each minute by its tasks."""
    weight = "(coalesce(n_succeeded, 0) + coalesce(n_failed, 0))"
    return (
        f"sum({value} * {weight}) / nullif(sum(CASE WHEN {value} IS NULL THEN 0 "
        f"ELSE {weight} END), 0)"
    )


TYPES: Final = (
    "SELECT name, sum(n_succeeded), sum(n_failed), sum(n_retried), "
    f"{_weighted('runtime_p50')}, {_weighted('runtime_p95')}, sum(n_received), sum(n_revoked), "
    f"max(CASE WHEN {' + '.join(f'coalesce({name}, 0)' for name in COUNTS)} > 0 THEN minute END) "
    "FROM rollups "
    "WHERE cluster = ? AND kind = 'type' AND minute >= ? AND minute < ? "
    "GROUP BY name ORDER BY name"
)

FAILURE_COUNTS: Final = (
    "SELECT failure, name, worker, {step}, count(*), max(at) FROM tasks "
    "WHERE cluster = ? AND state <> 'SUCCESS' AND failure <> '' AND at >= ? AND at < ? "
    "GROUP BY 1, 2, 3, 4"
)
FAILED: Final = (
    f"SELECT {TASK_COLUMNS} FROM tasks WHERE cluster = ? AND failure = ? AND failure <> '' "
    "AND at >= ? AND at < ? ORDER BY at DESC LIMIT ?"
)
FAILURE_BEGAN: Final = (
    "SELECT min(at) FROM tasks WHERE cluster = ? AND failure = ? AND failure <> ''"
)
FAILURE_EXAMPLE: Final = (
    "SELECT id FROM tasks WHERE cluster = ? AND failure = ? AND failure <> '' AND at = ? LIMIT 1"
)

MARKS_BETWEEN: Final = (
    f"SELECT {', '.join(MARKS.names[1:])} FROM marks "
    "WHERE cluster = ? AND at >= ? AND at < ? ORDER BY at"
)
FINDINGS_BETWEEN: Final = (
    f"SELECT {', '.join(FINDINGS.names[1:])} FROM findings "
    "WHERE cluster = ? AND began_at < ? AND (ended_at IS NULL OR ended_at >= ?) ORDER BY began_at"
)
LATEST_OPERATIONS: Final = (
    f"SELECT {', '.join(OPERATIONS.names[1:])} FROM operations "
    "WHERE cluster = ? ORDER BY began_at DESC LIMIT ?"
)
OPERATIONS_ON: Final = (
    f"SELECT {', '.join(f'operations.{name}' for name in OPERATIONS.names[1:])} FROM operations "
    "JOIN operation_targets ON operation_targets.cluster = operations.cluster "
    "AND operation_targets.id = operations.id "
    "WHERE operations.cluster = ? AND operation_targets.target = ? "
    "ORDER BY operations.began_at DESC LIMIT ?"
)
LOG_BETWEEN: Final = (
    f"SELECT {', '.join(LOG.names[1:])} FROM log "
    "WHERE cluster = ? AND at >= ? AND at < ? ORDER BY at DESC LIMIT ?"
)
OBSERVATIONS_SINCE: Final = (
    f"SELECT {', '.join(OBSERVATIONS.names[1:])} FROM observations "
    "WHERE cluster = ? AND at > ? ORDER BY at, subject"
)
REMOVE_OBSERVATION: Final = "DELETE FROM observations WHERE cluster = ? AND subject = ?"
REMOVE_OBSERVATIONS_BEFORE: Final = (
    "DELETE FROM observations WHERE cluster = ? AND at < ? "
    "AND at < (SELECT max(began_at) FROM runs WHERE cluster = ?)"
)
"""Those that the latest run has not made again."""
RUNS_OF: Final = f"SELECT {', '.join(RUNS.names[1:])} FROM runs WHERE cluster = ? ORDER BY began_at"
WRITTEN_AT: Final = "SELECT max(alive_at) FROM runs"
MINUTES_AROUND: Final = (
    "SELECT (SELECT max(minute) FROM rollups WHERE cluster = ? AND minute <= ?), "
    "(SELECT min(minute) FROM rollups WHERE cluster = ? AND minute > ?)"
)
ALIVE_AT: Final = "SELECT max(alive_at) FROM runs WHERE cluster = ?"
COUNT_TASKS: Final = "SELECT count(*) FROM tasks WHERE cluster = ?"

OLDEST: Final = "SELECT min({at}) FROM {table} WHERE cluster = ?"
NEWEST: Final = "SELECT max({at}) FROM {table} WHERE cluster = ?"
NTH_OLDEST: Final = "SELECT {at} FROM {table} WHERE cluster = ? ORDER BY {at} LIMIT 1 OFFSET ?"
DELETE_OLDER: Final = "DELETE FROM {table} WHERE cluster = ? AND {at} < ?"
