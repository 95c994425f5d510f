"""Marks the tasks that workers list as revoked, by celtop or any other client."""

from __future__ import annotations

from typing import Any, Final

from ...entities.states import FINISHED
from ..tasks.store.task_store import TaskStore

MAX_REVOKED: Final = 50_000
"""Ids that are looked at, as many as a worker keeps (`celery.worker.state.REVOKES_MAX`)."""


def mark_revoked(tasks: TaskStore, reply: Any, at: float) -> None:
    """Apply the reply to `inspect revoked`; a task that is running goes on."""
    for id_ in reply[:MAX_REVOKED] if isinstance(reply, list | tuple) else ():
        task = tasks.tasks.get(id_) if isinstance(id_, str) else None
        if task is None or task.running or task.state in FINISHED:
            continue
        if task.extra is None or task.extra.revoke_requested_at is None:
            task.set_extra(revoke_requested_at=at)
            tasks.touch(task)
