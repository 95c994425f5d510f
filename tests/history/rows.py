"""Rows for the tests of the history."""

from __future__ import annotations

from typing import Any

from celtop.history.rows import StoredTask
from celtop.history.task_body import stored_task
from celtop.model.entities.task import Task

NOW = 1_700_000_000.0
CLUSTER = "shop"


def row(id_: str, ago: float = 10.0, cluster: str = CLUSTER, **fields: Any) -> StoredTask:
    """Return the row of a task that ended some seconds ago."""
    at = NOW - ago
    known: dict[str, Any] = {"state": "SUCCESS", "name": "shop.bill", "worker": "web@1"}
    times = {"sent_at": at - 3, "received_at": at - 2, "started_at": at - 1, "finished_at": at}
    failure = fields.pop("failure", "")
    sample = fields.pop("sample", 1.0)
    exception = fields.pop("traceback", None)
    task = Task(id_, **(known | times | fields))
    task.traceback = exception
    return stored_task(task, cluster, at, failure, sample)
