"""Tasks that nobody is known to run any more: which they are, why, and whether they come back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..entities.broker import family_of
from ..entities.task import Task
from ..entities.worker import Worker

VISIBILITY_TIMEOUT: Final = 3600.0
"""Seconds after which Redis hands out again what nobody acknowledged (kombu's default)."""

_PHRASES: Final = {
    "unheard": "its end was not heard",
    "unknown": "unknown to worker and backend",
}


def update_lost(
    lost: dict[str, Task], changed: Mapping[str, Task], evicted: Iterable[Task]
) -> None:
    """Bring the lost tasks by id up to date with what changed."""
    for id_, task in changed.items():
        if task.lost_at is not None:
            lost[id_] = task
        elif lost:
            lost.pop(id_, None)
    if lost:
        for task in evicted:
            lost.pop(task.id, None)


def loss_text(task: Task) -> str:
    """Return which loss it was that befell a task."""
    if task.loss == "worker":
        return f"lost with {task.worker or 'its worker'}"
    return _PHRASES[task.loss or "unheard"]


def redelivery(
    task: Task, worker: Worker | None, transport: str, options: Mapping[str, Any]
) -> float | bool:
    """Tell whether the broker hands out a task again that its worker took along.

    It does if the worker had not acknowledged the message, as with `acks_late`.

    Args:
        task: A lost task.
        worker: Who had it, for what it told of its configuration.
        transport: The broker's, as in its URL.
        options: The `broker_transport_options` that we were told.

    Returns:
        When (epoch seconds, by the worker's clock); or True if at once, False if not as far as is
        known.
    """
    if task.loss != "worker" or task.extra is None or task.extra.acknowledged is not False:
        return False
    family = family_of(transport)
    if family == "amqp":
        return True
    if family != "redis" or task.received_at is None:
        return False
    conf = (worker.conf if worker is not None else None) or {}
    told = conf.get("broker_transport_options")
    merged = {**(told if isinstance(told, Mapping) else {}), **options}
    seconds = merged.get("visibility_timeout")
    timeout = float(seconds) if isinstance(seconds, int | float) else VISIBILITY_TIMEOUT
    return task.received_at + timeout
