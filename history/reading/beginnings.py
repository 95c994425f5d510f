"""What a celtop that starts takes over from the history.

Since when findings last and messages have been next in their queues, and what workers ran: it
cannot observe itself what was before its start.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from msgspec import structs

from ...model.health.first_found import MAX_GAP
from ...model.observations import (
    FindingsKnown,
    Observation,
    QueueHead,
    QueueHeadsKnown,
    QueueMeasured,
    VersionsKnown,
)
from ..rows import Run, StoredObservation
from ..store import HistoryStore
from .stored_observations import VERSIONS, observations_of

MAX_KNOWN: Final = 1_000
"""Findings, and queues, that are taken over at most."""


def beginnings(store: HistoryStore, cluster: str, now: float) -> Iterator[Observation]:
    """Yield what had begun and not ended when the history was last written.

    If nothing was recorded for more than `MAX_GAP` seconds, all that began before is left out: it
    may have ended and begun again. Raises: StoreError.

    Args:
        store: The store; it is read.
        cluster: The key of the cluster.
        now: Epoch seconds.
    """
    gaps = store.gaps(cluster, 0.0, now)
    long = (gap.ended_at for gap in gaps if gap.ended_at - gap.began_at > MAX_GAP)
    recorded_since = max(long, default=0.0)
    if recorded_since >= now:
        return
    began_at: dict[str, dict[str, float]] = defaultdict(dict)
    rows = (row for row in store.findings(cluster, now, now) if row.ended_at is None)
    lasting = [row for row in rows if row.began_at >= recorded_since]
    for row in lasting[-MAX_KNOWN:]:
        began_at[row.code].setdefault(row.subject, row.began_at)
    if began_at:
        yield FindingsKnown(began_at, now)
    rows_since = store.observations(cluster, max(recorded_since, now - MAX_GAP))
    heads = dict(islice(_heads(rows_since), MAX_KNOWN))
    if heads:
        yield QueueHeadsKnown(heads, now)


def earlier_versions(store: HistoryStore, run: Run) -> Iterator[VersionsKnown]:
    """Yield what the workers ran in the run before this one, if it is known. Raises: StoreError."""
    for row in store.observations(run.cluster, 0.0):
        if row.subject != VERSIONS:
            continue
        for known in observations_of(row):
            if isinstance(known, VersionsKnown):
                gaps = store.gaps(run.cluster, row.at, run.began_at)
                is_gap = gaps and gaps[-1].ended_at >= run.began_at
                since = gaps[-1].began_at if is_gap else None
                yield structs.replace(known, at=run.began_at, unobserved_since=since)


def _heads(rows: Iterable[StoredObservation]) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the queues, each with the time since when its next messages have been next."""
    for row in rows:
        if not row.subject.startswith("queue "):
            continue
        for one in observations_of(row):
            if isinstance(one, QueueMeasured):
                heads: tuple[QueueHead, ...] = (*one.heads, *(one.runnable or ()))
                since = {
                    head.id: head.next_since
                    for head in heads
                    if head.id is not None and head.next_since is not None
                }
                if since:
                    yield one.name, since
