"""A task as it is sent, and what is known of how an earlier one was sent."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import msgspec

Source: TypeAlias = Literal["queue", "unacked", "worker", "backend", "event"]
"""Where an original was found, the most trustworthy first: the message that waits in its queue, the
message that a worker has not acknowledged, the worker's own word, the result backend (with
`result_extended`), the text in the task's event."""

RETRY_OF: Final = "celtop_retry_of"
"""The header of a task that repeats another, with the other's id; the task itself can read it."""

SOURCE_WORDS: Final[dict[Source, str]] = {
    "queue": "the message in its queue",
    "unacked": "the message that its worker holds",
    "worker": "the worker that had it",
    "backend": "the result backend",
    "event": "the text in its event, which is whole",
}


class Call(msgspec.Struct, frozen=True, gc=False):
    """A task that is to be sent."""

    name: str
    args: tuple[Any, ...] = ()
    """Values that kombu's JSON carries: also dates, decimals, UUIDs."""
    kwargs: dict[str, Any] = {}
    queue: str | None = None
    """Where to; None if it has to be asked for."""
    priority: int | None = None
    """As the broker counts: on Redis 0 is the most urgent, on RabbitMQ the largest number."""
    countdown: float | None = None
    """Seconds from sending until it may start."""
    eta_at: float | None = None
    """When it may start, epoch seconds; not together with `countdown`."""
    expires_in: float | None = None
    """Seconds from sending after which it is not worth starting."""
    time_limit: float | None = None
    """Seconds after which it is killed; None leaves it to the worker."""
    soft_time_limit: float | None = None
    headers: dict[str, Any] = {}
    """Headers of the application's own, and stamps."""
    retry_of: str | None = None
    """The id of the task that it repeats, if it does."""


class RawMessage(msgspec.Struct, frozen=True, gc=False):
    """A task's message as it lies on the broker: sent again byte for byte, never decoded."""

    body: bytes
    content_type: str
    content_encoding: str
    headers: dict[str, Any]
    priority: int | None = None


class SentTask(msgspec.Struct, frozen=True, gc=False):
    """What a caller sent, exactly."""

    id: str
    call: Call
    """Without the arguments if only the raw message has them (`readable` is false then)."""
    source: Source
    seen_at: float
    """When it was found, by our clock."""
    message: RawMessage | None = None
    """The message itself, where it was seen: the most faithful."""
    readable: bool = True
    """Whether `call` holds the arguments; a pickled message is sent again without being read."""
    missing: tuple[str, ...] = ()
    """What the caller sent and this does not tell, in words: `callbacks`, `its ETA`, ..."""


class Unrecoverable(msgspec.Struct, frozen=True, gc=False):
    """A task of which nobody knows any more, exactly, what was sent."""

    id: str
    reason: str
    """Why it cannot be retried, in words."""
    known: Call | None = None
    """What is known, for a person to complete; its arguments may be empty."""
    args_text: str | None = None
    """The arguments as the event tells them: cut, or unreadable."""
    kwargs_text: str | None = None


Recovered: TypeAlias = SentTask | Unrecoverable
