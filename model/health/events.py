"""Findings on events that were lost or could not be read."""

from __future__ import annotations

from collections.abc import Iterator

from ..state import ClusterState
from ..text.phrases import counted
from .finding import Finding


def event_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield the findings on the event stream."""
    totals = state.totals
    if totals.lost:
        yield Finding(
            "events-lost",
            "error",
            "events",
            f"{counted(totals.lost, 'event')} dropped, because they arrived faster than they could "
            "be processed; states and counts may be out of date",
            evidence={"lost": totals.lost},
            incomplete=True,
        )
    if totals.malformed:
        yield Finding(
            "events-unreadable",
            "warning",
            "events",
            f"{counted(totals.malformed, 'event')} could not be read and were ignored",
            evidence={"malformed": totals.malformed, **totals.malformed_reasons},
        )
