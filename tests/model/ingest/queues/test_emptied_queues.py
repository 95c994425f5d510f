"""Pending tasks that are gone with the messages of their queue."""

from __future__ import annotations

from typing import Any

import pytest
from celtop.model.entities.task import Loss
from celtop.model.ingest.queues.emptied_queues import (
    EMPTY_SECONDS,
    NO_ENTRY_SECONDS,
    EmptiedQueues,
    Evidence,
)
from celtop.model.observations import InspectReply, QuestionsAnswered, QueueGone, QueueMeasured
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW, WORKER, Script, play

SETTLED = NOW + EMPTY_SECONDS
HEARD = Evidence(True)


class Case:
    """A pending task of the queue `mail`, which is found empty at NOW and again at SETTLED."""

    def __init__(self, *, consumed: bool = True, received: bool = True, **measured: Any) -> None:
        state = self.state = ClusterState()
        names = ["mail", "geo"] if consumed else ["geo"]
        queues = [{"name": name} for name in names]
        state.observe(QuestionsAnswered(("workers",), NOW))
        state.observe(InspectReply(WORKER, "active_queues", queues, NOW))
        self.worker = state.workers[WORKER]
        play(Script("task", at=NOW).sent(queue="mail").events, state)
        if received:
            play(Script("other", at=NOW).sent(queue="mail").received().succeeded().events, state)
        self.worker.events_enabled, self.worker.last_seen_at = True, SETTLED
        self.emptied = EmptiedQueues(
            state._tasks, state.workers, state.queues, state._queues.gone_at
        )
        self.measured = {"waiting": 0, "unacked": 0, **measured}
        self.measure(NOW, 0)
        self.emptied.scan(NOW)

    def measure(self, at: float, waiting: int | None, **fields: Any) -> None:
        self.state.observe(QueueMeasured("mail", at, waiting, **{"unacked": 0, **fields}))
        self.state.take_changes()

    def loss(self, evidence: Evidence = HEARD, at: float = SETTLED) -> Loss | None:
        self.measure(at, **self.measured)
        self.emptied.scan(at)
        return self.emptied.loss(self.state.tasks["task"], evidence)


def test_a_task_that_no_worker_reported_is_gone() -> None:
    assert Case().loss() == "emptied"


@pytest.mark.parametrize("measured", [{"waiting": 1}, {"waiting": None}, {"unacked": 1}])
def test_the_queue_has_to_be_measured_as_empty(measured: dict[str, Any]) -> None:
    assert Case(**measured).loss() is None


def test_the_queue_has_to_be_empty_for_some_seconds() -> None:
    assert Case().loss(at=SETTLED - 0.1) is None


@pytest.mark.parametrize("fields", [{"last_seen_at": NOW}, {"events_enabled": None}])
def test_a_worker_that_cannot_report_the_task_may_have_it(fields: dict[str, Any]) -> None:
    case = Case()
    for name, value in fields.items():
        setattr(case.worker, name, value)
    assert case.loss() is None
    case.worker.left_at = SETTLED
    assert case.loss() == "emptied", "it has shut down"


def test_events_may_have_been_missed_or_never_sent() -> None:
    for case, complete in ((Case(), False), (Case(received=False), True)):
        assert case.loss(Evidence(complete)) is None
        assert case.loss(Evidence(complete, NOW, frozenset({WORKER}))) is None
        assert case.loss(Evidence(complete, NOW, frozenset({WORKER}), True)) == "unknown"


def test_without_consumers_nothing_can_have_been_received() -> None:
    assert Case(consumed=False, received=False).loss() == "emptied"


@pytest.mark.parametrize("unacked", [None, 3])
def test_unacknowledged_messages_may_be_the_task(unacked: int | None) -> None:
    case = Case(unacked=unacked)
    assert case.loss() is None
    assert case.loss(Evidence(True, NOW, frozenset({WORKER}))) == "emptied"
    assert Case(unacked=unacked, consumer_count=0).loss() == "emptied"


def test_a_task_that_became_known_later_may_have_been_sent_later() -> None:
    case = Case()
    play(Script("late", at=NOW - 60).sent(queue="mail").events, case.state)
    case.worker.last_seen_at = SETTLED + 9
    assert case.loss() == "emptied"
    late = case.state.tasks["late"]
    assert case.emptied.loss(late, HEARD) is None
    assert case.emptied.loss(late, Evidence(True, SETTLED)) is None
    case.loss(at=SETTLED + EMPTY_SECONDS)
    assert case.emptied.loss(late, Evidence(True, SETTLED)) == "emptied"


def test_the_messages_of_a_queue_that_is_gone_are_gone() -> None:
    case = Case(consumed=False, received=False)
    case.state.observe(QueueMeasured("mail", NOW, waiting=1, unacked=0))
    case.emptied.scan(NOW)
    case.state.observe(QueueGone("mail", NOW))
    task, asked = case.state.tasks["task"], Evidence(False, NOW, frozenset({WORKER}), True)
    for at, gone, unknown in ((NOW, None, None), (SETTLED, "emptied", "unknown")):
        case.emptied.scan(at)
        assert case.emptied.loss(task, HEARD) == gone
        assert case.emptied.loss(task, asked) == unknown
    play(Script("late", at=SETTLED).sent(queue="mail").events, case.state)
    case.emptied.scan(SETTLED + EMPTY_SECONDS)
    assert case.emptied.loss(case.state.tasks["late"], HEARD) is None, "sent since"
    case.state.observe(QueueMeasured("mail", SETTLED, waiting=1))
    case.emptied.scan(SETTLED)
    assert case.emptied.loss(task, HEARD) is None, "it is there again"


def test_without_a_result_backend_a_message_that_is_nowhere_does_not_wait_for_ever() -> None:
    case = Case()
    asked = Evidence(False, NOW, frozenset({WORKER}))
    case.worker.last_seen_at = NOW + NO_ENTRY_SECONDS
    assert case.loss(asked, NOW + NO_ENTRY_SECONDS - 1) is None
    assert case.loss(Evidence(False, NOW), NOW + NO_ENTRY_SECONDS) is None, "a worker may have it"
    assert case.loss(asked, NOW + NO_ENTRY_SECONDS) == "unheard"
    case.worker.events_enabled = False
    assert case.loss(asked, NOW + NO_ENTRY_SECONDS) is None, "it may have run"
