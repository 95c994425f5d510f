"""Delayed messages as events and measurements report them."""

from __future__ import annotations

from celtop.model.entities.messages.delayed import Delayed, DelayLevel
from celtop.model.observations import DelayedMeasured, InspectReply, QueueMeasured
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW, WORKER, Script, play
from kombu.transport.native_delayed_delivery import calculate_routing_key


def measured(at: float, *levels: DelayLevel) -> DelayedMeasured:
    return DelayedMeasured(Delayed(levels, at), at)


def delayed_task(state: ClusterState, id_: str, countdown: int, key: str = "billing") -> None:
    key = calculate_routing_key(countdown, key)
    script = Script(id_, at=NOW - 1)
    play(script.sent(queue=None, exchange="celery_delayed_27", routing_key=key).events, state)


def test_messages_are_folded_into_their_queues() -> None:
    state = ClusterState()
    for countdown in (20, 45, 100):
        delayed_task(state, str(countdown), countdown)
    state.observe(measured(NOW + 1, DelayLevel(4, 1), DelayLevel(5, 1), DelayLevel(6, 1)))
    assert [round(one.latest - NOW) for one in state.delayed.due_times(NOW + 2)] == [20, 45, 100]
    assert state.delayed.messages == 3
    assert state.queues["billing"].delayed == 3
    assert state.tasks["20"].queue == "billing"
    state.observe(measured(NOW + 30, DelayLevel(3, 1), DelayLevel(6, 1)))
    assert state.queues["billing"].delayed == 2


def test_the_queue_of_others_is_unknown() -> None:
    state = ClusterState()
    delayed_task(state, "1", 100)
    state.observe(QueueMeasured("celery", NOW, 0))
    state.observe(measured(NOW + 1, DelayLevel(6, 1), DelayLevel(8, 2)))
    assert state.delayed.by_queue(NOW + 1) == {"billing": 1, "": 2}
    assert state.queues["celery"].delayed is None
    state.observe(measured(NOW + 2))
    assert state.queues["celery"].delayed == 0


def test_the_queue_is_found_by_its_binding() -> None:
    state = ClusterState()
    queue = {"name": "invoices", "exchange": {"name": "x"}, "routing_key": "billing.eu"}
    state.observe(InspectReply(WORKER, "active_queues", [queue], NOW))
    delayed_task(state, "1", 100, "billing.eu")
    assert state.tasks["1"].queue == "invoices"


def test_messages_that_the_broker_no_longer_has_are_forgotten() -> None:
    state = ClusterState()
    delayed_task(state, "1", 100)
    state.observe(measured(NOW + 1))  # statistics may be older than the message
    state.observe(measured(NOW + 5, DelayLevel(6, 1)))
    assert state.delayed.by_queue(NOW + 5) == {"billing": 1}
    state.observe(measured(NOW + 20))
    state.observe(measured(NOW + 25, DelayLevel(6, 1)))
    assert state.delayed.by_queue(NOW + 25) == {"": 1}
