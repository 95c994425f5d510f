"""Findings on the memory of Redis."""

from __future__ import annotations

import pytest
from celtop.model.entities.broker import BrokerMemory
from celtop.model.entities.fault import Fault
from celtop.model.health.broker.broker import broker_findings
from celtop.model.observations import ConnectionChanged, MemoryMeasured
from celtop.model.state import ClusterState

NOW = 1_700_000_000.0
MIB = 1 << 20


def found(
    used: int, maximum: int | None, policy: str = "noeviction", evicted: int = 0
) -> list[tuple[str, str]]:
    state = ClusterState()
    memory = BrokerMemory(NOW, used * MIB, maximum and maximum * MIB, policy, evicted)
    state.observe(MemoryMeasured(memory))
    return [(one.code, one.severity) for one in broker_findings(state, NOW)]


@pytest.mark.parametrize("policy", ["noeviction", "allkeys-lru"])
def test_without_a_maximum_nothing_is_refused_or_evicted(policy: str) -> None:
    assert found(900, None, policy) == []


def test_memory_that_is_nearly_used_up() -> None:
    assert found(89, 100) == []
    assert found(90, 100) == [("redis-memory", "warning")]
    assert found(100, 100) == [("redis-memory", "error")]


@pytest.mark.parametrize(
    ("used", "policy", "evicted", "severity"),
    [
        (10, "allkeys-lru", 0, "warning"),
        (95, "allkeys-lru", 0, "error"),
        (10, "allkeys-random", 5, "error"),
        (10, "volatile-ttl", 0, "info"),
        (95, "volatile-lru", 0, "warning"),
    ],
)
def test_a_policy_that_evicts(used: int, policy: str, evicted: int, severity: str) -> None:
    assert found(used, 100, policy, evicted) == [("redis-evicts", severity)]


def test_the_text_names_what_is_deleted() -> None:
    state = ClusterState()
    state.observe(MemoryMeasured(BrokerMemory(NOW, 50 * MIB, 100 * MIB, "allkeys-lfu", 7)))
    (one,) = broker_findings(state, NOW)
    assert one.text == (
        "maxmemory-policy is allkeys-lfu: when memory is full, Redis deletes queues and results; "
        "7 keys deleted since it started (50.0 MiB of 100.0 MiB used)"
    )


def test_a_blocked_broker_is_one_finding() -> None:
    state = ClusterState()
    state.observe(MemoryMeasured(BrokerMemory(NOW, 100 * MIB, 100 * MIB, "noeviction")))
    fault = Fault("memory", "localhost is out of memory and refuses writes", "Free memory")
    state.observe(ConnectionChanged("blocked", NOW, fault))
    assert [one.code for one in broker_findings(state, NOW)] == ["broker-blocked"]
