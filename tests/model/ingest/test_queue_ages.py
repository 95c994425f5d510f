"""The age of the oldest message in a queue: exact, at least, or unknown."""

from __future__ import annotations

from celtop.model.entities.queue import Queue
from celtop.model.observations import InspectReply, QuestionsAnswered, QueueHead, QueueMeasured
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW, WORKER, Script, play


def measure(
    state: ClusterState, at: float, *heads: QueueHead, waiting: int | None = 3
) -> tuple[float | None, float | None]:
    state.observe(QueueMeasured("mail", at, waiting, heads=heads))
    queue: Queue = state.queues["mail"]
    return queue.oldest_age, queue.oldest_age_at_least


def consume(state: ClusterState) -> None:
    state.observe(InspectReply(WORKER, "active_queues", [{"name": "mail"}], NOW))


def test_without_consumers_it_is_at_least_as_old_as_the_first_measurement() -> None:
    state = ClusterState()
    state.observe(QuestionsAnswered(("workers",), NOW))
    state.tick(NOW)
    assert measure(state, NOW) == (None, None)
    assert measure(state, NOW + 15) == (None, 15.0)
    assert measure(state, NOW + 20, waiting=0) == (None, None)
    assert measure(state, NOW + 25) == (None, None)
    assert measure(state, NOW + 30, waiting=None) == (None, None)


def test_with_consumers_it_is_at_least_as_old_as_its_place_at_the_head() -> None:
    state = ClusterState()
    consume(state)
    assert measure(state, NOW, QueueHead("a")) == (None, None)
    assert measure(state, NOW + 5, QueueHead("a")) == (None, 5.0)
    assert measure(state, NOW + 10, QueueHead("b")) == (None, None)
    assert measure(state, NOW + 15, QueueHead("b"), QueueHead("c")) == (None, 5.0)


def test_its_own_time_or_its_event_is_exact() -> None:
    state = ClusterState()
    consume(state)
    assert measure(state, NOW + 10, QueueHead("a", NOW - 86_400)) == (86_410.0, None)
    play(Script("b", at=NOW).sent(queue="mail").events, state)
    assert measure(state, NOW + 21, QueueHead("b")) == (20.0, None)


def test_of_several_priority_steps_all_have_to_be_known() -> None:
    state = ClusterState()
    consume(state)
    old, unread = QueueHead("a", NOW - 60), QueueHead()
    assert measure(state, NOW, old, QueueHead("b", NOW - 90)) == (90.0, None)
    assert measure(state, NOW, old, unread) == (None, 60.0)


def test_a_clock_that_is_ahead_makes_no_negative_age() -> None:
    state = ClusterState()
    assert measure(state, NOW, QueueHead("a", NOW + 300)) == (0.0, None)
    assert measure(state, NOW + 10, QueueHead("a", NOW + 300)) == (10.0, None)
