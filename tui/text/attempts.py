"""A task's attempts in words: how many there were, and when the next one comes."""

from __future__ import annotations

from ...model.entities.states import RETRY
from ...model.entities.task import Task
from ...model.text import units


def retried(task: Task, most: int | None) -> str:
    """Return how often a task was tried again, as `2 of 3` where it is known how often it may be.

    Args:
        task: The task.
        most: What its type allows; a call may allow itself more.
    """
    return f"{task.retries} of {most}" if most and task.retries <= most else str(task.retries)


def next_attempt(task: Task, now: float) -> str | None:
    """Return `in 5 s` or `3 s late` of a task that is to be tried again; None of any other."""
    if not task.waiting or task.eta_at is None or not (task.state == RETRY or task.retries):
        return None
    left = task.eta_at - now
    return f"in {units.duration(left)}" if left >= 0 else f"{units.duration(-left)} late"
