from __future__ import annotations

from celtop.model.entities.fault import Fault
from celtop.model.health.broker.questions import failures
from celtop.model.health.findings import findings
from celtop.model.observations import (
    InspectReply,
    QuestionsAnswered,
    QuestionsAsked,
    QuestionsFailed,
    QueueMeasured,
)
from celtop.model.state import ClusterState
from celtop.model.wire.events import EventBatch
from celtop.tests.model.streams import NOW, OTHER, WORKER

MEMORY = Fault("memory", "localhost is out of memory and refuses writes", "Free memory")
NO_REPLY = Fault("no-reply", "no reply", "")


def online(*names: str) -> ClusterState:
    state = ClusterState()
    for name in names:
        state.observe(InspectReply(name, "stats", {}, NOW))
    return state


def test_an_empty_cluster_has_no_findings() -> None:
    assert findings(ClusterState(), NOW) == ()


def test_the_worst_finding_comes_first() -> None:
    state = online(WORKER)
    state.observe(QueueMeasured("orphan", NOW, 1, consumer_count=0))
    state.observe(QuestionsFailed("worker", ("active",), NOW, NO_REPLY, (WORKER,)))
    assert [one.severity for one in findings(state, NOW)] == ["error", "warning"]


def test_commands_that_failed_alike_are_one_finding() -> None:
    state = online(WORKER)
    state.observe(QuestionsFailed("worker", ("active", "reserved"), NOW, NO_REPLY, (WORKER,)))
    (one,) = findings(state, NOW + 1)
    assert (one.code, one.subject) == ("worker-inspect-failed", f"worker {WORKER}")
    assert one.text == "inspect active, reserved failed: no reply; its values are unknown"
    assert one.incomplete
    state.observe(InspectReply(WORKER, "active", [], NOW + 2))
    state.observe(InspectReply(WORKER, "reserved", [], NOW + 2))
    assert findings(state, NOW + 3) == ()


def test_a_fault_of_the_whole_cluster_is_not_repeated_for_each_worker() -> None:
    state = online(WORKER, OTHER)
    state.observe(QuestionsFailed("cluster", ("workers",), NOW, MEMORY))
    state.observe(QuestionsFailed("worker", ("active",), NOW, MEMORY, (WORKER, OTHER)))
    (one,) = findings(state, NOW)
    assert str(one) == (
        "the list of workers may be incomplete: localhost is out of memory and refuses writes. "
        "Free memory"
    )
    state.observe(QuestionsAnswered(("workers",), NOW + 1))
    assert {one.name for one in findings(state, NOW + 1)} == {WORKER, OTHER}


def test_workers_without_task_events_are_one_finding() -> None:
    state = online(WORKER, OTHER)
    state.observe(InspectReply(WORKER, "enable_events", {"ok": "task events enabled"}, NOW))
    assert [one.code for one in findings(state, NOW)] == []
    refusal = {"error": "event dispatcher unavailable"}
    state.observe(InspectReply(OTHER, "enable_events", refusal, NOW))
    (one,) = findings(state, NOW + 1)
    assert (one.code, one.subject) == ("workers-without-events", "workers")
    assert str(one) == (
        "1 of 2 workers cannot send task events: short tasks are missed, and rates are unknown "
        f"({OTHER}). Start them with -E, or without --without-gossip and --without-heartbeat"
    )


def test_workers_whose_task_events_were_disabled_can_be_enabled_again() -> None:
    state = online(WORKER, OTHER)
    state.observe(InspectReply(WORKER, "disable_events", {"ok": "task events disabled"}, NOW))
    (one,) = findings(state, NOW + 1)
    assert one.code == "workers-events-off"
    assert one.text.startswith("task events are off on 1 of 2 workers: short")
    assert one.next_step == "Run celtop control enable-events, or start them with -E"
    state.observe(InspectReply(WORKER, "enable_events", {"ok": "task events enabled"}, NOW))
    assert findings(state, NOW + 1) == ()


def test_a_worker_that_replies_to_other_commands_has_a_hint_in_its_log() -> None:
    state = online(WORKER)
    asked = QuestionsAsked("worker", ("stats", "active"), NOW + 1, (WORKER,))
    state.observe(asked)
    state.observe(QuestionsFailed("worker", ("active",), NOW + 3, NO_REPLY, (WORKER,)))
    (one,) = findings(state, NOW + 3)
    assert one.next_step == ""
    state.observe(InspectReply(WORKER, "stats", {}, NOW + 2))
    (one,) = findings(state, NOW + 3)
    assert one.next_step.startswith("It replies to other commands")
    assert failures(state.workers[WORKER]) == ["inspect active failed: no reply"]


def test_unreadable_events_are_reported_with_their_reason() -> None:
    state = ClusterState()
    state.observe(EventBatch((), NOW, ("unsupported content type application/x-msgpack",)))
    (one,) = findings(state, NOW)
    assert str(one) == (
        "1 event could not be read and was ignored: unsupported content type "
        "application/x-msgpack. Set event_serializer of the workers to json"
    )
    state.observe(EventBatch((), NOW, ("no hostname", "no hostname")))
    (one,) = findings(state, NOW)
    assert str(one) == "3 events could not be read and were ignored, mostly: no hostname"
