"""A task as it is stored: its JSON, and the columns that are searched."""

from __future__ import annotations

from functools import cache

import msgspec
from msgspec import structs

from ..model.entities.states import FROM_HISTORY
from ..model.entities.task import Task, TaskExtra, first_seen_at
from .rows import StoredTask

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Task)


def stored_task(
    task: Task, cluster: str, at: float, failure: str = "", sample: float = 1.0
) -> StoredTask:
    """Return the row of a task.

    Args:
        task: The task.
        cluster: The key of its cluster.
        at: When it ended, or changed last, by the local clock.
        failure: The id of its failure group.
        sample: The share of tasks like it that are stored.
    """
    return StoredTask(
        cluster=cluster,
        id=task.id,
        at=at,
        state=task.state,
        body=_ENCODER.encode(task),
        name=task.name,
        worker=task.worker,
        queue=task.queue,
        first_seen_at=first_seen_at(task),
        finished_at=task.finished_at,
        runtime=None if task.running else task.elapsed(at),
        root_id=task.root_id,
        parent_id=task.parent_id,
        group_id=task.group_id,
        failure=failure,
        sample=sample,
    )


def task_of(row: StoredTask) -> Task | None:
    """Return the task of a row, with `history` among its sources; None if it is unreadable."""
    task = decoded(row.body)
    if task is not None and row.sample < 1.0:
        task.extra = _with_share(task.extra, row.sample)
    return task


def decoded(body: bytes) -> Task | None:
    """Return the task of a body; None if it is unreadable.

    A newer celtop on the same store may have written a body that this one cannot read.
    """
    try:
        task = _DECODER.decode(body)
    except msgspec.MsgspecError:
        return None
    task.arrival = task.version = 0
    task.sources |= FROM_HISTORY
    return task


def _with_share(extra: TaskExtra | None, share: float) -> TaskExtra:
    return _share_alone(share) if extra is None else structs.replace(extra, stored_share=share)


@cache
def _share_alone(share: float) -> TaskExtra:
    """Return the rest of a task of which only that is known; tasks share it."""
    return TaskExtra(stored_share=share)
