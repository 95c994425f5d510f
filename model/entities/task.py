"""A task.

Times are epoch seconds by the sender's clock unless stated otherwise; durations are seconds.
Structs without cycles are excluded from garbage collection (`gc=False`): with 100,000 tasks a full
collection would freeze the screen.
"""

from __future__ import annotations

import sys
from typing import Literal, TypeAlias

import msgspec

from ..text.traceback import frames_end
from .clock_skew import MIN_SKEW, NO_SKEWS, ClockSkews
from .states import (
    FAULTY,
    FINISHED,
    FROM_QUEUE,
    FROM_SENDING,
    PENDING,
    REPORTS_RETRIES,
    RETRY,
    REVOKED,
    WAITING,
    TaskState,
)

Loss: TypeAlias = Literal["worker", "unheard", "unreported", "unknown", "emptied"]
"""Why a task is lost: its worker was lost; its worker no longer runs it and no final event was
received; or neither the workers nor the result backend have it."""

_TEXT_OVERHEAD = sys.getsizeof("")
_MAX_CHARACTER_BYTES = 4


def text_size(text: str) -> int:
    """Return the maximum memory size of a text in bytes; equal texts have equal sizes.

    `sys.getsizeof` grows once a text has been encoded as UTF-8, so more bytes would be released
    than were counted.
    """
    return _TEXT_OVERHEAD + len(text) * (1 if text.isascii() else _MAX_CHARACTER_BYTES)


class Progress(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The progress that a running task reports."""

    fraction: float | None = None
    """0.0 to 1.0, or None if the task reports only a text."""
    current: float | None = None
    total: float | None = None
    text: str | None = None
    source: str = "event"
    at: float = 0.0


class Attempt(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One attempt at running a task. Celery keeps a single record; here each attempt is kept."""

    number: int
    """0 for the first, like `retries` in the message."""
    state: TaskState = PENDING
    worker: str | None = None
    received_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    exception: str | None = None
    traceback: str | None = None


class TaskExtra(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Rarely used fields, separate so that most tasks stay small; tasks share equal ones."""

    client: str | None = None
    """The sender: the hostname of the `task-sent` event."""
    exchange: str | None = None
    routing_key: str | None = None
    priority: int | None = None
    pid: int | None = None
    """The pool process that runs it, from `inspect active`."""
    acknowledged: bool | None = None
    """Whether its message was acknowledged while it was running: not until it ends if `acks_late`
    is set."""
    redelivered: bool | None = None
    replaced: bool = False
    """Whether an earlier run of it ended by `Task.replace`: the result backend may have the state
    of that run."""
    terminated: bool | None = None
    expired: bool | None = None
    requeued: bool | None = None
    signal: str | None = None
    revoke_requested_at: float | None = None
    """When workers confirmed the revoke, by the local clock; see `Task.revoking`."""
    terminate_requested: bool = False
    """Whether the revoke asked to terminate it if running."""
    retry_of: str | None = None
    """The id of the task that it is a retry of (sent again by celtop)."""
    retried_as: str | None = None
    """The id of its latest retry."""
    backend_state: TaskState | None = None
    """The state in the result backend if it differs from that of events: workers before 5.7 write
    REVOKED over a failure and for tasks that keep running."""
    rate_limit: str | None = None
    """The rate limit that held it back when it was last scanned; see `Task.held_by`."""
    loss: Loss | None = None
    """Why it was last considered lost; see `Task.loss`."""
    fields: dict[str, str] = {}
    """Fields of custom events, as text."""
    created_at: float | None = None
    """When its entry was added to the result backend, by its clock; only `django-db` records it."""
    periodic_task_name: str | None = None
    """The periodic task of django-celery-beat that sent it; only `django-db` records it."""
    sent_retries: int = 0
    """The number of the retry whose message was sent at `Task.sent_at`; 0 for the first message."""
    stored_share: float | None = None
    """The part of the successful tasks of its time that the history has; None if it has all."""


class Task(msgspec.Struct, gc=False, eq=False, omit_defaults=True):
    """One task: its last known state and everything known about it."""

    id: str
    arrival: int = 0
    """Counts up with each new task, so it is the order of discovery. It is negative for tasks that
    were read from the result backend or the history, in order of time."""
    version: int = 0
    """Counts up with each visible change."""
    name: str | None = None
    state: TaskState = PENDING
    state_at: float | None = None
    """When the current state began, by the clock of `state_host`."""
    state_host: str | None = None
    """The host that reported the state; None if it was not reported by an event."""
    worker: str | None = None
    queue: str | None = None
    args: str | None = None
    """The arguments' repr by Celery, cut at about 1,024 characters."""
    kwargs: str | None = None
    result: str | None = None
    exception: str | None = None
    traceback_parts: tuple[str, str] | None = None
    """Its traceback: the frames, which equal failures share, and the exception."""
    sent_at: float | None = None
    received_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    lost_at: float | None = None
    """When it became clear that no worker runs it, by the local clock, though no final event was
    received: the worker died, the event was missed, or the task raised `Ignore`."""
    eta_at: float | None = None
    expires_at: float | None = None
    runtime: float | None = None
    retries: int = 0
    """At least; see `known_retries`."""
    root_id: str | None = None
    parent_id: str | None = None
    group_id: str | None = None
    progress: Progress | None = None
    attempts: tuple[Attempt, ...] = ()
    """Earlier attempts, oldest first; the current one is the task itself."""
    sources: int = 0
    extra: TaskExtra | None = None

    @property
    def traceback(self) -> str | None:
        """The traceback of its latest failure."""
        return None if self.traceback_parts is None else "".join(self.traceback_parts)

    @traceback.setter
    def traceback(self, text: str | None) -> None:
        if text is None:
            self.traceback_parts = None
        else:
            end = frames_end(text)
            self.traceback_parts = sys.intern(text[:end]), text[end:]

    @property
    def finished(self) -> bool:
        """Whether it has ended."""
        return self.state in FINISHED

    @property
    def revoked_unconfirmed(self) -> bool:
        """Whether it is REVOKED in the backend only, and may still run.

        Workers from 5.6.2 on write REVOKED to the result backend at once, while the message still
        waits: if they restart before its turn, it runs. An event follows when it is skipped.
        """
        skipped = self.extra is not None and self.extra.terminated is not None
        return self.state == REVOKED and self.started_at is None and not skipped

    @property
    def known_retries(self) -> int | None:
        """How often it was retried; None if no source reports it.

        The events `task-sent` and `task-received`, messages, and extended results do. `retries` is
        then at least the number of retries that were observed.
        """
        if self.retries or self.received_at is not None or self.sent_at is not None:
            return self.retries
        return 0 if self.sources & (FROM_QUEUE | FROM_SENDING | REPORTS_RETRIES) else None

    @property
    def pending_retry(self) -> int:
        """The number of the retry that a task in state RETRY waits for, 1 for the first.

        Once a worker has received the retry, `retries` counts it already.
        """
        return self.retries + 1 if self.finished_at is not None else max(1, self.retries)

    @property
    def running(self) -> bool:
        """Whether a worker is running it."""
        return not self.waiting and self.state not in FINISHED and self.lost_at is None

    @property
    def loss(self) -> Loss | None:
        """Why it is lost, or None if it is not."""
        if self.lost_at is None:
            return None
        return "unheard" if self.extra is None or self.extra.loss is None else self.extra.loss

    @property
    def faulty(self) -> bool:
        """Whether it failed, is being retried, was rejected, or is lost; a revoked task is not."""
        return self.state in FAULTY or self.lost_at is not None

    @property
    def held_by(self) -> str | None:
        """The rate limit, such as `10/m`, that holds it back in its worker; None if none does."""
        if self.extra is None or not self.waiting or self.started_at is not None:
            return None
        return self.extra.rate_limit

    @property
    def revoking(self) -> bool:
        """Whether workers confirmed a revoke, but the task has not been skipped or ended yet.

        A revoke without terminate does not affect a running task, only its next attempt.
        """
        extra = self.extra
        if extra is None or extra.revoke_requested_at is None or self.state in FINISHED:
            return False
        return extra.terminate_requested or not self.running

    @property
    def waiting(self) -> bool:
        """Whether it waits in a queue, in a worker, or for its next attempt."""
        return self.state in WAITING

    def set_extra(self, **changes: object) -> None:
        """Change some of the fields in `extra`."""
        self.extra = msgspec.structs.replace(self.extra or TaskExtra(), **changes)

    @property
    def text_bytes(self) -> int:
        """Size of its long texts in bytes, computed on each access."""
        size = 0
        for text in (self.args, self.kwargs, self.result, self.exception):
            if text is not None:
                size += text_size(text)
        if self.traceback_parts is not None:
            size += text_size("".join(self.traceback_parts))
        for attempt in self.attempts:
            for text in (attempt.exception, attempt.traceback):
                if text is not None:
                    size += text_size(text)
        if self.extra is not None:
            for name, value in self.extra.fields.items():
                size += text_size(name) + text_size(value)
        return size

    @property
    def is_resent(self) -> bool:
        """Whether `sent_at` is when the message of the next attempt was sent, by `Task.retry`."""
        if self.extra is None or not self.extra.sent_retries or self.state != RETRY:
            return False
        return self.extra.sent_retries >= self.pending_retry

    def waited(self, skews: ClockSkews = NO_SKEWS) -> float | None:
        """Return the seconds between when it could have started and when it did, or None.

        The sender's time is by another clock than the worker's: both are converted to local time.
        None if they contradict each other, because the sender's clock is wrong, and if the time of
        the sender is that of the next attempt.
        """
        started_at, since, eta_at = self.started_at, self.sent_at, self.eta_at
        if started_at is None or self.is_resent:
            return None
        if since is None:
            since = self.received_at
        elif skews:
            # By the worker's clock, by which it waits for the ETA too.
            client = "" if self.extra is None else self.extra.client or ""
            since += skews.get(self.worker or "", 0.0) - skews.get(client, 0.0)
        if eta_at is not None and (since is None or eta_at > since):
            since = eta_at
        if since is None or started_at < since - MIN_SKEW:
            return None
        return max(0.0, started_at - since)

    def elapsed(self, now: float) -> float | None:
        """Return the seconds that it ran, or has been running by `now`; None if not started."""
        if self.runtime is not None:
            return self.runtime
        if self.started_at is None:
            return None
        if self.finished_at is not None:
            return max(0.0, self.finished_at - self.started_at)
        return max(0.0, now - self.started_at) if self.running else None


class EventState(msgspec.Struct, frozen=True, gc=False):
    """A task's state as reported by events, while the backend's state covers it."""

    state: TaskState = PENDING
    state_at: float | None = None
    state_host: str | None = None
    started_at: float | None = None
    finished_at: float | None = None
    lost_at: float | None = None
    result: str | None = None
    exception: str | None = None
    traceback: str | None = None
    retries: int = 0


def newest_time(task: Task) -> float | None:
    """Return the latest known time of the current attempt, or None if it has not begun."""
    newest = task.received_at
    if task.started_at is not None and (newest is None or task.started_at > newest):
        newest = task.started_at
    if task.finished_at is not None and (newest is None or task.finished_at > newest):
        newest = task.finished_at
    return newest


def first_seen_at(task: Task) -> float | None:
    """Return the earliest known time of a task, from which `age:` counts."""
    first = task.attempts[0].received_at if task.attempts else None
    if task.sent_at is not None and (first is None or task.sent_at <= first):
        return task.sent_at  # after a retry, it is the time of the last sending
    if first is not None:
        return first
    if task.received_at is not None:
        return task.received_at
    return task.started_at if task.started_at is not None else task.state_at
