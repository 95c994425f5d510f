from __future__ import annotations

import pytest
from celtop.metrics.health import failure, health_of
from celtop.model.entities.broker import BrokerPhase
from celtop.model.entities.fault import Fault
from celtop.model.observations import ConnectionChanged
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW

REFUSED = Fault("refused", "connection refused", "Is the broker running?")


def in_phase(phase: BrokerPhase, fault: Fault | None = None) -> ClusterState:
    state = ClusterState()
    state.observe(ConnectionChanged(phase, NOW, fault))
    return state


@pytest.mark.parametrize(
    ("phase", "fault", "status"),
    [
        ("live", None, "ok"),
        ("blocked", Fault("alarm", "memory alarm", ""), "ok"),
        ("lost", REFUSED, "failed"),
        ("connecting", None, "failed"),
    ],
)
def test_it_is_well_if_the_broker_can_be_reached(
    phase: BrokerPhase, fault: Fault | None, status: str
) -> None:
    health = health_of({"shop": in_phase(phase, fault)})
    assert health.status == status
    assert (health.reason is None) == (status == "ok")
    assert [(one.cluster, one.broker) for one in health.clusters] == [("shop", phase)]


def test_the_reason_names_each_cluster_that_cannot_be_reached() -> None:
    health = health_of({"a": in_phase("live"), "b": in_phase("lost", REFUSED)})
    assert health.reason == "b: connection refused. Is the broker running?"


def test_without_an_answer_it_has_failed() -> None:
    assert (failure("busy").status, failure("busy").reason) == ("failed", "busy")
