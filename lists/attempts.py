"""A task's attempts as text: how many there were, and when the next one is due."""

from __future__ import annotations

from ..model.entities.states import RETRY
from ..model.entities.task import Task
from ..model.text import units


def retry_count(task: Task, max_retries: int | None) -> str:
    """Return a task's number of retries, as `2 of 3` if the maximum is known.

    Args:
        task: The task.
        max_retries: The maximum of its type; a single call may set a higher one.
    """
    known = task.known_retries
    if known is None:
        return units.UNKNOWN
    return f"{known} of {max_retries}" if max_retries and known <= max_retries else str(known)


def next_attempt(task: Task, now: float, known_until: float | None = None) -> str | None:
    """Return when a task is retried, as `in 5 s` or `3 s late`; None if no retry is due.

    Args:
        task: The task.
        now: The time, by the worker's clock.
        known_until: Until when it is known not to be retried, by the worker's clock; None is `now`.
    """
    if not task.waiting or task.eta_at is None or not (task.state == RETRY or task.retries):
        return None
    return countdown(task.eta_at, now, now if known_until is None else known_until)


def countdown(eta_at: float, now: float, known_until: float) -> str:
    """Return `in 5 s`, `3 s late`, or `due` if it is not known to be late."""
    if now <= eta_at:
        return f"in {units.duration(eta_at - now)}"
    return f"{units.duration(known_until - eta_at)} late" if known_until > eta_at else "due"
