"""The records of a snapshot, field by field: a contract with scripts.

Names that end in `_at` are UTC times in ISO 8601, those in `_s` seconds, those in `_per_s` averages
over the last seconds. Unknown values are null, explained in `notes`. Fields may be added to version
1; none is removed or renamed.
"""

from __future__ import annotations

from typing import Final

import msgspec

SCHEMA: Final = "celtop.snapshot/1"


class Note(msgspec.Struct, frozen=True, gc=False):
    """Why a value is null, or not what it seems."""

    subject: str
    """`broker`, `events`, `tasks`, `worker NAME` or `queue NAME`; for several of them
    `queues NAME, NAME and NAME`, or `queues` for all."""
    text: str


class BrokerRecord(msgspec.Struct, frozen=True, gc=False):
    """The broker and celtop's connection to it."""

    url: str
    transport: str
    status: str
    """`connecting`, `live`, `blocked` (the broker accepts no messages) or `lost`."""
    error: str | None
    latency_s: float | None
    commands_sent: int


class TotalsRecord(msgspec.Struct, frozen=True, gc=False):
    """Counts of the tasks in memory, and of all events since celtop started."""

    tasks: dict[str, int]
    events: int
    events_lost: int
    events_malformed: int
    succeeded_per_s: float | None
    failed_per_s: float | None
    corrected: dict[str, int]
    """Tasks whose state was corrected, by reason: `finished` (without an event), `lost` (with their
    worker), `redelivered`, `running` (after all), `unknown` (to workers and result backend)."""


class LimitsRecord(msgspec.Struct, frozen=True, gc=False):
    """The limits of one type of task on a worker; null is no limit of its own."""

    rate: str | None
    """For example `10/m`."""
    soft_s: float | None
    hard_s: float | None


class WorkerRecord(msgspec.Struct, frozen=True, gc=False):
    """One worker."""

    name: str
    status: str
    """`online`, `late` or `offline`."""
    pool: str | None
    concurrency: int | None
    active: int | None
    reserved: int | None
    scheduled: int | None
    processed: int | None
    queues: list[str] | None
    load: list[float] | None
    heartbeat_age_s: float | None
    """Since the last event or reply of any kind."""
    pid: int | None
    version: str | None
    prefetch: int | None
    rss_bytes: int | None
    """The peak of its main process."""
    clock_skew_s: float | None
    """How far its clock is ahead of the clock here."""
    events_enabled: bool | None
    limits: dict[str, LimitsRecord] | None
    """By task name, for types with limits; null until the worker reports them."""
    silent: bool
    """Whether it sends heartbeats and has free slots, but takes no tasks from waiting queues."""
    failed: int | None = None
    """Failures by events since celtop started; null if it sends no events."""
    uptime_s: float | None = None


class UnackedRecord(msgspec.Struct, frozen=True, gc=False):
    """A message that a worker has received and not acknowledged yet."""

    id: str | None
    name: str | None
    worker: str | None
    since_at: str | None
    """When the worker received it."""
    redelivery_at: str | None
    """When it is redelivered unless it is acknowledged before."""
    eta_at: str | None
    redelivered: bool
    """Whether it has been redelivered before."""
    worker_gone: bool | None
    """Whether the worker that received it is gone, so that nothing will acknowledge it."""


class QueueRecord(msgspec.Struct, frozen=True, gc=False):
    """One queue."""

    name: str
    waiting: int | None
    unacked: int | None
    consumers: list[str] | None
    """Null unless all are known."""
    by_priority: dict[str, int]
    oldest_age_s: float | None
    """How long the oldest message had been waiting at `measured_at`, if known exactly."""
    in_per_s: float | None
    out_per_s: float | None
    drain_s: float | None
    oldest_age_at_least_s: float | None
    """The minimum if `oldest_age_s` is unknown."""
    measured_at: str | None
    unacked_at_least: int | None = None
    """The minimum if `unacked` is unknown."""
    held: list[UnackedRecord] = []
    """Some of the unacknowledged messages, the oldest first; only on Redis."""
    kind: str | None = None
    """`classic` or `quorum` on RabbitMQ; null on other brokers, or without its management API."""
    bytes: int | None = None
    """The message bodies together; null like `kind`."""
    max_priority: int | None = None
    """`x-max-priority` on RabbitMQ, which does not count messages by priority; null if none."""
    delayed: int | None = None
    """Messages for it in `delayed` of the snapshot; null if the queues of some are unknown."""
    statistics_at: str | None = None
    """When the management API reported `unacked` and `bytes`, which may have been some seconds old
    then; null if they were measured at `measured_at`."""
    runnable_age_s: float | None = None
    """How long the first message that may run now had been waiting at `measured_at`, since it was
    sent or its ETA; of several priorities the longest."""
    runnable_age_at_least_s: float | None = None
    """The minimum if `runnable_age_s` is unknown."""
    due_at: str | None = None
    """When the next task is due, if none of the waiting messages may run before."""
    slots_busy: int | None = None
    """Tasks that its consumers run, from any queue."""
    slots_total: int | None = None
    """Tasks that its consumers can run at once."""
    slots_shared: bool | None = None
    """Whether a consumer consumes other queues too."""
    reserved: int | None = None
    """Its tasks that consumers have received but not started, except those with an ETA."""
    backlog: int | None = None
    """`waiting` and `reserved` together."""
    capacity_per_s: float | None = None
    """Its tasks per second that the slots can run if they run nothing else, by the mean run time of
    the latest ones."""
    more_slots: int | None = None
    """How many more slots keep up with what arrives; 0 if those of its consumers do."""


class DueRecord(msgspec.Struct, frozen=True, gc=False):
    """Delayed messages that are due at one time, or at an unknown time of a range."""

    earliest_at: str | None
    latest_at: str | None
    """The same as `earliest_at` if the time is known."""
    messages: int
    queue: str | None
    """The queue that they are for; null if unknown."""
    undeliverable: bool
    """Whether they are overdue, but the broker cannot deliver them."""


class DelayedRecord(msgspec.Struct, frozen=True, gc=False):
    """The messages of Celery's delayed delivery on RabbitMQ, which no queue counts as waiting."""

    messages: int
    """All of them: as many as RabbitMQ counted at `measured_at`, and those sent since."""
    due: list[DueRecord]
    """The earliest first."""
    text: str
    """When they are due, in words: `in 20 s, in 45 s, 3 within 2 m`."""
    measured_at: str | None


class ProgressRecord(msgspec.Struct, frozen=True, gc=False):
    """The progress that a task reports."""

    fraction: float | None
    current: float | None
    total: float | None
    text: str | None
    source: str


class AttemptRecord(msgspec.Struct, frozen=True, gc=False):
    """An earlier attempt; the latest one is the task itself."""

    number: int
    state: str
    worker: str | None
    received_at: str | None
    started_at: str | None
    finished_at: str | None
    exception: str | None
    traceback: str | None


class TaskRecord(msgspec.Struct, frozen=True, gc=False):
    """One task."""

    id: str
    name: str | None
    state: str
    worker: str | None
    queue: str | None
    args: str | None
    kwargs: str | None
    result: str | None
    exception: str | None
    traceback: str | None
    sent_at: str | None
    received_at: str | None
    started_at: str | None
    finished_at: str | None
    eta_at: str | None
    expires_at: str | None
    runtime_s: float | None
    """How long it ran, or has been running at `taken_at`."""
    waited_s: float | None
    retries: int | None
    progress: ProgressRecord | None
    attempts: list[AttemptRecord]
    root_id: str | None
    parent_id: str | None
    group_id: str | None
    sources: list[str]
    revoke_requested_at: str | None
    """When it was revoked, until a worker confirms that it skipped or terminated it."""
    retry_of: str | None
    """The id of the original task, if celtop sent this one as a retry."""
    retried_as: str | None
    """The id of the latest task that celtop sent as a retry of this one."""
    time_left_s: float | None
    """The estimated time to 100 %, from its progress so far."""
    estimate: ProgressRecord | None
    """For a task that reports no fraction: estimated from the runtime of tasks of its type, at most
    0.95."""
    lost_at: str | None
    """When it was found that no worker runs it any longer, although no event reported its end."""
    loss: str | None
    """Why: `worker` (lost with its worker), `unheard` (its worker no longer runs it) or `unknown`
    (to the workers and the result backend)."""
    backend_state: str | None
    """Its state in the result backend, if events reported a different one."""
    created_at: str | None = None
    """When its entry was added to the result backend; only `django-db` records it."""
    periodic_task_name: str | None = None
    """The periodic task of django-celery-beat that sent it; only `django-db` records it."""
    held_by_rate_limit: str | None = None
    """The rate limit, such as `10/m`, that holds it back in its worker."""
    redelivery_at: str | None = None
    """When the broker redelivers its message because its worker was lost without acknowledging it;
    on RabbitMQ, since when it may have."""


class FindingRecord(msgspec.Struct, frozen=True, gc=False):
    """Something that needs attention."""

    code: str
    """Stable, for example `queue-without-consumers`."""
    severity: str
    """`error`, `warning` or `info`."""
    subject: str
    """`broker`, `events`, `worker NAME`, `queue NAME`, ..."""
    text: str
    evidence: dict[str, object]
    """The facts behind it."""
    next_step: str | None
    since_at: str | None = None
    """When it began or, if that is unknown, was first seen; null if unknown."""
    grew_at: str | None = None
    """When it last became worse; null if it did not since it began, or if that is unknown."""


class WindowsRecord(msgspec.Struct, frozen=True, gc=False):
    """Since when all tasks of each kind are in memory; null if none of the kind was removed.

    A task is of the first kind that applies: see `[keep]` in the settings.
    """

    marked_since_at: str | None
    lost_since_at: str | None
    failed_since_at: str | None
    retried_since_at: str | None
    revoked_since_at: str | None
    running_since_at: str | None
    waiting_since_at: str | None
    slow_since_at: str | None
    succeeded_since_at: str | None


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """The whole snapshot."""

    schema: str
    taken_at: str | None
    notes: list[Note]
    broker: BrokerRecord
    totals: TotalsRecord
    workers: list[WorkerRecord]
    queues: list[QueueRecord]
    tasks: list[TaskRecord]
    findings: list[FindingRecord]
    """The findings, the worst first; each is also a note."""
    windows: WindowsRecord
    delayed: DelayedRecord | None = None
    """Messages that wait for their time in delayed delivery; null if the broker has none of its
    queues."""
