"""The next step for a queue without consumers."""

from __future__ import annotations

from celtop.model.entities.queue import Pause, Queue
from celtop.model.health.finding import Finding
from celtop.model.health.queues.queues import queue_findings
from celtop.model.observations import (
    InspectReply,
    QuestionsAnswered,
    QueueGone,
    QueueHead,
    QueueMeasured,
)
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW, WORKER, Script, play


def unattended(name: str, *heads: QueueHead) -> Finding:
    """Return the finding on a queue next to `billing`, whose worker registers `bill.pay`."""
    state = ClusterState()
    state.observe(InspectReply(WORKER, "active_queues", [{"name": "billing"}], NOW))
    state.observe(InspectReply(WORKER, "registered", ["bill.pay"], NOW))
    state.observe(QuestionsAnswered(("workers",), NOW))
    state.observe(QueueMeasured(name, NOW, 3, heads=heads))
    state.tick(NOW)
    (one,) = queue_findings(state, NOW)
    assert one.code == "queue-without-consumers"
    return one


def test_a_worker_is_missing() -> None:
    one = unattended("reports", QueueHead("1", name="report.make"))
    assert one.next_step == "Start a worker for it, or add a consumer"


def test_the_name_is_misspelled() -> None:
    one = unattended("biling", QueueHead("1", name="bill.pay"))
    assert one.next_step == (
        "Check its name: billing has consumers. Otherwise start a worker for it"
    )
    assert one.evidence["similar_queue"] == "billing"


def test_the_task_is_registered_by_workers_of_another_queue() -> None:
    one = unattended("celery", QueueHead("1", name="bill.pay"))
    assert one.next_step == (
        "Start a worker for it, or add a consumer; or route bill.pay to billing, whose workers "
        "register it"
    )
    assert one.evidence["their_queues"] == ["billing"]


def test_tasks_are_sent_to_a_queue_that_does_not_exist() -> None:
    """A task sent before its queue was missed may have been in it, and one sent since, again."""
    state = ClusterState()
    for id_, sent_at in (("before", NOW - 10), ("lost", NOW + 10), ("since", NOW + 30)):
        play(Script(id_, sent_at).sent(queue="gone").events, state)
    received = Script("received", NOW + 10).sent(queue="gone").received()
    play(received.events, state)
    state.observe(QueueMeasured("gone", NOW, is_missing=True))
    assert list(queue_findings(state, NOW)) == []
    state.observe(QueueMeasured("gone", NOW + 20, is_missing=True))
    (one,) = queue_findings(state, NOW + 20)
    assert (one.code, one.name) == ("queue-missing", "gone")
    assert one.text == "no queue of this name on the broker; 1 pending task sent to it"
    state.observe(QueueMeasured("gone", NOW + 40, 0))
    assert list(queue_findings(state, NOW + 40)) == []


def test_a_queue_is_missing_since_it_was_found_to_be_gone() -> None:
    state = ClusterState()
    state.observe(QueueMeasured("gone", NOW, 0))
    state.observe(QueueGone("gone", NOW + 1))
    play(Script("lost", NOW + 10).sent(queue="gone").events, state)
    state.observe(QueueMeasured("gone", NOW + 20, is_missing=True))
    (one,) = queue_findings(state, NOW + 20)
    assert one.evidence["missing_since_at"] == NOW + 1


def test_it_is_as_old_as_the_lack_of_consumers_not_as_its_last_message() -> None:
    state = ClusterState()
    mail = [{"name": "mail"}]
    for ago, queues in ((900, mail), (800, []), (760, mail), (720, [])):
        state.observe(InspectReply(WORKER, "active_queues", queues, NOW - ago))
        state.observe(QuestionsAnswered(("workers",), NOW - ago))
        state.observe(QueueMeasured("mail", NOW - ago, 3))
        state.tick(NOW - ago)
    state.observe(QueueMeasured("mail", NOW, 4))
    state.tick(NOW)
    (one,) = queue_findings(state, NOW)
    assert one.text == "4 messages waiting, no consumers; the last consumer left 12 m ago"
    assert (one.since, one.grew_at) == (NOW - 720, NOW)
    state.observe(QueueMeasured("mail", NOW + 1, 0))
    state.observe(QueueMeasured("mail", NOW + 60, 1))
    state.tick(NOW + 60)
    (one,) = queue_findings(state, NOW + 60)
    assert one.since == NOW + 60


def test_a_queue_whose_worker_is_drained_is_not_paused_by_hand() -> None:
    state = ClusterState()
    queue = state.queues["mail"] = Queue("mail", waiting=3)
    queue.pause = Pause((WORKER,), NOW - 5, "ann", drained=True)
    (one,) = queue_findings(state, NOW)
    assert one.text == f"no consumers: {WORKER} drained by ann 5.0 s ago; waiting: 3 messages"
    assert one.next_step.startswith("Start another worker for it, or undo the drain")
    queue.pause = Pause((WORKER,), NOW - 5, "ann")
    (one,) = queue_findings(state, NOW)
    assert one.text == "paused by ann 5.0 s ago; waiting: 3 messages"
