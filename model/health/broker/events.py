"""Findings on events that were lost or could not be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...state import ClusterState
from ...text.phrases import counted
from ..finding import Finding

UNSUPPORTED_CONTENT_TYPE: Final = "unsupported content type"
"""How the reason begins if events are not in JSON."""


def event_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield the findings on the event stream."""
    totals = state.totals
    if totals.lost:
        yield Finding(
            "events-lost",
            "error",
            "events",
            f"{counted(totals.lost, 'event')} dropped, because they arrived faster than they were "
            "processed; states and counts may be out of date",
            next_step="If this happens often, raise inbox_events in the config file",
            evidence={"lost": totals.lost},
            incomplete=True,
        )
    if totals.malformed:
        # Whole workers are missing if all their events are in another serializer.
        reason = max(totals.malformed_reasons, key=totals.malformed_reasons.__getitem__, default="")
        unsupported = reason.startswith(UNSUPPORTED_CONTENT_TYPE)
        yield Finding(
            "events-unreadable",
            "warning",
            "events",
            f"{counted(totals.malformed, 'event')} could not be read and "
            f"{'was' if totals.malformed == 1 else 'were'} ignored"
            f"{f', mostly: {reason}' if len(totals.malformed_reasons) > 1 else f': {reason}'}",
            next_step="Set event_serializer of the workers to json" if unsupported else "",
            evidence={"malformed": totals.malformed, **totals.malformed_reasons},
        )
