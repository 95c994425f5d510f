"""Workers that send heartbeats but take no tasks."""

from __future__ import annotations

import pytest
from celtop.model.entities.broker import Listening
from celtop.model.ingest.workers.stalled_workers import STALLED_AFTER
from celtop.model.observations import (
    ConnectionChanged,
    ConnectionProved,
    InspectReply,
    QueueMeasured,
)
from celtop.model.state import ClusterState
from celtop.model.wire.events import EventBatch
from celtop.tests.model.streams import NOW, WORKER, Script, event, play


def beat(state: ClusterState, at: float, processed: int = 5) -> None:
    heartbeat = {"type": "worker-heartbeat", "hostname": WORKER, "timestamp": at, "freq": 2.0}
    state.observe(
        EventBatch((event({**heartbeat, "active": 0, "processed": processed, "pid": 7}),), at)
    )


def idle(prefetch: int = 8) -> ClusterState:
    """A worker with two processes that does nothing."""
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW - 10))
    beat(state, NOW)
    pool = {"implementation": "celery.concurrency.prefork:TaskPool", "max-concurrency": 2}
    stats = {"pool": pool, "prefetch_count": prefetch}
    for command, reply in {
        "stats": stats,
        "active": [],
        "reserved": [],
        "active_queues": [{"name": "celery"}],
    }.items():
        state.observe(InspectReply(WORKER, command, reply, NOW))
    return state


def pass_time(
    state: ClusterState, start: float, seconds: float, waiting: int | None = 3, processed: int = 5
) -> None:
    for second in range(int(seconds) + 1):
        now = NOW + start + second
        if second % 5 == 0:
            state.observe(QueueMeasured("celery", now, waiting=waiting))
        beat(state, now, processed)
        state.tick(now)


def health(state: ClusterState, at: float) -> str:
    return state.workers[WORKER].health(state.broker.listening(NOW + at))


def test_a_worker_that_leaves_available_tasks_is_stalled() -> None:
    state = idle()
    pass_time(state, 1, STALLED_AFTER - 1)
    assert health(state, STALLED_AFTER) == "online"
    pass_time(state, STALLED_AFTER + 1, 1)
    worker = state.workers[WORKER]
    assert (health(state, STALLED_AFTER + 2), worker.stalled_since) == ("stalled", NOW + 1)
    assert worker.status(Listening(NOW, NOW + STALLED_AFTER + 2)) == "online"
    text = f"{WORKER} has taken no tasks for 30 s, with 3 messages waiting in celery"
    assert state.log[-1].text == text
    lines = len(state.log)
    pass_time(state, STALLED_AFTER + 3, 20)
    assert len(state.log) == lines, "logged once"
    play(Script("a", NOW + 60).received().events, state)
    pass_time(state, 61, 1)
    assert (health(state, 62), worker.stalled_since) == ("online", None)
    assert state.log[-1].text == f"{WORKER} is taking tasks again"


def test_late_takes_precedence_over_stalled() -> None:
    state = idle()
    pass_time(state, 1, STALLED_AFTER + 2)
    assert health(state, STALLED_AFTER + 4) == "stalled"
    state.observe(ConnectionProved(NOW + STALLED_AFTER + 13))
    assert health(state, STALLED_AFTER + 13) == "late"


@pytest.mark.parametrize("waiting", [0, None])
def test_an_empty_queue_has_no_available_tasks(waiting: int | None) -> None:
    state = idle()
    pass_time(state, 1, 2 * STALLED_AFTER, waiting=waiting)
    assert health(state, 2 * STALLED_AFTER) == "online"


def test_a_worker_that_processes_tasks_without_events_is_not_stalled() -> None:
    state = idle()
    for second in range(0, 100, 10):
        pass_time(state, second, 10, processed=second)
    assert health(state, 100) == "online"


def test_a_worker_without_free_capacity_is_not_stalled() -> None:
    busy = idle()
    for id_ in ("a", "b"):
        play(Script(id_).received().started().events, busy)
    pass_time(busy, 5, 2 * STALLED_AFTER)
    assert health(busy, 2 * STALLED_AFTER + 5) == "online"
    full = idle(prefetch=1)
    play(Script("a").received().events, full)
    pass_time(full, 5, 2 * STALLED_AFTER)
    assert health(full, 2 * STALLED_AFTER + 5) == "online"


def test_an_outdated_depth_is_no_evidence() -> None:
    state = idle()
    state.observe(QueueMeasured("celery", NOW, waiting=3))
    for second in range(1, 100):
        beat(state, NOW + second)
        state.tick(NOW + second)
    assert health(state, 100) == "online"


def test_no_worker_is_stalled_while_disconnected() -> None:
    state = idle()
    pass_time(state, 1, STALLED_AFTER - 5)
    state.observe(ConnectionChanged("lost", NOW + 26))
    for second in range(26, 90):
        state.tick(NOW + second)
    assert state.workers[WORKER].stalled_since is None
    state.observe(ConnectionChanged("live", NOW + 90))
    pass_time(state, 91, STALLED_AFTER - 1)
    assert health(state, 90 + STALLED_AFTER) == "online"
    pass_time(state, 90 + STALLED_AFTER + 1, 1)
    assert health(state, 90 + STALLED_AFTER + 2) == "stalled"
