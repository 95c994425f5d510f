"""A task to be sent, and the recovered message of an earlier one."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import msgspec

from ..entities.broker import BrokerFamily

Source: TypeAlias = Literal["queue", "unacked", "worker", "backend", "event", "sent"]
"""Where an original was found, the most reliable first: the message waiting in its queue, the
message that a worker has not acknowledged, a worker's reply, the result backend (with
`result_extended`, or django-celery-results), the text in the task's event, the text of a message
that celtop sent."""

RETRY_OF: Final = "celtop_retry_of"
"""The header of a retried task that holds the original's id; the task itself can read it."""

SOURCE_NAMES: Final[dict[Source, str]] = {
    "queue": "the message in the queue",
    "unacked": "the unacknowledged message",
    "worker": "the worker that received it",
    "backend": "the result backend",
    "event": "its event",
    "sent": "the message that celtop sent",
}


MAX_QUEUE_NAME_BYTES: Final = 255
"""The limit of AMQP."""
MAX_PRIORITY: Final = 255
"""The limit of RabbitMQ (`x-max-priority`)."""
MAX_REDIS_PRIORITY: Final = 9
"""The limit of kombu's Redis transport, which takes any larger number for it."""


def max_priority(family: BrokerFamily) -> int:
    """Return the largest priority of a message on a broker."""
    return MAX_REDIS_PRIORITY if family == "redis" else MAX_PRIORITY


class Call(msgspec.Struct, frozen=True, gc=False):
    """A task to be sent."""

    name: str
    args: tuple[Any, ...] = ()
    """Values that kombu can write as JSON, which include dates, decimals and UUIDs."""
    kwargs: dict[str, Any] = {}
    queue: str | None = None
    """The queue to send it to; None if the user has to choose one."""
    priority: int | None = None
    """As the broker has it: on Redis 0 is the most urgent, on RabbitMQ the largest number."""
    countdown: float | None = None
    """Seconds from sending until it may start."""
    eta_at: float | None = None
    """When it may start, epoch seconds; excludes `countdown`."""
    expires_in: float | None = None
    """Seconds from sending until it expires."""
    time_limit: float | None = None
    """Seconds after which it is killed; None: the worker's own limit."""
    soft_time_limit: float | None = None
    headers: dict[str, Any] = {}
    """The application's own headers, and stamps."""
    retry_of: str | None = None
    """The id of the task that it retries."""


class RawMessage(msgspec.Struct, frozen=True, gc=False):
    """A task's message as it is on the broker: sent again byte for byte, never decoded."""

    body: bytes
    content_type: str
    content_encoding: str
    headers: dict[str, Any]
    priority: int | None = None


class SentTask(msgspec.Struct, frozen=True, gc=False):
    """A task exactly as its caller sent it."""

    id: str
    call: Call
    """Without arguments if only the raw message has them; `readable` is false then."""
    source: Source
    seen_at: float
    """When it was found, our clock, epoch seconds."""
    message: RawMessage | None = None
    """The message itself, if it was found."""
    readable: bool = True
    """Whether `call` has the arguments; a pickled message is sent again without being read."""
    missing: tuple[str, ...] = ()
    """What the caller sent and could not be recovered, in words: `callbacks`, `its ETA`, ..."""
    queue_reason: str | None = None
    """What determined the queue if neither message nor event has it: `the app's routes`."""
    revoked_by: tuple[str, ...] = ()
    """The workers with its id in their list of revoked ids."""


class Unrecoverable(msgspec.Struct, frozen=True, gc=False):
    """A task whose message cannot be recovered exactly."""

    id: str
    reason: str
    """Why it cannot be retried, in words."""
    known: Call | None = None
    """What is known, for the user to complete; the arguments may be empty."""
    args_text: str | None = None
    """The arguments from the event: truncated, or unreadable."""
    kwargs_text: str | None = None
    passing: bool = False
    """Whether a later search may find more: a source could not be searched this time."""


Recovered: TypeAlias = SentTask | Unrecoverable
