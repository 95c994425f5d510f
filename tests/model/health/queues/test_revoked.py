from __future__ import annotations

from celtop.model.health.queues.revoked import revoked_findings
from celtop.model.observations import InspectReply, QueueMeasured, QueuePeeked, WaitingMessage
from celtop.model.state import ClusterState
from celtop.tests.model.health.fleet import W1, fleet
from celtop.tests.model.streams import NOW


def found(state: ClusterState) -> list[tuple[str, str, str]]:
    return [(one.name, one.text, one.next_step) for one in revoked_findings(state, NOW)]


def waiting(queue: str, transport: str = "redis") -> ClusterState:
    """Let three messages wait in a queue, of which workers list one as revoked."""
    state = fleet(transport=transport, w1={})
    state.observe(QueueMeasured(queue, NOW, 3))
    messages = tuple(WaitingMessage(id_, "shop.bill", queue) for id_ in "abc")
    state.observe(QueuePeeked(queue, messages, NOW, complete=True, read=3, is_listing=True))
    assert found(state) == []
    state.observe(InspectReply(W1, "revoked", ["b", "unknown", 7], NOW))
    return state


def test_revoked_messages_wait_until_a_worker_receives_them() -> None:
    text = "if all workers restart before they receive them, the tasks run"
    step = "Run celtop purge mail --filter state:revoked,revoking"
    assert found(waiting("mail")) == [("mail", f"1 revoked message still waits; {text}", step)]


def test_without_consumers_no_worker_discards_them() -> None:
    state = waiting("it's lonely")
    state.observe(InspectReply(W1, "revoked", ["a"], NOW))
    text = "2 revoked messages still wait; no worker receives and discards them"
    step = "Run celtop purge 'it'\"'\"'s lonely' --filter state:revoked,revoking"
    assert found(state) == [("it's lonely", text, step)]
    state.observe(QueueMeasured("it's lonely", NOW + 1, 0))
    assert found(state) == []


def test_rabbitmq_cannot_delete_them_alone() -> None:
    assert [step for *_, step in found(waiting("lonely", "amqp"))] == [
        "Start a worker for the queue, or purge it"
    ]
