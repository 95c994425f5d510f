from __future__ import annotations

from celtop.model.entities.messages.delayed import Delayed, DelayLevel
from celtop.model.health.queues.delayed import STUCK_AFTER, delayed_findings
from celtop.model.observations import DelayedMeasured
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW, Script, play
from kombu.transport.native_delayed_delivery import calculate_routing_key


def observe(
    state: ClusterState, at: float, *levels: DelayLevel, bindings: str = "#.celery"
) -> None:
    state.observe(DelayedMeasured(Delayed(levels, at, (bindings,)), at))


def test_a_queue_that_is_not_bound() -> None:
    state = ClusterState()
    key = calculate_routing_key(100, "billing")
    play(Script("1").sent(queue=None, routing_key=key).events, state)
    observe(state, NOW + 1, DelayLevel(6, 1), bindings="#.billing")
    assert not list(delayed_findings(state, NOW + 1))
    observe(state, NOW + 2, DelayLevel(6, 1))
    (one,) = delayed_findings(state, NOW + 2)
    assert (one.code, one.subject, one.severity) == (
        "delayed-queue-stuck",
        "queue billing",
        "error",
    )
    assert one.text.startswith("1 delayed message cannot be delivered")


def test_expired_messages_that_the_broker_keeps() -> None:
    state = ClusterState()
    observe(state, NOW, DelayLevel(3, 5, undeliverable=2))
    assert not list(delayed_findings(state, NOW + 1))
    observe(state, NOW + STUCK_AFTER, DelayLevel(3, 5, undeliverable=2))
    (one,) = delayed_findings(state, NOW + STUCK_AFTER)
    assert (one.evidence["messages"], one.evidence["levels"], one.since) == (2, [3], NOW)
    observe(state, NOW + 20, DelayLevel(3, 5))
    assert not list(delayed_findings(state, NOW + 40))
