"""Task states, their precedence, and the sources of information about a task.

The precedence is Celery's (`celery.states.PRECEDENCE`): of two states whose order in time is
unknown, the one with the lower number wins. Any other state is a custom one and keeps the name
that the application gave it.
"""

from __future__ import annotations

from typing import Final, TypeAlias

TaskState: TypeAlias = str

PENDING: Final = "PENDING"
RECEIVED: Final = "RECEIVED"
STARTED: Final = "STARTED"
SUCCESS: Final = "SUCCESS"
FAILURE: Final = "FAILURE"
RETRY: Final = "RETRY"
REVOKED: Final = "REVOKED"
REJECTED: Final = "REJECTED"
CANCELLED: Final = "CANCELLED"
"""A custom state by Celery's precedence, but sent by its workers when a connection is lost."""

IGNORED: Final = "IGNORED"
"""Celery's state of a run that ended without a result: the task replaced itself (`Task.replace`).
Only earlier attempts have it, as no event reports it."""

WAITING: Final = frozenset({PENDING, RECEIVED, RETRY})
"""The task has not started: it waits in a queue, in a worker, or for its next attempt."""

FINISHED: Final = frozenset({SUCCESS, FAILURE, REVOKED, REJECTED, CANCELLED})
"""The task will not run again unless its message is redelivered."""

FAULTY: Final = frozenset({FAILURE, RETRY, REJECTED})
"""The task failed, or is about to be retried after a failure."""

CELERY_STATES: Final = (PENDING, RECEIVED, STARTED, SUCCESS, FAILURE, RETRY, REVOKED, REJECTED)

_CUSTOM_PRECEDENCE: Final = 2
_PRECEDENCE: Final = {
    SUCCESS: 0,
    FAILURE: 1,
    REVOKED: 3,
    STARTED: 4,
    RECEIVED: 5,
    REJECTED: 6,
    RETRY: 7,
    PENDING: 8,
}


ORDERED: Final = frozenset(_PRECEDENCE)
"""The states with a precedence of their own; all others have that of custom states."""


def precedence(state: TaskState) -> int:
    """Return a state's precedence in Celery's order; the lowest is the most final."""
    return _PRECEDENCE.get(state, _CUSTOM_PRECEDENCE)


FROM_EVENT: Final = 1
FROM_INSPECT: Final = 2
FROM_QUEUE: Final = 4
FROM_BACKEND: Final = 8
FROM_SENDING: Final = 16
REPORTS_RETRIES: Final = 32
"""Set beside the sources if the result backend has the number of retries."""
FROM_HISTORY: Final = 64
"""Loaded from the history store."""

_SOURCES: Final = (
    (FROM_EVENT, "event"),
    (FROM_INSPECT, "inspect"),
    (FROM_QUEUE, "queue"),
    (FROM_BACKEND, "backend"),
    (FROM_SENDING, "sending"),
    (FROM_HISTORY, "history"),
)


_READ_LATER: Final = FROM_BACKEND | FROM_HISTORY | REPORTS_RETRIES


def is_only_read(sources: int) -> bool:
    """Return whether a task is known only from the result backend or the history.

    It can be read from there again.
    """
    return not sources & ~_READ_LATER


def source_names(sources: int) -> tuple[str, ...]:
    """Return the names of the sources in a bit set, as in the snapshot schema."""
    return tuple(name for bit, name in _SOURCES if sources & bit)
