from __future__ import annotations

from celtop.model.entities.fault import Fault
from celtop.model.observations import (
    InspectReply,
    QuestionsAnswered,
    QuestionsAsked,
    QuestionsFailed,
    QueueMeasured,
)
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW, OTHER, WORKER

FAULT = Fault("no-reply", "no reply to stats", "")


def test_a_question_to_a_worker_is_asked_fails_and_is_answered() -> None:
    state = ClusterState()
    state.observe(InspectReply(WORKER, "ping", {"ok": "pong"}, NOW))
    worker = state.workers[WORKER]
    state.observe(QuestionsAsked("worker", ("stats",), NOW, (WORKER, OTHER)))
    assert worker.fact("stats").asked_at == NOW
    state.observe(QuestionsFailed("worker", ("stats",), NOW + 2, FAULT, (WORKER, OTHER)))
    assert worker.fact("stats").reason == "no reply to stats"
    assert OTHER not in state.workers
    state.observe(InspectReply(WORKER, "stats", {}, NOW + 3))
    assert worker.fact("stats").is_answered


def test_a_depth_that_cannot_be_measured_is_a_failed_question() -> None:
    state = ClusterState()
    state.observe(QueueMeasured("mail", NOW, 3))
    assert state.queues["mail"].fact("depth").is_answered
    state.observe(QueueMeasured("mail", NOW + 5, notes=("no queue of this name",)))
    assert state.queues["mail"].fact("depth").reason == "no queue of this name"
    assert state.queues["mail"].fact("depth").age(NOW + 5) == 5


def test_questions_about_the_cluster() -> None:
    state = ClusterState()
    assert not state.fact("workers").is_answered
    state.observe(QuestionsAsked("cluster", ("workers",), NOW))
    state.observe(QuestionsFailed("cluster", ("workers",), NOW, FAULT))
    assert state.fact("workers").is_failed
    state.observe(QuestionsAnswered(("workers",), NOW + 1))
    assert state.fact("workers").is_answered


def test_the_consumers_are_as_old_as_the_oldest_reply() -> None:
    """Also if no reply changes anything, and however long ago the workers were discovered."""
    state = ClusterState()
    state.observe(QuestionsAnswered(("workers",), NOW))
    for at in (NOW + 1, NOW + 15, NOW + 30):
        state.observe(InspectReply(OTHER, "active_queues", [{"name": "mail"}], at - 1))
        state.observe(InspectReply(WORKER, "active_queues", [{"name": "mail"}], at))
        state.tick(at)
        assert state.queues["mail"].fact("consumers").age(at) == 1
