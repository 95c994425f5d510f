"""Queues: measured depth and trend, rates only if they are known."""

from __future__ import annotations

import pytest
from celtop.model.entities.fault import NO_REPLY
from celtop.model.entities.queue import Queue
from celtop.model.observations import (
    InspectReply,
    QuestionsAnswered,
    QuestionsAsked,
    QuestionsFailed,
    QueueGone,
    QueueMeasured,
)
from celtop.model.state import ClusterState
from celtop.model.wire.events import EventBatch

from ...streams import NOW, OTHER, WORKER, Script, event


def consume(state: ClusterState, worker: str, *names: str, at: float = NOW) -> None:
    queues = [{"name": name, "exchange": {"name": name}, "routing_key": name} for name in names]
    state.observe(QuestionsAnswered(("workers",), at))
    state.observe(InspectReply(worker, "active_queues", queues, at))


def measure(state: ClusterState, waiting: int | None, at: float, name: str = "mail") -> Queue:
    state.observe(QueueMeasured(name, at, waiting))
    return state.queues[name]


def receive(state: ClusterState, number: int, at: float, worker: str = WORKER) -> None:
    for _ in range(number):
        state_id = f"task-{len(state.tasks)}"
        state.observe(
            EventBatch((event(Script(state_id, at=at, worker=worker).received().events[0]),), at)
        )


def test_depth_and_history() -> None:
    state = ClusterState()
    seen = QueueMeasured("mail", NOW, 3, 1, (("0", 2), ("3", 1)), 4, ("a note",))
    state.observe(seen)
    queue = measure(state, 5, NOW + 5)
    assert (queue.waiting, queue.unacked, queue.by_priority) == (5, None, {})
    assert list(queue.history) == [(NOW, 3), (NOW + 5, 5)]
    assert queue.measured_at == NOW + 5


def test_an_unknown_depth_is_not_zero() -> None:
    state = ClusterState()
    measure(state, 3, NOW)
    queue = measure(state, None, NOW + 5)
    assert (queue.waiting, queue.in_per_s, queue.out_per_s) == (None, None, None)
    assert list(queue.history) == [(NOW, 3)]


def test_rates_follow_from_received_tasks_and_depth() -> None:
    state = ClusterState()
    consume(state, WORKER, "mail")
    receive(state, 1, NOW)
    measure(state, 10, NOW)
    receive(state, 20, NOW + 5)
    queue = measure(state, 40, NOW + 10)
    assert (queue.out_per_s, queue.in_per_s, queue.notes) == (2.0, 5.0, ())
    assert queue.drain == float("inf")
    receive(state, 40, NOW + 15)
    queue = measure(state, 5, NOW + 20)
    assert (queue.out_per_s, queue.in_per_s) == (3.0, 2.75)
    assert queue.drain == 20.0


def test_one_measurement_has_no_rate() -> None:
    state = ClusterState()
    consume(state, WORKER, "mail")
    receive(state, 1, NOW)
    assert measure(state, 10, NOW).in_per_s is None
    assert measure(state, 11, NOW + 1).in_per_s is None


def test_rates_of_a_rarely_measured_queue_follow_from_its_last_two_measurements() -> None:
    state = ClusterState()
    consume(state, WORKER, "mail")
    measure(state, 10, NOW)
    receive(state, 50, NOW + 50)
    queue = measure(state, 60, NOW + 100)
    assert (queue.out_per_s, queue.in_per_s, queue.notes) == (0.5, 1.0, ())
    measure(state, 60, NOW + 300)
    assert measure(state, 60, NOW + 301).in_per_s is None


def test_rates_are_unknown_unless_a_consumer_sends_events() -> None:
    state = ClusterState()
    consume(state, WORKER, "mail")
    measure(state, 10, NOW)
    queue = measure(state, 10, NOW + 10)
    assert (queue.in_per_s, queue.out_per_s) == (None, None)
    assert queue.notes == (f"rates unknown: whether {WORKER} sends task events is unknown",)
    state.workers[WORKER].events_enabled = False
    queue = measure(state, 10, NOW + 20)
    assert queue.notes == (f"rates unknown: task events of {WORKER} are off",)


def test_rates_are_unknown_if_the_queue_of_a_task_is_unknown() -> None:
    state = ClusterState()
    consume(state, WORKER, "mail", "geo")
    measure(state, 10, NOW)
    receive(state, 5, NOW + 5)
    queue = measure(state, 10, NOW + 10)
    assert queue.out_per_s is None
    assert "whose queue is unknown" in queue.notes[0]


def test_a_few_tasks_of_unknown_queues_do_not_matter() -> None:
    state = ClusterState()
    consume(state, WORKER, "mail", "geo")
    measure(state, 0, NOW)
    receive(state, 2, NOW + 5)
    for _ in range(40):
        state.queues["mail"].received.add(NOW + 6)
    assert measure(state, 0, NOW + 10).out_per_s == 4.0
    receive(state, 1, NOW + 11)
    assert measure(state, 0, NOW + 12).out_per_s is None


def test_a_task_sent_event_may_arrive_after_the_task_is_received() -> None:
    state = ClusterState()
    consume(state, WORKER, "mail", "geo")
    measure(state, 10, NOW)
    receive(state, 5, NOW + 5)
    for id_ in list(state.tasks):
        sent = Script(id_, at=NOW + 5.01).sent(queue="mail").events[0]
        state.observe(EventBatch((event(sent),), NOW + 6))
    queue = measure(state, 10, NOW + 10)
    assert (queue.out_per_s, queue.in_per_s, queue.notes) == (0.5, 0.5, ())


def test_only_the_newest_tasks_from_an_unknown_queue_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("celtop.model.ingest.workers.unattributed.MAX_UNATTRIBUTED", 3)
    state = ClusterState()
    consume(state, WORKER, "mail", "geo")
    receive(state, 5, NOW)
    assert list(state.workers[WORKER].unattributed) == list(state.tasks)[-3:]


def test_of_many_workers_each_keeps_its_share_of_tasks_from_an_unknown_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("celtop.model.ingest.workers.unattributed.MAX_ALL_UNATTRIBUTED", 8)
    state = ClusterState()
    receive(state, 10, NOW)
    assert list(state.workers[WORKER].unattributed) == [f"task-{n}" for n in range(2, 10)]
    for number in range(3):
        consume(state, f"celery@{number}", "mail", "geo")
    receive(state, 3, NOW, "celery@0")
    receive(state, 1, NOW)
    assert list(state.workers["celery@0"].unattributed) == ["task-11", "task-12"]
    assert list(state.workers[WORKER].unattributed) == ["task-9", "task-13"]


def test_a_queue_without_consumers_only_grows() -> None:
    state = ClusterState()
    consume(state, WORKER, "mail")
    receive(state, 1, NOW)
    measure(state, 0, NOW - 5, "lost")
    measure(state, 10, NOW, "lost")
    queue = measure(state, 40, NOW + 15, "lost")
    assert queue.unattended
    assert (queue.out_per_s, queue.in_per_s) == (0.0, 2.0)


def test_rates_are_unknown_while_the_queues_of_a_worker_are() -> None:
    state = ClusterState()
    state.observe(QuestionsAnswered(("workers",), NOW))
    receive(state, 1, NOW)
    state.tick(NOW)
    measure(state, 10, NOW)
    queue = measure(state, 10, NOW + 10)
    assert queue.out_per_s is None
    assert queue.notes == (f"rates unknown: the queues of {WORKER} are unknown (no reply yet)",)


def test_consumers_follow_the_workers() -> None:
    state = ClusterState()
    consume(state, WORKER, "mail", "geo")
    consume(state, OTHER, "mail")
    assert state.queues["mail"].consumers == tuple(sorted((WORKER, OTHER)))
    state.observe(QuestionsAsked("worker", ("stats",), NOW + 99, (OTHER,)))
    state.observe(QuestionsFailed("worker", ("stats",), NOW + 100, NO_REPLY, (OTHER,)))
    state.tick(NOW + 100)
    assert state.queues["mail"].consumers == (WORKER,)
    assert state.queues["geo"].consumers == (WORKER,)
    consume(state, WORKER, "geo", at=NOW + 101)
    assert not state.queues["mail"].consumers


def test_queues_are_learned_from_sent_tasks() -> None:
    state = ClusterState()
    state.observe(EventBatch((event(Script("a").sent(queue="reports").events[0]),), NOW))
    assert list(state.queues) == ["reports"]
    assert state.queues["reports"].waiting is None


def test_a_deleted_queue() -> None:
    state = ClusterState()
    consume(state, WORKER, "mail")
    measure(state, 3, NOW)
    measure(state, 3, NOW, "old")
    for name in ("mail", "old", "never seen"):
        state.observe(QueueGone(name, NOW + 5))
    assert list(state.queues) == ["mail"]
    assert state.queues["mail"].waiting == 0


def test_queues_beyond_the_bound_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celtop.model.ingest.queues.queue_store.MAX_QUEUES", 2)
    monkeypatch.setattr("celtop.model.ingest.queues.queue_store.MAX_LEFT_OUT", 2)
    state = ClusterState()
    for number in range(5):
        state.observe(QueueMeasured(f"q{number}", NOW, number))
    assert list(state.queues) == ["q0", "q1"]
    assert state.queues_left_out == {"q2": 2, "q3": 3}
    state.observe(QueueGone("q0", NOW + 1))
    state.observe(QueueMeasured("q2", NOW + 2, 7))
    assert state.queues["q2"].waiting == 7
    assert state.queues_left_out == {"q3": 3}
