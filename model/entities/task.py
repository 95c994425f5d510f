"""What is known of one task.

All times are seconds since the epoch, UTC, by the sender's clock; durations are seconds. Structs
that hold no cycle are kept out of the garbage collector (`gc=False`): with 100,000 tasks a full
collection would otherwise stop the screen.
"""

from __future__ import annotations

import sys
from typing import Literal, TypeAlias

import msgspec

from .states import FAULTY, FINISHED, PENDING, REVOKED, WAITING, TaskState

Loss: TypeAlias = Literal["worker", "unheard", "unknown"]
"""Why a task is lost: with its worker; its worker lives and runs it no more, while no end was heard
of; or it was asked for, and neither the workers nor the result backend know it."""

_HEAD = sys.getsizeof("")
_WIDEST = 4


def text_size(text: str) -> int:
    """Return what a text takes in memory at most, in bytes; always the same for the same text.

    `sys.getsizeof` grows for a text that was written as UTF-8, as JSON is: what is given back
    would be more than was ever taken.
    """
    return _HEAD + len(text) * (1 if text.isascii() else _WIDEST)


class Progress(msgspec.Struct, frozen=True, gc=False):
    """How far a running task says that it has come."""

    fraction: float | None = None
    """0.0 to 1.0, or None where the task tells only a text."""
    current: float | None = None
    total: float | None = None
    text: str | None = None
    source: str = "event"
    at: float = 0.0


class Attempt(msgspec.Struct, frozen=True, gc=False):
    """One try at running a task. Celery keeps one record for all; we keep each."""

    number: int
    """0 for the first, as in the message's `retries`."""
    state: TaskState = PENDING
    worker: str | None = None
    received_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    exception: str | None = None
    traceback: str | None = None


class TaskExtra(msgspec.Struct, frozen=True, gc=False):
    """Fields that few tasks have, apart so that the many stay small; tasks share equal ones."""

    client: str | None = None
    """Who sent it: the hostname of `task-sent`."""
    exchange: str | None = None
    routing_key: str | None = None
    priority: int | None = None
    pid: int | None = None
    """The pool process that runs it, known from inspect."""
    acknowledged: bool | None = None
    redelivered: bool | None = None
    terminated: bool | None = None
    expired: bool | None = None
    requeued: bool | None = None
    signal: str | None = None
    revoke_requested_at: float | None = None
    """When workers confirmed that they will skip or end it, by our clock; ask `Task.revoking`
    whether that is still to come."""
    terminate_requested: bool = False
    """Whether they were to end it even if it runs."""
    retry_of: str | None = None
    """The id of the task that it was sent again for."""
    retried_as: str | None = None
    """The id under which it was sent again last."""
    backend_state: TaskState | None = None
    """What the result backend has as its state, where that differs from what events told: workers
    before 5.7 write REVOKED over a failure, and over what runs on."""
    loss: Loss | None = None
    """Why it was last taken for lost; ask `Task.loss` whether it still is."""
    fields: dict[str, str] = {}
    """Fields of custom events, as text."""


class Task(msgspec.Struct, gc=False, eq=False):
    """One task: its last known state, and all that was heard of it."""

    id: str
    arrival: int = 0
    """Counts up with each new task: the order in which celtop learned of them. Those that ended
    before count down from -1, the newest first."""
    version: int = 0
    """Counts up with each change of anything shown."""
    name: str | None = None
    state: TaskState = PENDING
    state_at: float | None = None
    """When the present state began, by the sender's clock."""
    state_host: str | None = None
    """Whose clock `state_at` is by."""
    worker: str | None = None
    queue: str | None = None
    args: str | None = None
    """The arguments' repr as Celery made it: cut at about 1,024 characters."""
    kwargs: str | None = None
    result: str | None = None
    exception: str | None = None
    traceback: str | None = None
    sent_at: float | None = None
    received_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    lost_at: float | None = None
    """When it was clear that its worker runs it no more, by our clock, while no end was heard: the
    worker died, the end fell into a gap, or the task raised `Ignore`, of which no event tells."""
    eta_at: float | None = None
    expires_at: float | None = None
    runtime: float | None = None
    retries: int = 0
    root_id: str | None = None
    parent_id: str | None = None
    group_id: str | None = None
    progress: Progress | None = None
    attempts: tuple[Attempt, ...] = ()
    """Earlier attempts, oldest first; the present one is the task itself."""
    sources: int = 0
    extra: TaskExtra | None = None

    @property
    def finished(self) -> bool:
        """Whether no more work will be done on it."""
        return self.state in FINISHED

    @property
    def revoked_unconfirmed(self) -> bool:
        """Whether it is called revoked because a worker took note of its id, no more.

        Workers from 5.6.2 on write REVOKED to the result backend at once, while the message still
        waits: should they restart before its turn, it runs. Their event tells that it was skipped.
        """
        skipped = self.extra is not None and self.extra.terminated is not None
        return self.state == REVOKED and self.started_at is None and not skipped

    @property
    def running(self) -> bool:
        """Whether a worker process is at work on it now."""
        return not self.waiting and self.state not in FINISHED and self.lost_at is None

    @property
    def loss(self) -> Loss | None:
        """Why it is lost, or None if it is not."""
        if self.lost_at is None:
            return None
        return "unheard" if self.extra is None or self.extra.loss is None else self.extra.loss

    @property
    def faulty(self) -> bool:
        """Whether it is what an operator means by "what went wrong"."""
        return self.state in FAULTY or self.lost_at is not None

    @property
    def revoking(self) -> bool:
        """Whether its end was asked for, and workers have yet to say that they did it.

        A revoke does not touch a task that runs; but if that is tried again, it is skipped then.
        """
        extra = self.extra
        if extra is None or extra.revoke_requested_at is None or self.state in FINISHED:
            return False
        return extra.terminate_requested or not self.running

    @property
    def waiting(self) -> bool:
        """Whether it has yet to start: in a queue, in a worker, or for its next attempt."""
        return self.state in WAITING

    @property
    def text_bytes(self) -> int:
        """What its long texts take, in bytes; counted anew each time."""
        texts = [self.args, self.kwargs, self.result, self.exception, self.traceback]
        for attempt in self.attempts:
            texts += (attempt.exception, attempt.traceback)
        if self.extra is not None:
            for name, value in self.extra.fields.items():
                texts += (name, value)
        return sum([text_size(text) for text in texts if text is not None])

    def waited(self) -> float | None:
        """Return the seconds from when it could have started to when it did, or None."""
        if self.started_at is None:
            return None
        since = self.sent_at if self.sent_at is not None else self.received_at
        if self.eta_at is not None and (since is None or self.eta_at > since):
            since = self.eta_at
        return None if since is None else max(0.0, self.started_at - since)

    def elapsed(self, now: float) -> float | None:
        """Return the seconds that it ran, or has been running until `now`; None if not started."""
        if self.runtime is not None:
            return self.runtime
        if self.started_at is None:
            return None
        if self.finished_at is not None:
            return max(0.0, self.finished_at - self.started_at)
        return max(0.0, now - self.started_at) if self.running else None


class EventState(msgspec.Struct, frozen=True, gc=False):
    """What was told of a task's state beneath a claim."""

    state: TaskState = PENDING
    state_at: float | None = None
    state_host: str | None = None
    finished_at: float | None = None
    lost_at: float | None = None
    result: str | None = None
    exception: str | None = None
    traceback: str | None = None
    retries: int = 0


def newest_time(task: Task) -> float | None:
    """Return the latest time known of the present attempt, or None if it never began."""
    newest = task.received_at
    if task.started_at is not None and (newest is None or task.started_at > newest):
        newest = task.started_at
    if task.finished_at is not None and (newest is None or task.finished_at > newest):
        newest = task.finished_at
    return newest


def first_seen_at(task: Task) -> float | None:
    """Return the earliest time known of a task: what `age:` counts from."""
    if task.sent_at is not None:
        return task.sent_at
    if task.received_at is not None:
        return task.received_at
    return task.started_at if task.started_at is not None else task.state_at
