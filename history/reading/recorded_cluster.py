"""The state of a cluster when its history was last written, for commands without a broker."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ...model.entities.cluster.recorded import (
    RecordedCluster,
    RecordedFinding,
    RecordedType,
    RecordedValues,
)
from ...model.entities.worker import Outcomes
from ...model.observations import (
    InspectReply,
    Observation,
    QuestionsAnswered,
    QuestionsFailed,
    QueueGone,
    QueueMeasured,
    ScheduleRead,
)
from ...model.wire.events import EventBatch
from ..rows import MINUTE, Rollup, StoredFinding, StoredMark, SubjectKind, TypeRow
from ..store import HistoryStore
from .stored_observations import observations_of

_KEPT: Final = (
    *(InspectReply, QueueMeasured, QueueGone, ScheduleRead),
    *(QuestionsAnswered, QuestionsFailed),
)
_OF_TASKS: Final = frozenset({"active", "reserved", "scheduled"})
WINDOW: Final = 3_600.0
"""Seconds before the last minute in which workers and queues were recorded that belong to it."""


def recorded_cluster(
    store: HistoryStore, cluster: str, *, types: bool = False
) -> RecordedCluster | None:
    """Return the last state of a cluster; None if it has never been recorded. Raises: StoreError.

    Args:
        store: The store; it is read.
        cluster: The key of the cluster.
        types: Whether task types are wanted, too: all rollups of the history are read for them.
    """
    alive_at = max((one.alive_at for one in store.clusters() if one.cluster == cluster), default=0)
    if not alive_at:
        return None
    rollups = store.latest_rollups(cluster, alive_at - WINDOW)
    counted = store.types(cluster, 0.0, alive_at + MINUTE) if types else ()
    gone = _gone(store.marks(cluster, alive_at - WINDOW, alive_at + MINUTE), rollups)
    return RecordedCluster(
        alive_at,
        workers=tuple(_values(rollups, "worker", alive_at)),
        queues=tuple(_values(rollups, "queue", alive_at)),
        types=tuple(_type(one, alive_at) for one in counted),
        left_at={name: at for name, (kind, at) in gone.items() if kind == "stopped"},
        lost_at={name: at for name, (kind, at) in gone.items() if kind == "lost"},
        findings=tuple(
            _finding(one)
            for one in store.findings(cluster, alive_at, alive_at + MINUTE)
            if one.ended_at is None
        ),
    )


def recorded_outcomes(store: HistoryStore, cluster: str, now: float) -> dict[str, Outcomes]:
    """Return what ended on each worker in the hour before a time. Raises: StoreError."""
    return {
        one.name: Outcomes(
            *(
                round(one.values.get(f"n_{name}", 0.0))
                for name in ("succeeded", "failed", "retried")
            )
        )
        for one in store.latest_rollups(cluster, now - WINDOW)
        if one.kind == "worker"
    }


def recorded_observations(store: HistoryStore, cluster: str) -> list[Observation]:
    """Return what was last observed of workers, queues and schedule, in the order to apply it.

    Which tasks a worker had is left out: they may have ended since. Raises: StoreError.
    """
    found: list[Observation] = []
    signs: list[EventBatch] = []
    for row in store.observations(cluster, 0.0):
        for one in observations_of(row):
            if isinstance(one, EventBatch):
                signs.append(one)
            elif isinstance(one, _KEPT) and getattr(one, "command", "") not in _OF_TASKS:
                found.append(one)
    workers = {event.hostname for batch in signs for event in batch.events}
    replies = (one for one in found if getattr(one, "worker", None) in {None, *workers})
    return [*replies, *signs]


def _values(
    rollups: Iterable[Rollup], kind: SubjectKind, alive_at: float
) -> Iterable[RecordedValues]:
    for one in rollups:
        if one.kind == kind:
            yield RecordedValues(one.name, _end(one.minute, alive_at), one.values)


def _gone(marks: Iterable[StoredMark], rollups: Iterable[Rollup]) -> dict[str, tuple[str, float]]:
    """Return the workers whose last mark is that they are gone, and when that was."""
    recorded = {one.name: one.minute for one in rollups if one.kind == "worker"}
    latest = {mark.name: (mark.kind, mark.at) for mark in marks if mark.kind != "deployed"}
    return {
        name: (kind, at)
        for name, (kind, at) in latest.items()
        # It has returned if it was recorded in a later minute.
        if kind in ("stopped", "lost") and recorded.get(name, 0) <= at // MINUTE
    }


def _end(minute: int, alive_at: float) -> float:
    """Return when a recorded minute ended; the last one was cut short."""
    return min(float((minute + 1) * MINUTE), alive_at)


def _type(row: TypeRow, alive_at: float) -> RecordedType:
    return RecordedType(
        row.name,
        received=row.received,
        succeeded=row.succeeded,
        failed=row.failed,
        retried=row.retried,
        revoked=row.revoked,
        last_at=None if row.last_minute is None else _end(row.last_minute, alive_at),
    )


def _finding(row: StoredFinding) -> RecordedFinding:
    return RecordedFinding(
        row.code,
        row.severity,
        row.subject,
        row.text,
        row.next_step,
        row.began_at,
        row.described_at,
    )
