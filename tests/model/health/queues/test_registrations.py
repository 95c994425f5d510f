"""Findings on tasks that no worker, or the wrong one, registers."""

from __future__ import annotations

from celtop.model.health.queues.registrations import registration_findings
from celtop.model.observations import InspectReply, QuestionsAnswered, QueueHead, QueueMeasured
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event
from celtop.tests.model.streams import NOW, OTHER, WORKER
from celtop.tests.tui.fake_session import feed

HEAD = QueueHead("1", name="geo.tile")


def cluster() -> ClusterState:
    """Return a worker with `mail.send` on `mail`, and another with `geo.tile` on `geo`."""
    state = ClusterState()
    for worker, queue, task in ((WORKER, "mail", "mail.send"), (OTHER, "geo", "geo.tile")):
        state.observe(InspectReply(worker, "stats", {}, NOW))
        state.observe(InspectReply(worker, "active_queues", [{"name": queue}], NOW))
        state.observe(InspectReply(worker, "registered", [task], NOW))
    state.observe(QuestionsAnswered(("workers",), NOW))
    state.tick(NOW)
    return state


def found(state: ClusterState) -> list[str]:
    return [f"{one.code} {one.name}: {one}" for one in registration_findings(state, NOW)]


def test_a_task_waits_where_only_another_worker_registers_it() -> None:
    state = cluster()
    state.observe(QueueMeasured("geo", NOW, 1, heads=(HEAD,)))
    assert found(state) == []
    state.observe(QueueMeasured("mail", NOW, 1, heads=(HEAD,)))
    assert found(state) == [
        "type-misrouted geo.tile: waits in mail and will be discarded: not registered by "
        "celery@one. Route it to geo, consumed by celery@two, or add its module"
    ]


def test_a_sent_task_waits_that_no_worker_registers() -> None:
    state = cluster()
    sent = Event("task-sent", "gen1@web", NOW, uuid="2", name="geo.old", queue="geo")
    feed(state, [sent])
    assert found(state) == []  # it does not wait, by the broker's count
    state.observe(QueueMeasured("geo", NOW, 1))
    assert found(state) == [
        "type-unregistered geo.old: waits in geo and will be discarded: not registered by "
        "celery@two. Add its module to imports or include of the app, and restart the workers"
    ]


def test_nothing_is_concluded_from_a_worker_that_did_not_reply() -> None:
    state = cluster()
    state.workers[WORKER].registered = None
    state.observe(QueueMeasured("mail", NOW, 1, heads=(HEAD,)))
    assert found(state) == []


def test_a_task_was_discarded_by_a_worker_that_does_not_register_it() -> None:
    state = cluster()
    failed = Event("task-failed", WORKER, NOW - 5, uuid="3", exception="NotRegistered('geo.tile')")
    feed(state, [failed])
    state.take_changes()
    assert found(state) == [
        "type-unregistered geo.tile: 1 message discarded, the latest 5.0 s ago: the task is not "
        "registered by celery@one. Route it to geo, consumed by celery@two, or add its module"
    ]
    assert list(registration_findings(state, NOW + 700)) == []
