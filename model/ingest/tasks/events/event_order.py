"""Compares an event with what is known of its task: whether it is later, or begins another run.

By one host's clock the later event wins. Between hosts, whose clocks may differ, and at equal
times, Celery's precedence decides (`states.precedence`). `PENDING` never overrides anything.
"""

from __future__ import annotations

from typing import Final

from ....entities.states import FINISHED, PENDING, RETRY, TaskState, precedence
from ....entities.task import Task
from ....wire.events import Event

ACCEPTED_WITHIN: Final = 1.0
"""Seconds in which a pool reports that it accepted a task."""


def supersedes(task: Task, state: TaskState, at: float, host: str) -> bool:
    """Return whether a state at a time of a host's clock replaces the task's."""
    if task.state == PENDING:
        return True
    if host == task.state_host and task.state_at is not None and at != task.state_at:
        return at > task.state_at
    if task.state_host is not None or task.state in FINISHED:
        return precedence(state) <= precedence(task.state)
    # Known from a reply or a message, which state no time, or that of the start.
    follows = task.state_at is None or (host == task.worker and at > task.state_at)
    return follows or precedence(state) <= precedence(task.state)


def begins_again(task: Task, at: float, retries: int, begun: float) -> bool:
    """Return whether a `task-received` event starts a new attempt of a task.

    `at` and `retries` are the event's; `begun` is the latest known time of the current attempt.
    """
    if retries > task.retries:
        if task.state == RETRY and (task.finished_at is not None or task.received_at is None):
            return task.finished_at is not None
        if task.finished_at is not None and at <= task.finished_at:
            return False
        return at > (begun if task.started_at is None else task.started_at)
    return at > begun and (task.started_at is not None or task.finished_at is not None)


def starts_previous_attempt(task: Task, at: float, host: str) -> bool:
    """Return whether a `task-started` event of a worker belongs to the previous attempt.

    A task that is retried within milliseconds is received again before the pool has reported that
    it accepted the previous attempt. A later start is not that one, whose event was missed.
    """
    if not task.attempts or task.received_at is None:
        return False
    last = task.attempts[-1]
    if last.started_at is not None or last.finished_at is not None or last.worker != host:
        return False
    due = task.eta_at - ACCEPTED_WITHIN if task.eta_at is not None else 0.0
    return last.number < task.retries and at < max(task.received_at + ACCEPTED_WITHIN, due)


def ends_previous_attempt(task: Task, at: float, host: str) -> bool:
    """Return whether a `task-retried` event of a worker belongs to the previous attempt.

    This is the usual order: a worker sends the event only after it has received the next attempt,
    and with a countdown of 0 often after it has started it.
    """
    if task.started_at is not None:
        if not task.attempts:
            return False
        last = task.attempts[-1]
        runs = last.started_at is not None and last.finished_at is None and last.worker == host
        return at < task.started_at or (runs and last.number < task.retries)
    if task.attempts:
        return task.attempts[-1].finished_at is None
    return task.received_at is not None and task.retries > 0


def replaces(task: Task, name: str | None, args: str | None, kwargs: str | None) -> bool:
    """Return whether a message or event with a running task's id is of another call.

    `Task.replace` sends another signature under the id of the task that it replaces. A redelivered
    message has the same name and arguments, and was not acknowledged before.
    """
    if name is not None and task.name is not None and name != task.name:
        return True
    if task.extra is not None and task.extra.acknowledged:
        return True
    if task.received_at is None:
        return False  # the arguments are not those of an event, but in another notation
    return (args is not None and args != task.args) or (
        kwargs is not None and kwargs != task.kwargs
    )


def replaced_by(task: Task, event: Event) -> bool:
    """Return whether a `task-sent` event is that of the call by which a task replaces itself."""
    if task.started_at is None or event.timestamp <= task.started_at:
        return False
    if task.waiting or task.state in FINISHED or (event.retries or 0) != task.retries:
        return False
    renamed = event.name is not None and task.name is not None and event.name != task.name
    if task.sent_at is not None:
        return event.timestamp > task.sent_at and (renamed or event.args != task.args)
    # It may be the first call, if the client's clock is ahead.
    return renamed and event.args != task.args
