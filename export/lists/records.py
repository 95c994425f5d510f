"""The records of lists, field by field: a contract with scripts, like that of a snapshot."""

from __future__ import annotations

import msgspec

from ..snapshot.records import Note, QueueRecord, TaskRecord, WorkerRecord


class TypeRecord(msgspec.Struct, frozen=True, gc=False):
    """One task type: all tasks of one name."""

    name: str
    tasks: int
    """Its tasks in memory."""
    waiting: int | None
    """Those that have not started; unknown if read from the history."""
    running: int | None
    """Those that are running; a custom state also means running."""
    states: dict[str, int]
    """All of them by state; no zeros."""
    received: int
    """By events since celtop started, like the following counts."""
    succeeded: int
    failed: int
    retried: int
    revoked: int
    failure_rate: float | None
    """Share of its finished tasks that failed, 0 to 1."""
    runtime_mean_s: float | None
    runtime_p50_s: float | None
    runtime_p95_s: float | None
    runtime_max_s: float | None
    wait_mean_s: float | None
    """From when a task could have started until it did."""
    exceptions: dict[str, int]
    """Attempts that ended with an exception, by its class."""
    last_at: str | None
    """When the last event about one of its tasks was received."""
    limits: str | None
    """Rate and time limits: `10/m, soft 30 s`; `varies` if workers differ; null without limits."""


class FailureRecord(msgspec.Struct, frozen=True, gc=False):
    """Tasks that failed in the same way."""

    exception: str | None
    """The class of the exception."""
    location: str | None
    """The innermost frame of the app's code; empty if the task's code was not reached."""
    names: list[str]
    """The names of the tasks."""
    count: int
    """The tasks that are in `FAILURE` or `RETRY` now."""
    first_at: str | None
    last_at: str | None
    workers: dict[str, int]
    """Failures by worker."""
    last_hour: list[int]
    """Failures of the last hour in steps of three minutes, the oldest first."""
    example: str | None
    """The id of the latest task."""
    filter: str
    """The filter that matches exactly these tasks."""


class TaskList(msgspec.Struct, frozen=True, gc=False):
    """The document of `celtop tasks`."""

    schema: str
    taken_at: str | None
    notes: list[Note]
    """Why a value is null, or rows may be missing."""
    matching: int
    """Known rows that match the filter, with those beyond the limit."""
    tasks: list[TaskRecord]
    """In the order of `--sort`, the newest first by default; fields as in a snapshot."""


class WorkerList(msgspec.Struct, frozen=True, gc=False):
    """The document of `celtop workers`."""

    schema: str
    taken_at: str | None
    notes: list[Note]
    matching: int
    workers: list[WorkerRecord]
    """Fields as in a snapshot."""


class QueueList(msgspec.Struct, frozen=True, gc=False):
    """The document of `celtop queues`."""

    schema: str
    taken_at: str | None
    notes: list[Note]
    matching: int
    queues: list[QueueRecord]
    """Fields as in a snapshot."""


class TypeList(msgspec.Struct, frozen=True, gc=False):
    """The document of `celtop types`."""

    schema: str
    taken_at: str | None
    notes: list[Note]
    matching: int
    types: list[TypeRecord]


class FailureList(msgspec.Struct, frozen=True, gc=False):
    """The document of `celtop failures`."""

    schema: str
    taken_at: str | None
    notes: list[Note]
    matching: int
    failures: list[FailureRecord]
    ungrouped: int = 0
    """Failed tasks that are in no group, because there are too many groups."""
