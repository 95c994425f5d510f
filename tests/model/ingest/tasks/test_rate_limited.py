"""Tasks that a worker holds back by a rate limit are in none of its lists."""

from __future__ import annotations

from typing import Any

from celtop.export.snapshot.snapshot import task_record
from celtop.model.entities.task import Task
from celtop.model.ingest.tasks.rate_limited import held_by_type
from celtop.model.ingest.tasks.reconciler import MIN_RECHECK_DELAY
from celtop.model.ingest.workers.stalled_workers import STALLED_AFTER
from celtop.model.observations import ConnectionChanged, InspectReply, QueueMeasured, ResultsRead
from celtop.model.state import ClusterState
from celtop.model.wire.events import EventBatch
from celtop.tests.model.streams import NOW, WORKER, Script, event, play

LISTS = ("active", "reserved", "scheduled")


def reply(state: ClusterState, command: str, value: Any, at: float) -> None:
    ids = ("a",) if command == "query_task" else ()
    state.observe(InspectReply(WORKER, command, value, at, requested_ids=ids))


def tick(state: ClusterState, now: float) -> None:
    beat = {"type": "worker-heartbeat", "hostname": WORKER, "timestamp": now, "freq": 2.0, "pid": 7}
    state.observe(EventBatch((event({**beat, "active": 0, "processed": 0}),), now))
    state.tick(now)
    state.tick(now)


def received(registered: str = "shop.bill [rate_limit=10/m]") -> ClusterState:
    """A worker that has received a task and has answered everything a minute later."""
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW - 10))
    reply(state, "registered", [registered], NOW)
    for command in LISTS:
        reply(state, command, [], NOW)
    play(Script("a").sent().received().events, state)
    tick(state, NOW + 60)
    for command in LISTS:
        reply(state, command, [], NOW + 60)
    tick(state, NOW + 61)
    return state


def ask_all(state: ClusterState, at: float) -> Task:
    """Let worker and result backend answer that they do not have the task."""
    assert state.tasks_to_check(at) == ("a",)
    reply(state, "query_task", {}, at)
    state.observe(ResultsRead((), at, "poll", absent=("a",)))
    tick(state, at + 1)
    return state.tasks["a"]


def test_a_task_that_is_in_no_list_is_held_by_its_rate_limit_and_not_lost() -> None:
    state = received()
    assert state.tasks["a"].held_by == "10/m"
    for number in range(3):
        task = ask_all(state, NOW + 62 + MIN_RECHECK_DELAY * 2 ** (number + 1))
        assert (task.state, task.lost_at, task.held_by) == ("RECEIVED", None, "10/m")
    assert state.totals.corrections == {}
    assert task_record(task, NOW + 99, state).held_by_rate_limit == "10/m"


def test_a_task_without_a_rate_limit_that_is_in_no_list_is_lost() -> None:
    state = received("shop.bill [rate_limit=None]")
    assert state.tasks["a"].held_by is None
    assert ask_all(state, NOW + 62).loss == "unknown"


def test_a_task_is_not_lost_before_the_limits_of_its_worker_are_known() -> None:
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW - 10))
    play(Script("a").sent().received().events, state)
    for command in LISTS:
        reply(state, command, [], NOW + 60)
    tick(state, NOW + 61)
    assert ask_all(state, NOW + 62).lost_at is None


def test_a_free_slot_shows_that_a_task_is_held_even_without_a_new_list() -> None:
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW - 10))
    reply(state, "registered", ["shop.bill [rate_limit=10/m]"], NOW)
    reply(state, "stats", {"pool": {"max-concurrency": 1}}, NOW)
    reply(state, "reserved", [], NOW)
    play(Script("a").received().events, state)
    tick(state, NOW + 10)
    assert state.tasks["a"].held_by == "10/m"
    assert held_by_type(state.workers.values()) == {"shop.bill": 1}
    play(Script("a", at=NOW + 11).started().events, state)
    assert state.tasks["a"].held_by is None
    assert not held_by_type(state.workers.values())


def test_a_limit_that_is_lifted_holds_nothing() -> None:
    state = received()
    reply(state, "registered", ["shop.bill [rate_limit=None]"], NOW + 62)
    tick(state, NOW + 63)
    assert state.tasks["a"].held_by is None
    assert not held_by_type(state.workers.values())


def test_a_worker_whose_prefetch_is_held_back_is_not_stalled() -> None:
    state = received()
    state.observe(InspectReply(WORKER, "active_queues", [{"name": "celery"}], NOW + 61))
    reply(state, "stats", {"pool": {"max-concurrency": 4}, "prefetch_count": 1}, NOW + 61)
    for second in range(62, 62 + int(STALLED_AFTER) * 2):
        state.observe(QueueMeasured("celery", NOW + second, waiting=9))
        tick(state, NOW + second)
    assert state.workers[WORKER].stalled_since is None
