"""Tasks whose state is checked with the workers and the result backend."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from celtop.model.entities.result import ResultMeta
from celtop.model.ingest.tasks.reconciler import (
    MAX_CHECKS,
    MAX_IDS_AT_ONCE,
    MIN_RECHECK_DELAY,
    RECENT_SECONDS,
    START_TRUSTED_SECONDS,
)
from celtop.model.ingest.workers.worker_store import FINAL_EVENT_DELAY
from celtop.model.observations import (
    ConnectionChanged,
    EventsDropped,
    InspectReply,
    QueueMeasured,
    QueuePeeked,
    ResultsRead,
    WaitingMessage,
)
from celtop.model.state import ClusterState
from celtop.model.wire.events import EventBatch
from celtop.tests.model.streams import NOW, OTHER, WORKER, Script, event, play, tick


def live() -> ClusterState:
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW - 10))
    return state


def beat(state: ClusterState, at: float, worker: str = WORKER) -> None:
    heartbeat = {"type": "worker-heartbeat", "hostname": worker, "timestamp": at, "freq": 2.0}
    state.observe(EventBatch((event({**heartbeat, "active": 0, "processed": 0, "pid": 7}),), at))


def observe_reply(
    state: ClusterState,
    command: str,
    reply: Any,
    at: float,
    worker: str = WORKER,
    asked: tuple[str, ...] = (),
) -> None:
    state.observe(InspectReply(worker, command, reply, at, requested_ids=asked))


def item(id_: str = "a", worker: str = WORKER, **fields: Any) -> dict[str, Any]:
    return {"id": id_, "name": "shop.bill", "hostname": worker, "time_start": NOW + 2, **fields}


def swept(state: ClusterState, now: float) -> tuple[str, ...]:
    state.tick(now)
    state.tick(now)
    return state.tasks_to_check(now)


def test_an_active_task_is_not_checked() -> None:
    state = live()
    play(Script("a").received().started().events, state)
    observe_reply(state, "active", [item()], NOW + 10)
    for now in (NOW + 10, NOW + 10 + START_TRUSTED_SECONDS):
        beat(state, now)
        assert swept(state, now) == ()


def test_a_task_known_only_from_its_start_is_checked() -> None:
    state = live()
    play(Script("a").received().started().events, state)
    beat(state, NOW + START_TRUSTED_SECONDS)
    assert swept(state, NOW + START_TRUSTED_SECONDS) == ()
    beat(state, NOW + START_TRUSTED_SECONDS + 3)
    assert swept(state, NOW + START_TRUSTED_SECONDS + 3) == ("a",)


def test_a_task_running_only_in_the_backend_is_checked() -> None:
    state = live()
    state.observe(ResultsRead((ResultMeta("a", "PROGRESS"),), NOW, "history"))
    assert swept(state, NOW + RECENT_SECONDS - 1) == ()
    assert swept(state, NOW + RECENT_SECONDS + 1) == ("a",)


def test_a_task_that_its_worker_no_longer_has_is_checked() -> None:
    state = live()
    play([*Script("a").received().events, *Script("b").received().events], state)
    observe_reply(state, "reserved", [item("b", time_start=None)], NOW + 9)
    beat(state, NOW + 10)
    assert swept(state, NOW + 10) == ("a",)


@pytest.mark.parametrize(("waiting", "expected"), [(0, ("a",)), (3, ()), (None, ("a",))])
def test_a_task_that_left_its_queue_without_being_received_is_checked(
    waiting: int | None, expected: tuple[str, ...]
) -> None:
    state = live()
    play(Script("a").sent().events, state)
    state.observe(QueueMeasured("celery", NOW + 5, waiting=waiting))
    assert swept(state, NOW + 10) == expected


def test_every_task_is_checked_once_after_a_disconnection() -> None:
    state = live()
    play([*Script("a").received().started().events, *Script("b").sent().events], state)
    state.observe(QueueMeasured("celery", NOW + 3, waiting=9))
    observe_reply(state, "active", [item()], NOW + 4)
    state.observe(ConnectionChanged("lost", NOW + 4))
    state.observe(ConnectionChanged("live", NOW + 20))
    assert swept(state, NOW + 20) == ("a", "b"), "what runs before what waits"
    observe_reply(state, "query_task", {"a": ["active", item()]}, NOW + 21, asked=("a", "b"))
    state.observe(ResultsRead((), NOW + 21, "poll", absent=("b",)))
    state.observe(ResultsRead((ResultMeta("a", "STARTED"),), NOW + 21, "poll"))
    beat(state, NOW + 22)
    assert swept(state, NOW + 22) == ()


def test_every_task_is_checked_after_events_were_dropped() -> None:
    state = live()
    play(Script("a").received().started().events, state)
    observe_reply(state, "active", [item()], NOW + 4)
    state.observe(EventsDropped(0, 5, NOW + 6))
    assert swept(state, NOW + 7) == ("a",)


def test_an_end_during_a_disconnection_is_found_in_the_backend() -> None:
    state = live()
    play(Script("a").received().started().events, state)
    state.observe(ConnectionChanged("lost", NOW + 3))
    state.observe(ConnectionChanged("live", NOW + 10))
    assert swept(state, NOW + 10) == ("a",)
    done = ResultMeta("a", "SUCCESS", 3, done_at=NOW + 5)
    state.observe(ResultsRead((done,), NOW + 11, "poll"))
    assert swept(state, NOW + 11 + FINAL_EVENT_DELAY) == ()
    assert state.tasks["a"].state == "SUCCESS"
    assert state.totals.corrections == {"finished": 1}


def test_a_task_missing_in_workers_and_backend_is_unknown() -> None:
    state = live()
    play(Script("a").received().started().events, state)
    observe_reply(state, "active", [], NOW + 70)
    state.tick(NOW + 70 + FINAL_EVENT_DELAY)
    task = state.tasks["a"]
    assert task.loss == "unheard"
    now = NOW + 74
    beat(state, now)
    assert swept(state, now) == ("a",)
    state.observe(ResultsRead((), now, "poll", absent=("a",)))
    assert task.loss == "unheard"
    observe_reply(state, "query_task", {}, now, asked=("a",))
    assert (task.loss, task.state) == ("unknown", "STARTED")
    beat(state, now + 5)
    state.tick(now + 5)
    assert state.totals.corrections == {"unknown": 1}
    assert "1 task unknown to the workers and the result backend" in state.log[-1].text


def test_all_workers_are_asked_about_a_task_of_an_unknown_worker() -> None:
    state = live()
    for name in (WORKER, OTHER):
        beat(state, NOW, name)
    state.observe(ResultsRead((ResultMeta("a", "PROGRESS"),), NOW, "history"))
    for name in (WORKER, OTHER):
        beat(state, NOW + 6, name)
    assert swept(state, NOW + 6) == ("a",)
    observe_reply(state, "query_task", {}, NOW + 7, asked=("a",))
    assert state.tasks["a"].running
    observe_reply(state, "query_task", {}, NOW + 7, OTHER, asked=("a",))
    assert state.tasks["a"].loss == "unheard", "the backend has it"


def test_the_final_event_of_a_task_that_its_worker_lacks_may_follow() -> None:
    state = live()
    play(Script("a").received().started().events, state)
    observe_reply(state, "query_task", {}, NOW + 10, asked=("a",))
    task = state.tasks["a"]
    assert task.running
    state.tick(NOW + 10 + FINAL_EVENT_DELAY)
    assert task.loss == "unheard"


def test_a_start_just_before_a_reply_is_trusted() -> None:
    state = live()
    play(Script("a").received().started().events, state)
    observe_reply(state, "query_task", {}, NOW + 2.5, asked=("a",))
    beat(state, NOW + 9)
    state.tick(NOW + 9)
    assert state.tasks["a"].running


def test_an_error_is_no_reply() -> None:
    state = live()
    play(Script("a").received().started().events, state)
    failed = InspectReply(WORKER, "query_task", {"error": "x"}, NOW + 9, "x", requested_ids=("a",))
    state.observe(failed)
    beat(state, NOW + 20)
    state.tick(NOW + 20)
    assert state.tasks["a"].running


def test_the_delay_between_checks_grows() -> None:
    state = live()
    state.observe(ResultsRead((ResultMeta("a", "PROGRESS"),), NOW, "history"))
    asked = []
    for second in range(6, 200):
        now = NOW + second
        state.tick(now)
        if state.tasks_to_check(now):
            asked.append(second)
            state.observe(ResultsRead((ResultMeta("a", "PROGRESS"),), now, "poll"))
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert gaps[0] == MIN_RECHECK_DELAY
    assert gaps == sorted(gaps) and gaps[-1] > gaps[0]


def test_tasks_to_check_are_bounded() -> None:
    state = ClusterState()
    for number in range(MAX_CHECKS + 200):
        play(Script(f"p-{number}").sent().events, state)
    metas = tuple(ResultMeta(f"r-{number}", "PROGRESS") for number in range(50))
    state.observe(ResultsRead(metas, NOW, "history"))
    due = swept(state, NOW + 60)
    assert len(due) == MAX_IDS_AT_ONCE
    assert set(due[:50]) == {meta.id for meta in metas}
    assert len(state._reconciler._checks) == MAX_CHECKS + 50


def test_a_task_in_progress_is_lost_with_its_worker_even_without_a_start_event() -> None:
    state = live()
    beat(state, NOW)
    meta = ResultMeta("a", "STARTED", {"hostname": WORKER, "pid": 1})
    state.observe(ResultsRead((meta,), NOW, "push"))
    beat(state, NOW + 2)
    for second in range(3, 25):
        tick(state, NOW + second)
    assert state.tasks["a"].loss == "worker"
    assert state.totals.corrections == {"lost": 1}


def killed() -> ClusterState:
    """Three tasks running on a killed worker."""
    state = live()
    beat(state, NOW)
    for id_ in ("a", "b", "c"):
        play(Script(id_).received().started().events, state)
    beat(state, NOW + 3)
    window = state.workers[WORKER].frequency * 8
    tick(state, NOW + 3 + window)
    assert all(state.tasks[id_].running for id_ in "abc")
    tick(state, NOW + 3 + window + 1)
    assert {state.tasks[id_].loss for id_ in "abc"} == {"worker"}
    return state


def test_the_tasks_of_a_killed_worker_are_lost_within_its_heartbeat_window() -> None:
    state = killed()
    assert state.totals.corrections == {"lost": 3}
    assert state.log[-1].text.startswith(f"3 tasks lost with {WORKER}: shop.bill a")


def test_a_redelivered_task_is_no_longer_lost() -> None:
    state = killed()
    play(Script("a", NOW + 60).on(OTHER).received().started().events, state)
    task = state.tasks["a"]
    assert (task.running, task.worker, task.loss) == (True, OTHER, None)
    assert (task.attempts[0].worker, task.attempts[0].state) == (WORKER, "STARTED")
    observe_reply(state, "active", [item("b", OTHER, time_start=NOW + 61)], NOW + 62, OTHER)
    other = state.tasks["b"]
    assert (other.running, other.worker, other.started_at) == (True, OTHER, NOW + 61)
    observe_reply(state, "reserved", [item("c", OTHER, time_start=None)], NOW + 62, OTHER)
    third = state.tasks["c"]
    assert (third.state, third.worker, third.lost_at) == ("RECEIVED", OTHER, None)
    assert state.totals.corrections == {"lost": 3, "redelivered": 3}
    play(Script("b", NOW + 70).on(OTHER).succeeded().events, state)
    assert (other.state, other.attempts[0].worker) == ("SUCCESS", WORKER)


def test_a_disconnected_worker_keeps_its_tasks() -> None:
    state = killed()
    observe_reply(state, "active", [item("a"), item("b"), item("c")], NOW + 40)
    assert all(state.tasks[id_].running for id_ in "abc")
    assert state.totals.corrections == {"lost": 3, "running": 3}
    assert state.tasks["a"].attempts == ()


def test_a_redelivery_before_its_worker_is_lost_is_counted() -> None:
    """RabbitMQ hands out at once what a connection leaves behind."""
    state = live()
    script = Script("a").received().started().on(OTHER).received().started()
    play(script.events, state)
    task = state.tasks["a"]
    assert (task.worker, task.running) == (OTHER, True)
    assert task.extra is not None and task.extra.redelivered
    assert state.totals.corrections == {"redelivered": 1}
    state.tick(NOW + 9)
    assert state.log[-1].text == "1 task redelivered (previously running): shop.bill a"
    retried = Script("b").received().started().retried().received(1).started()
    play(retried.events, state)
    late = Script("c").received().started().received(1).retried()
    play(late.events, state)
    assert state.totals.corrections == {"redelivered": 1}


def test_only_its_own_worker_completes_the_check_of_a_task() -> None:
    state = live()
    beat(state, NOW, OTHER)
    play(Script("a").received().started().events, state)
    state.observe(EventsDropped(0, 5, NOW + 4))
    observe_reply(state, "active", [item()], NOW + 5)
    assert swept(state, NOW + 6) == ("a",)
    observe_reply(state, "query_task", {}, NOW + 6, OTHER, asked=("a",))
    state.tick(NOW + 7)
    assert len(state._reconciler._checks) == 1
    observe_reply(state, "query_task", {"a": ["active", item()]}, NOW + 7, asked=("a",))
    state.tick(NOW + 8)
    assert len(state._reconciler._checks) == 0
    assert state.tasks["a"].running


def test_a_lost_task_that_a_worker_reports_is_running() -> None:
    state = killed()
    reply = {"a": ["active", item("a")], "b": ["active", item("b", OTHER, time_start=NOW + 30)]}
    observe_reply(state, "query_task", {"a": reply["a"]}, NOW + 40, asked=("a", "b", "c"))
    observe_reply(state, "query_task", {"b": reply["b"]}, NOW + 40, OTHER, asked=("a", "b", "c"))
    assert (state.tasks["a"].running, state.tasks["a"].worker) == (True, WORKER)
    assert (state.tasks["b"].running, state.tasks["b"].worker) == (True, OTHER)
    assert state.tasks["c"].loss == "worker"
    assert "a" in state.workers[WORKER].active_ids and "b" in state.workers[OTHER].active_ids
    assert state.totals.corrections == {"lost": 3, "running": 1, "redelivered": 1}


def emptied(unacked: int | None = 0, **sent: Any) -> ClusterState:
    """A task whose queue was measured with it, and then twice as empty."""
    state = live()
    beat(state, NOW + 1)
    state.observe(EventBatch((event(Script("b", at=NOW).received().events[0]),), NOW + 1))
    state.observe(EventBatch((event(Script("b", at=NOW + 1).succeeded().events[0]),), NOW + 2))
    state.observe(EventBatch((event(Script("a", at=NOW).sent(**sent).events[0]),), NOW + 1))
    state.observe(QueueMeasured("celery", NOW + 2, 1, unacked))
    state.observe(QueueMeasured("celery", NOW + 8, 0, unacked))
    swept(state, NOW + 8)
    beat(state, NOW + 12)
    state.observe(QueueMeasured("celery", NOW + 13, 0, unacked))
    return state


def test_a_task_of_an_emptied_queue_is_gone() -> None:
    state = emptied()
    assert state.tasks["a"].lost_at is None
    state.tick(NOW + 13)
    assert (state.tasks["a"].state, state.tasks["a"].loss) == ("PENDING", "emptied")
    assert state.totals.corrections == {"emptied": 1}
    assert "queue was emptied" in [entry.text for entry in state.log][-1]
    assert swept(state, NOW + 14) == ()


def test_an_empty_queue_alone_does_not_prove_that_it_was_emptied() -> None:
    state = emptied()
    state.observe(QueueMeasured("celery", NOW + 13, 1, 0))
    state.tick(NOW + 13)
    assert state.tasks["a"].lost_at is None, "the message is there"
    state = emptied(eta="2023-11-14T22:14:20+00:00")
    state.tick(NOW + 13)
    assert state.tasks["a"].lost_at is None, "it may wait elsewhere for its time"
    state = emptied()
    state.observe(EventsDropped(0, 1, NOW + 9))
    state.tick(NOW + 13)
    assert state.tasks["a"].lost_at is None, "its events may have been dropped"


def test_unacknowledged_messages_may_be_the_task() -> None:
    for unacked in (None, 3):
        state = emptied(unacked)
        state.tick(NOW + 13)
        assert state.tasks["a"].lost_at is None
        observe_reply(state, "query_task", {}, NOW + 13, asked=("a",))
        state.tick(NOW + 14)
        assert state.tasks["a"].loss == "emptied"


def test_a_task_that_is_received_after_all_is_no_longer_gone() -> None:
    state = emptied()
    state.tick(NOW + 13)
    play(Script("a", at=NOW + 14).received().events, state)
    assert (state.tasks["a"].state, state.tasks["a"].lost_at) == ("RECEIVED", None)


def test_a_message_that_left_a_queue_with_others_is_checked() -> None:
    """Its worker sends no events, and the queue never becomes empty."""
    state = live()
    beat(state, NOW)
    state.observe(InspectReply(WORKER, "enable_events", {"error": "no dispatcher"}, NOW))
    waiting = [WaitingMessage(id_, "geo.resize", "geo") for id_ in ("a", "b", "c")]
    state.observe(QueuePeeked("geo", tuple(waiting), NOW, complete=True))
    state.observe(QueueMeasured("geo", NOW, waiting=3))
    assert swept(state, NOW + 10) == ()
    state.observe(QueuePeeked("geo", tuple(waiting[1:]), NOW + 10, complete=True))
    state.observe(QueueMeasured("geo", NOW + 10, waiting=2))
    assert swept(state, NOW + 20) == ("a",)
