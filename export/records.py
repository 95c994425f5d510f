"""The records of a snapshot, field for field: the contract that scripts rely on.

Names ending in `_at` are UTC times in ISO 8601, those ending in `_s` are seconds, `_per_s` are
means over the last seconds. A value that cannot be known is null; `notes` say why. Fields may be
added to version 1, none is removed or renamed.
"""

from __future__ import annotations

from typing import Final

import msgspec

SCHEMA: Final = "celtop.snapshot/1"


class Note(msgspec.Struct, frozen=True, gc=False):
    """Why something is null, or not what it seems."""

    subject: str
    """`broker`, `events`, `tasks`, `worker NAME` or `queue NAME`."""
    text: str


class BrokerRecord(msgspec.Struct, frozen=True, gc=False):
    """The broker and our connection to it."""

    url: str
    transport: str
    status: str
    """`connecting`, `live` or `lost`."""
    error: str | None
    latency_s: float | None
    commands_sent: int


class TotalsRecord(msgspec.Struct, frozen=True, gc=False):
    """Counts: of tasks those that are held, of events all since celtop started."""

    tasks: dict[str, int]
    events: int
    events_lost: int
    events_malformed: int
    succeeded_per_s: float | None
    failed_per_s: float | None
    corrected: dict[str, int]
    """Tasks of which something else was believed than what turned out, by how it was corrected:
    `finished` (without an event), `lost` (with their worker), `redelivered`, `running` (after all),
    `unknown` (to workers and result backend)."""


class LimitsRecord(msgspec.Struct, frozen=True, gc=False):
    """What a worker limits tasks of one type to; null is no limit of the type's own."""

    rate: str | None
    """As `10/m`."""
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
    """Since anything last came from it."""
    pid: int | None
    version: str | None
    prefetch: int | None
    rss_bytes: int | None
    """The peak of its main process."""
    clock_skew_s: float | None
    """How far its clock is ahead of ours."""
    events_enabled: bool | None
    limits: dict[str, LimitsRecord] | None
    """By task name, where a type has any; null before the worker told."""
    silent: bool
    """Whether it beats and has room, and takes nothing from queues that are not empty."""


class QueueRecord(msgspec.Struct, frozen=True, gc=False):
    """One queue."""

    name: str
    waiting: int | None
    unacked: int | None
    consumers: list[str]
    by_priority: dict[str, int]
    oldest_age_s: float | None
    in_per_s: float | None
    out_per_s: float | None
    drain_s: float | None


class ProgressRecord(msgspec.Struct, frozen=True, gc=False):
    """How far a task says that it has come."""

    fraction: float | None
    current: float | None
    total: float | None
    text: str | None
    source: str


class AttemptRecord(msgspec.Struct, frozen=True, gc=False):
    """An earlier attempt; the present one is the task itself."""

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
    """How long it ran, or has been running by `taken_at`."""
    waited_s: float | None
    retries: int
    progress: ProgressRecord | None
    attempts: list[AttemptRecord]
    root_id: str | None
    parent_id: str | None
    group_id: str | None
    sources: list[str]
    revoke_requested_at: str | None
    """When it was revoked, as long as no worker has said that it skipped or ended it."""
    retry_of: str | None
    """The id of the task that celtop sent it again for."""
    retried_as: str | None
    """The id under which celtop sent it again last."""
    time_left_s: float | None
    """Until its bar is full, by how fast it came on so far."""
    estimate: ProgressRecord | None
    """Of a task that tells no fraction: what it may be, by how long others of its type took. Never
    above 0.95."""
    lost_at: str | None
    """When it was found that nobody runs it any more, while no end was heard of."""
    loss: str | None
    """Why: `worker` (it went with its worker), `unheard` (its worker runs it no more) or `unknown`
    (neither the workers nor the result backend know it)."""
    backend_state: str | None
    """What the result backend has as its state, where that differs from what events told."""


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """All of it."""

    schema: str
    taken_at: str | None
    notes: list[Note]
    broker: BrokerRecord
    totals: TotalsRecord
    workers: list[WorkerRecord]
    queues: list[QueueRecord]
    tasks: list[TaskRecord]
