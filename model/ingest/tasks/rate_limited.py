"""Tasks that a worker holds back by their type's rate limit.

A worker keeps such a task in a bucket of its own (`Consumer._limit_task` in
`celery/worker/consumer/consumer.py`), which no inspect command lists, and `query_task` does not
find it. Only its `task-received` event proves that the worker has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import Final

from ...entities.states import RECEIVED, RETRY
from ...entities.task import Task
from ...entities.worker import Worker

START_DELAY: Final = 5.0
"""Seconds after a task was received, or its ETA, in which its start may still be reported."""


def held_text(rate: str) -> str:
    """Return what a held task waits for, in words."""
    return f"held by its rate limit {rate}"


def rate_limit(task: Task, worker: Worker) -> str | None:
    """Return the rate limit of a task's type on its worker, such as `10/m`; None if it has none."""
    limits = worker.limits.get(task.name or "")
    return None if limits is None else limits.rate


def holding_limit(task: Task, worker: Worker, now: float) -> str | None:
    """Return the rate limit that holds a task back in its worker; None if none does.

    The task is in no list of the worker, or the worker would have a free slot for it.

    Args:
        task: The task.
        worker: The task's worker.
        now: The time by the worker's clock.
    """
    rate = rate_limit(task, worker)
    if rate is None or task.state not in (RECEIVED, RETRY) or task.lost_at is not None:
        return None
    # Its start may be in transit.
    ready_at = max(task.received_at or 0.0, task.state_at or 0.0, task.eta_at or 0.0)
    if now - ready_at < START_DELAY or worker.reserved_ids is None:
        return None
    running = len(worker.active_ids)
    is_listed = task.id in worker.reserved_ids or task.id in (worker.scheduled_ids or ())
    has_free_slot = worker.concurrency is not None and running < worker.concurrency
    return rate if not is_listed or has_free_slot else None


def held_by_type(workers: Iterable[Worker]) -> Counter[str]:
    """Return how many tasks of each type are held back by its rate limit, on all workers."""
    return Counter(chain.from_iterable(worker.limited_ids.values() for worker in workers))
