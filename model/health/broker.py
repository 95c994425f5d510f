"""Findings on the connection to the broker."""

from __future__ import annotations

from collections.abc import Iterator

from ..state import ClusterState
from .finding import Finding


def broker_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield the finding that the broker accepts no messages."""
    broker = state.broker
    if broker.phase == "blocked" and broker.fault is not None:
        yield Finding(
            "broker-blocked",
            "error",
            "broker",
            f"{broker.fault.problem}; the workers are shown as they were before",
            next_step=broker.fault.advice,
            evidence={"blocked_since": broker.since},
            incomplete=True,
        )
