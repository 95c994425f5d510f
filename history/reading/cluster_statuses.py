"""The status of each cluster of a store, by its newest rows."""

from __future__ import annotations

from collections import Counter
from typing import Final

from ...model.entities.cluster.cluster_status import RECORDED_WITHIN, ClusterStatus
from ..rows import ClusterSummary
from ..store import HistoryStore

FAILURE_SECONDS: Final = 60
"""Rollups have rates per second; failures are shown per minute."""


def cluster_statuses(store: HistoryStore, now: float) -> list[ClusterStatus]:
    """Return one row for each cluster of the store, by name. Raises: StoreError.

    Args:
        store: The store; it is read.
        now: Epoch seconds.
    """
    return [_status(store, summary, now) for summary in store.clusters()]


def _status(store: HistoryStore, summary: ClusterSummary, now: float) -> ClusterStatus:
    name, at = summary.cluster, summary.alive_at
    if now - at > RECORDED_WITHIN:
        return ClusterStatus(name, "not recorded", at=at)
    values = summary.latest
    lasting = [one for one in store.findings(name, at, now) if one.ended_at is None]
    severities = Counter(one.severity for one in lasting)
    failed = values.get("failed")
    return ClusterStatus(
        name,
        "recorded",
        at=at,
        workers=_whole(values.get("online")),
        waiting=_whole(values.get("waiting")),
        runnable_age=values.get("runnable"),
        failed_per_min=None if failed is None else failed * FAILURE_SECONDS,
        errors=severities["error"],
        warnings=severities["warning"],
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
