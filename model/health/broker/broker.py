"""Findings on the connection to the broker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...state import ClusterState
from ...text import units
from ...text.phrases import counted
from ..finding import Finding, Severity

NO_EVICTION: Final = "noeviction"
"""The only policy with which Redis is a safe broker."""
FULL: Final = 0.99
"""The part of the memory from which on Redis may refuse the next message."""


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
    yield from _memory(state)
    if broker.phase == "lost" and broker.fault is not None:
        yield Finding(
            "broker-lost",
            "error",
            "broker",
            f"not connected: {broker.fault.problem}",
            next_step=broker.fault.advice,
            evidence={"lost_since": broker.since},
            since=broker.since,
            incomplete=True,
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
            since=broker.since,
            incomplete=True,
        )


def _memory(state: ClusterState) -> Iterator[Finding]:
    """Yield the findings on the memory of Redis."""
    memory, limit = state.broker.memory, state.thresholds.redis_memory
    if memory is None or memory.maximum is None:
        return
    share = memory.used / memory.maximum
    evicts = memory.policy not in (NO_EVICTION, "")
    left = "out of memory" if share >= FULL else "nearly out of memory"
    used = f"{units.size(memory.used)} of {units.size(memory.maximum)} used"
    evidence = {
        "used_bytes": memory.used,
        "maximum_bytes": memory.maximum,
        "policy": memory.policy,
        "evicted": memory.evicted,
        "asked_at": memory.at,
    }
    if share >= limit and not evicts and state.broker.phase != "blocked":
        yield Finding(
            "redis-memory",
            "error" if share >= FULL else "warning",
            "broker",
            f"Redis is {left}: {used}. At the limit it refuses messages, results and events",
            next_step="Raise maxmemory, or remove waiting messages and old results",
            evidence=evidence,
        )
    if evicts:
        # The volatile policies evict only keys that expire: results, but no queues.
        only_results = memory.policy.startswith("volatile-")
        what = "results" if only_results else "queues and results"
        loses = share >= limit or bool(memory.evicted)
        severity: Severity = "info" if only_results and not loses else "warning"
        text = f"maxmemory-policy is {memory.policy}: when memory is full, Redis deletes {what}"
        if memory.evicted:
            text += f"; {counted(memory.evicted, 'key')} deleted since it started"
        yield Finding(
            "redis-evicts",
            "error" if loses and not only_results else severity,
            "broker",
            f"{text} ({used})",
            next_step="Set maxmemory-policy to noeviction on a Redis that is a broker",
            evidence=evidence,
        )
