"""Lost tasks: which they are, why, and when the broker redelivers them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..entities.broker import family_of
from ..entities.task import Task
from ..entities.worker import Worker

VISIBILITY_TIMEOUT: Final = 3600.0
"""Seconds after which unacknowledged messages are redelivered on Redis (kombu's default)."""

_PHRASES: Final = {
    "unheard": "no final event received",
    "unknown": "unknown to workers and backend",
    "emptied": "its queue was emptied",
}


def update_lost(
    lost: dict[str, Task], changed: Mapping[str, Task], evicted: Iterable[Task]
) -> None:
    """Update the lost tasks by id with the changed and evicted tasks."""
    for id_, task in changed.items():
        if task.lost_at is not None:
            lost[id_] = task
        elif lost:
            lost.pop(id_, None)
    if lost:
        for task in evicted:
            lost.pop(task.id, None)


def loss_text(task: Task) -> str:
    """Return why a task is lost, in words."""
    if task.loss == "worker":
        return f"lost with {task.worker or 'its worker'}"
    return _PHRASES[task.loss or "unheard"]


def redelivery(
    task: Task, worker: Worker | None, transport: str, options: Mapping[str, Any]
) -> float | bool:
    """Return when the broker redelivers a task that was lost with its worker.

    It does if the worker had not acknowledged the message, as with `acks_late`. The time is in
    epoch seconds by the worker's clock; True is at once, False is never or unknown. `options` are
    the `broker_transport_options` of celtop's settings.
    """
    if task.loss != "worker" or task.extra is None or task.extra.acknowledged is not False:
        return False
    family = family_of(transport)
    if family == "amqp":
        return True
    if family != "redis" or task.received_at is None:
        return False
    conf = (worker.conf if worker is not None else None) or {}
    reported = conf.get("broker_transport_options")
    merged = {**(reported if isinstance(reported, Mapping) else {}), **options}
    seconds = merged.get("visibility_timeout")
    timeout = float(seconds) if isinstance(seconds, int | float) else VISIBILITY_TIMEOUT
    return task.received_at + timeout
