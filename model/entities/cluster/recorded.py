"""A cluster as its history last recorded it, for commands that have no broker."""

from __future__ import annotations

import msgspec


class RecordedValues(msgspec.Struct, frozen=True, gc=False):
    """The last record of a worker or queue."""

    name: str
    at: float
    """When the recorded minute ended, epoch seconds."""
    values: dict[str, float]
    """By the names of `ingest.series_recorder`, each the mean over the minute; and counts of the
    last recorded hour as `n_succeeded`, `n_failed`, `n_retried`. Unknown ones are missing."""


class RecordedType(msgspec.Struct, frozen=True, gc=False):
    """The counts of a task type over the whole history."""

    name: str
    received: int
    succeeded: int
    failed: int
    retried: int
    revoked: int
    last_at: float | None
    """When the last minute ended in which any of it was counted, epoch seconds."""


class RecordedFinding(msgspec.Struct, frozen=True, gc=False):
    """A finding that had not ended when the history was last written."""

    code: str
    severity: str
    subject: str
    """`Finding.subject`."""
    text: str
    next_step: str
    began_at: float
    described_at: float | None = None
    """When `text` and `next_step` were recorded; None if unknown."""


class RecordedCluster(msgspec.Struct, frozen=True, gc=False):
    """A cluster when its history was last written."""

    at: float
    """When that was, epoch seconds."""
    workers: tuple[RecordedValues, ...] = ()
    queues: tuple[RecordedValues, ...] = ()
    types: tuple[RecordedType, ...] = ()
    left_at: dict[str, float] = {}
    """When workers shut down that did not return, by name."""
    lost_at: dict[str, float] = {}
    """When workers were lost that did not return, by name."""
    findings: tuple[RecordedFinding, ...] = ()
    """The oldest first."""
