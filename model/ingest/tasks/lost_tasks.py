"""Lost tasks: which they are, why, and when the broker redelivers them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ...entities.broker import Broker
from ...entities.states import PENDING
from ...entities.task import Task
from ...entities.task_type import TaskType
from ...entities.worker import Worker
from ...text import units
from ..queues.visibility_timeout import VISIBILITY_TIMEOUT, configured_timeout

_PHRASES: Final = {
    "unheard": "no final event received",
    "unreported": "ended, but its worker sends no events, and no result is stored",
    "unknown": "unknown to workers and backend",
    "emptied": "its queue was emptied",
}


def update_lost(
    lost: dict[str, Task],
    types: Mapping[str, TaskType],
    changed: Mapping[str, Task],
    evicted: Iterable[Task],
) -> None:
    """Update the lost tasks by id, and their numbers by type, with changed and evicted tasks."""
    other = False
    for id_, task in changed.items():
        if task.lost_at is not None:
            lost[id_] = task
            other = True
        elif lost and lost.pop(id_, None) is not None:
            other = True
    if lost:
        for task in evicted:
            other = lost.pop(task.id, None) is not None or other
    if other:
        _count(lost.values(), types)


def _count(lost: Iterable[Task], types: Mapping[str, TaskType]) -> None:
    counts: dict[str, dict[str, int]] = {}
    for task in lost:
        if task.name is not None:
            states = counts.setdefault(types[task.name].name, {})
            states[task.state] = states.get(task.state, 0) + 1
    for name, kind in types.items():
        states = counts.get(name, {})
        if states != kind.lost:
            kind.lost = states
            kind.version += 1


def loss_text(task: Task) -> str:
    """Return why a task is lost, in words."""
    if task.loss == "worker":
        return f"lost with {task.worker or 'its worker'}"
    if task.loss == "unheard" and task.state == PENDING:
        return "its message is no longer in the queue, and no event of a worker was received"
    return _PHRASES[task.loss or "unheard"]


def redelivery_at(
    task: Task,
    kind: TaskType | None,
    worker: Worker | None,
    broker: Broker,
    *,
    is_offline: bool = True,
) -> float | None:
    """Return when the broker redelivers the message of a task whose worker is gone; None if never.

    The time is by the local clock; RabbitMQ redelivers at once, Redis after the visibility timeout.

    Args:
        task: A task that is lost, or that a lost worker had not started yet.
        kind: The task's type, if it is known.
        worker: The task's worker, if it is known.
        broker: The broker.
        is_offline: Whether the worker is offline.
    """
    if task.waiting:
        lost_with_worker = is_offline and worker is not None and worker.left_at is None
        if not (lost_with_worker if worker is not None else task.lost_at is not None):
            return None
    if task.finished or not _is_unacknowledged(task, kind, worker):
        return None
    if broker.family == "amqp":
        return task.lost_at or (None if worker is None else worker.last_seen_at)
    if broker.family != "redis" or task.received_at is None:
        return None
    skew = 0.0 if worker is None else worker.clock_skew or 0.0
    timeout = configured_timeout(worker, broker) or VISIBILITY_TIMEOUT
    return task.received_at - skew + timeout


def redelivery_text(at: float, now: float) -> str:
    """Return when a message is redelivered, in words."""
    if at > now:
        return f"redelivered in {units.duration(int(at - now))}"
    return "redelivered to the next available worker"


def _is_unacknowledged(task: Task, kind: TaskType | None, worker: Worker | None) -> bool:
    """Return whether a worker that is gone has left the message unacknowledged.

    By `inspect active` or the broker; without either, by other tasks of its type or the setting.
    """
    if task.waiting:
        return task.state != PENDING  # a message is acknowledged when its task starts or later
    if task.loss != "worker":
        return False
    if task.extra is not None and task.extra.acknowledged is not None:
        return not task.extra.acknowledged
    if kind is not None and kind.acks_late is not None:
        return kind.acks_late
    return worker is not None and (worker.conf or {}).get("task_acks_late") is True
