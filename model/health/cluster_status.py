"""The status of the monitored cluster: a row of the list of clusters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from ..entities.cluster.cluster_status import ClusterStatus
from ..state import ClusterState
from .finding import Finding

FAILURE_SECONDS: Final = 60
"""Seconds over which failures are counted."""


def status_of(
    state: ClusterState, name: str, findings: Iterable[Finding], now: float
) -> ClusterStatus:
    """Return the row of the cluster of a model, with its findings at `now` (epoch seconds)."""
    severities = Counter(finding.severity for finding in findings)
    latest = state.series.cluster
    until = state.broker.observed_until(now)
    known = state.broker.live_since is not None or state.totals.first_event_at is not None
    failed = None
    if known and state.observed:
        failed = state.rates.failed.per_second(until, FAILURE_SECONDS)
    waiting, online, runnable = (latest.last(one) for one in ("waiting", "online", "runnable"))
    return ClusterStatus(
        name,
        state.broker.phase,
        is_current=True,
        broker=state.broker.url,
        at=now if state.broker.is_connected else state.broker.event_at or None,
        workers=None if online is None else round(online),
        waiting=None if waiting is None else round(waiting),
        runnable_age=runnable,
        failed_per_min=None if failed is None else failed * FAILURE_SECONDS,
        errors=severities["error"] if known or severities else None,
        warnings=severities["warning"] if known or severities else None,
    )
