"""The age of the oldest message in a queue: exact, at least, or unknown."""

from __future__ import annotations

from celtop.model.entities.queue import Queue
from celtop.model.observations import (
    InspectReply,
    QuestionsAnswered,
    QueueHead,
    QueueHeadsKnown,
    QueueMeasured,
)
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


def runnable(
    state: ClusterState, at: float, *heads: QueueHead, due_at: float | None = None
) -> tuple[float | None, float | None, float | None]:
    seen = QueueMeasured("mail", at, 3, heads=heads, runnable=heads, due_at=due_at)
    state.observe(seen)
    queue = state.queues["mail"]
    return queue.runnable_age, queue.runnable_age_at_least, queue.due_at


def test_a_message_with_an_eta_has_been_runnable_since_then() -> None:
    state = ClusterState()
    consume(state)
    sent = QueueHead("a", NOW - 500, eta_at=NOW - 20)
    assert runnable(state, NOW, sent) == (20.0, None, None)
    late = QueueHead("a", NOW - 5, eta_at=NOW - 20)
    assert runnable(state, NOW, late) == (5.0, None, None)


def test_an_eta_is_exact_only_if_the_message_was_seen_before_it() -> None:
    state = ClusterState()
    consume(state)
    assert runnable(state, NOW, QueueHead("a", eta_at=NOW - 20)) == (None, None, None)
    assert runnable(state, NOW + 5, QueueHead("a", eta_at=NOW - 20)) == (None, 5.0, None)
    waits = QueueHead("b", eta_at=NOW + 30)
    state.observe(QueueMeasured("mail", NOW + 10, 3, heads=(waits,), runnable=(), due_at=NOW + 30))
    queue = state.queues["mail"]
    assert (queue.runnable_age_at_least, queue.due_at) == (None, NOW + 30)
    assert runnable(state, NOW + 42, waits) == (12.0, None, None)


def test_of_several_priorities_the_longest_wait_counts() -> None:
    state = ClusterState()
    consume(state)
    heads = QueueHead("a", NOW - 5), QueueHead("b", NOW - 50)
    assert runnable(state, NOW, *heads) == (50.0, None, None)
    assert runnable(state, NOW, *heads, QueueHead()) == (None, 50.0, None)
    state.observe(QueueMeasured("mail", NOW, 3, heads=heads))
    assert state.queues["mail"].runnable_age is None  # this broker shows no messages


def test_a_message_that_was_next_before_the_start_is_at_least_as_old() -> None:
    state = ClusterState()
    consume(state)
    assert measure(state, NOW, QueueHead("a")) == (None, None)
    state.observe(QueueHeadsKnown({"mail": {"a": NOW - 60}, "other": {"b": NOW - 90}}, NOW))
    assert measure(state, NOW + 5, QueueHead("a")) == (None, 65.0)
    assert measure(state, NOW + 10, QueueHead("b")) == (None, None)
    collected = QueueHead("c", next_since=NOW - 30)
    assert measure(state, NOW + 15, collected) == (None, 45.0)
