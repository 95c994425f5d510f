"""The rows of the history store: frozen values, redacted before they are made.

Times are epoch seconds, durations seconds. Every row belongs to a cluster: a name that its users
gave it, or its broker's URL without password and options.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

MINUTE: Final = 60
"""Seconds that a rollup covers."""

SubjectKind: TypeAlias = Literal["cluster", "worker", "queue", "type"]
"""What a rollup is about; the name of the cluster's own is empty."""


class StoredTask(msgspec.Struct, frozen=True, gc=False):
    """A task that has ended, is lost, or has been running for longer than `LONG_RUN` seconds.

    The fields are the columns that can be searched; `body` is the whole task. A row replaces an
    older one with the same cluster and id.
    """

    cluster: str
    id: str
    at: float
    """When it ended, by the local clock; if it has not, when it last changed. Orders the rows."""
    state: str
    body: bytes
    """The `model.entities.task.Task` as JSON; its `arrival` and `version` mean nothing later."""
    name: str | None = None
    worker: str | None = None
    queue: str | None = None
    first_seen_at: float | None = None
    finished_at: float | None = None
    """By the worker's clock."""
    runtime: float | None = None
    root_id: str | None = None
    parent_id: str | None = None
    group_id: str | None = None
    failure: str = ""
    """The id of its failure group (`FailureGroup.id`); empty if it did not fail."""
    sample: float = 1.0
    """The share of the tasks of its kind that were stored when it was: 0.1 is one of ten. Rollups
    count all of them."""


MAX_AHEAD: Final = 60.0
"""Seconds by which the clock of another writer may be ahead. Rows of a later time were written
before a clock was set back."""
LONG_RUN: Final = 5.0
"""Seconds after which a running task is stored before it ends."""


class Rollup(msgspec.Struct, frozen=True, gc=False):
    """The values of one subject in one minute.

    A row replaces an older one with the same cluster, kind, name and minute.
    """

    cluster: str
    kind: SubjectKind
    name: str
    minute: int
    """Epoch minutes: seconds // `MINUTE`."""
    values: dict[str, float]
    """By the names of `model.ingest.series_recorder` (`CLUSTER_VALUES`, `QUEUE_VALUES`, ...), each
    the mean over the minute; and exact counts of the minute as `n_succeeded`, `n_failed`,
    `n_retried`, `n_revoked`, `n_received`. Unknown ones are missing."""


class StoredFinding(msgspec.Struct, frozen=True, gc=False):
    """A finding from when it appeared until it was gone.

    A row replaces an older one with the same cluster, code, subject and beginning.
    """

    cluster: str
    code: str
    subject: str
    """`Finding.subject`."""
    began_at: float
    ended_at: float | None
    """None while it lasts, or if no celtop was there to see its end."""
    severity: str
    text: str
    next_step: str
    described_at: float | None = None
    """When `text` and `next_step` were recorded; None in rows of an older celtop."""


class StoredOperation(msgspec.Struct, frozen=True, gc=False):
    """An operation on the cluster, as the audit file records it.

    A row replaces an older one with the same cluster and id.
    """

    cluster: str
    id: str
    """`HOST:PID:NUMBER`, which no other operation has."""
    began_at: float
    ended_at: float | None
    user: str
    text: str
    """What was done, and with what outcome."""
    targets: tuple[str, ...]
    """Ids of tasks, names of queues or workers."""


class StoredLog(msgspec.Struct, frozen=True, gc=False):
    """One line of the log."""

    cluster: str
    at: float
    level: str
    source: str
    text: str


class StoredMark(msgspec.Struct, frozen=True, gc=False):
    """Something to be marked on graphs: a worker was lost, restarted or started, or a deploy."""

    cluster: str
    at: float
    kind: str
    """`MarkKind`: `lost`, `restarted`, `started`, `stopped`, `deployed`."""
    name: str
    """The worker."""
    text: str = ""
    """For a deploy what changed: the software version, or which tasks came and went."""


class StoredObservation(msgspec.Struct, frozen=True, gc=False):
    """The latest observation of a kind of a worker or queue, for screens that poll nothing.

    A row replaces an older one with the same cluster and subject.
    """

    cluster: str
    subject: str
    """What was observed, such as `reply stats w1@host`; see `writing.latest_observations`."""
    at: float
    """When it was written, epoch seconds."""
    body: str
    """Lines of `model.records`; empty to remove the row."""


class Run(msgspec.Struct, frozen=True, gc=False):
    """The time in which one celtop has written the history of a cluster.

    Between runs nothing was recorded. A run without an end was killed: what happened after
    `alive_at`, up to two seconds, is missing.
    """

    cluster: str
    id: str
    """`HOST:PID:START`, which no other run has."""
    began_at: float
    alive_at: float
    """When it last wrote; updated with each batch."""
    ended_at: float | None = None
    """None while it is writing, or if it was killed."""


class Gap(msgspec.Struct, frozen=True, gc=False):
    """A time in which nothing was recorded."""

    began_at: float
    ended_at: float
    killed: bool
    """Whether the celtop before it was killed."""


class Batch(msgspec.Struct, frozen=True, gc=False):
    """What is written in one transaction."""

    tasks: tuple[StoredTask, ...] = ()
    rollups: tuple[Rollup, ...] = ()
    findings: tuple[StoredFinding, ...] = ()
    operations: tuple[StoredOperation, ...] = ()
    log: tuple[StoredLog, ...] = ()
    marks: tuple[StoredMark, ...] = ()
    runs: tuple[Run, ...] = ()
    observations: tuple[StoredObservation, ...] = ()


class ClusterSummary(msgspec.Struct, frozen=True, gc=False):
    """A cluster of the store."""

    cluster: str
    alive_at: float
    """When a celtop last wrote its history."""
    tasks: int
    """Stored tasks: an estimate where counting takes too long."""
    latest: dict[str, float]
    """The values of its newest rollup."""
    since: float | None = None
    """When the oldest stored task ended; None if there is none."""


class FailureRow(msgspec.Struct, frozen=True, gc=False):
    """A group of failures in a window of time."""

    failure: str
    count: int
    first_at: float
    """When the first of its tasks ever stored failed, also before the window."""
    last_at: float
    example: str
    """The id of the latest task."""
    names: tuple[str, ...]
    workers: tuple[str, ...]
    by_step: tuple[int, ...]
    """Counts in equal steps of the window, oldest first."""


class TypeRow(msgspec.Struct, frozen=True, gc=False):
    """What the rollups say of one task type in a window of time."""

    name: str
    succeeded: int
    failed: int
    retried: int
    runtime_p50: float | None
    runtime_p95: float | None
    """The mean of the minutes' percentiles, weighted by their number of tasks."""
    received: int = 0
    revoked: int = 0
    last_minute: int | None = None
    """The last one in which any of this was counted, in epoch minutes."""


class Cursor(msgspec.Struct, frozen=True, gc=False):
    """Where a page ended: the next one begins with older rows."""

    at: float
    id: str


class TaskPage(msgspec.Struct, frozen=True, gc=False):
    """Some of the stored tasks that match a filter, the newest first."""

    tasks: tuple[StoredTask, ...]
    cursor: Cursor | None
    """Where to go on; None if there are no older ones."""
    searched: int
    """Rows that were looked at for this page; a page may be cut short to answer in time."""


class TaskCount(msgspec.Struct, frozen=True, gc=False):
    """How many stored tasks match a filter."""

    matching: int
    exact: bool
    """False if counting was cut short: then at least so many match."""
    cursor: Cursor | None = None
    """Where to go on if it was cut short."""


class Pruned(msgspec.Struct, frozen=True, gc=False):
    """What one slice of the retention deleted."""

    rows: int
    more: bool
    """Whether another slice has work to do."""
    size: int
    """Bytes that the store takes now."""
