"""The names of task states, their order, and where knowledge of a task comes from.

The order is Celery's (`celery.states.PRECEDENCE`): of two states whose order in time is not known,
the one with the lower rank wins. A state that Celery does not know is a custom one: it stays as
the application named it.
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
"""Custom by Celery's order, but sent by its workers: a run cut short by a lost connection."""

WAITING: Final = frozenset({PENDING, RECEIVED, RETRY})
"""A task in one of these has yet to start: in a queue, in a worker, or for its next attempt."""

FINISHED: Final = frozenset({SUCCESS, FAILURE, REVOKED, REJECTED, CANCELLED})
"""No more work will be done on a task in one of these, unless it is delivered again."""

FAULTY: Final = frozenset({FAILURE, RETRY, REVOKED, REJECTED, CANCELLED})
"""What an operator means by "show me what went wrong"."""

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


def precedence(state: TaskState) -> int:
    """Return a state's place in Celery's order; the lowest is the most final."""
    return _PRECEDENCE.get(state, _CUSTOM_PRECEDENCE)


FROM_EVENT: Final = 1
FROM_INSPECT: Final = 2
FROM_QUEUE: Final = 4
FROM_BACKEND: Final = 8
FROM_SENDING: Final = 16

_SOURCES: Final = (
    (FROM_EVENT, "event"),
    (FROM_INSPECT, "inspect"),
    (FROM_QUEUE, "queue"),
    (FROM_BACKEND, "backend"),
    (FROM_SENDING, "sending"),
)


def source_names(sources: int) -> tuple[str, ...]:
    """Return the names of the sources in a bit set, as the snapshot contract spells them."""
    return tuple(name for bit, name in _SOURCES if sources & bit)
