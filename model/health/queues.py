"""Findings on queues."""

from __future__ import annotations

from collections.abc import Iterator

from ..state import ClusterState
from ..text.phrases import counted
from .finding import Finding


def queue_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield a finding for each queue that needs attention."""
    for queue in state.queues.values():
        if queue.unattended:
            yield Finding(
                "queue-without-consumers",
                "error",
                "queue",
                f"{counted(queue.waiting or 0, 'message')} waiting, no consumers",
                queue.name,
                evidence={"waiting": queue.waiting, "measured_at": queue.measured_at},
            )
