"""Findings on messages of delayed delivery (RabbitMQ) that will not reach their queue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...entities.messages.delayed import DELIVERY_EXCHANGE
from ...state import ClusterState
from ...text import units
from ...text.phrases import counted
from ..finding import Finding

STUCK_AFTER: Final = 15.0
"""Seconds for which the broker may have expired messages that it has not passed on yet."""
_BIND: Final = "Restart a worker of the queue: Celery 5.5 or later binds it for delayed delivery"


def delayed_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield a finding for each queue that delayed messages cannot reach, and for the others."""
    delayed, now = state.delayed, state.broker.observed_until(now)
    unbound = delayed.unbound(now)
    for name, messages in unbound.items():
        yield Finding(
            "delayed-queue-stuck",
            "error",
            "queue",
            f"{counted(messages, 'delayed message')} cannot be delivered: the exchange "
            f"{DELIVERY_EXCHANGE} has no binding for it",
            name,
            _BIND,
            evidence={"messages": messages, "measured_at": delayed.measured.measured_at},
            common="delayed messages cannot be delivered",
        )
    since, messages = delayed.undeliverable_since, delayed.measured.undeliverable
    if since is None or now - since < STUCK_AFTER:
        return
    yield Finding(
        "delayed-queue-stuck",
        "error",
        "queues",
        f"{counted(messages, 'delayed message')} should have been delivered, but RabbitMQ has kept "
        f"{'it' if messages == 1 else 'them'} for {units.age(since, now)}: no queue is bound for "
        f"{'it' if messages == 1 else 'them'}, or its queue rejects messages",
        next_step=_BIND,
        evidence={
            "messages": messages,
            "levels": [level.level for level in delayed.measured.levels if level.undeliverable],
            "measured_at": delayed.measured.measured_at,
        },
        since=since,
    )
