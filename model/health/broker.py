"""Findings on the connection to the broker."""

from __future__ import annotations

from collections.abc import Iterator

from ..state import ClusterState
from .finding import Finding


def broker_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield the findings on the broker's state and on the security of the connection."""
    broker = state.broker
    if broker.unverified is not None:
        yield Finding(
            "broker-unverified",
            "warning",
            "broker",
            broker.unverified.problem,
            next_step=broker.unverified.advice,
        )
    if broker.phase == "blocked" and broker.fault is not None:
        workers = "worker data is out of date" if state.workers else "the workers are unknown"
        yield Finding(
            "broker-blocked",
            "error",
            "broker",
            f"{broker.fault.problem}; {workers}",
            next_step=broker.fault.advice,
            evidence={"blocked_since": broker.since},
            incomplete=True,
        )
