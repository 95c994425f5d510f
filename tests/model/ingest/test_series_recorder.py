"""The last hour, recorded once per step from what the model counts anyway."""

from __future__ import annotations

from math import isnan
from typing import Any

import pytest
from celtop.model.entities.broker import BrokerPhase
from celtop.model.entities.result import ResultMeta
from celtop.model.entities.series.time_series import STEP
from celtop.model.ingest import series_recorder
from celtop.model.observations import (
    ConnectionChanged,
    QueueHead,
    QueueMeasured,
    ResultsRead,
)
from celtop.model.state import ClusterState
from celtop.model.wire.events import EventBatch
from celtop.tests.model.streams import NOW, WORKER, Script, event


def beat(state: ClusterState, at: float, worker: str = WORKER, **fields: object) -> None:
    counts = {"freq": 2.0, "active": 1, "processed": 10, "loadavg": [1.5, 1.0, 0.5]}
    told = {"type": "worker-heartbeat", "hostname": worker, "timestamp": at, "pid": 7}
    state.observe(EventBatch((event({**told, **counts, **fields}),), at))


def run(state: ClusterState, at: float, *ends: str, **fields: Any) -> None:
    """Let a task of a name end in each way at a time."""
    for number, end in enumerate(ends):
        id_ = f"{at}-{number}-{fields}"
        script = Script(id_, at=at - 1.0, step=0.1).received(**fields).started()
        events = getattr(script, end)().events
        state.observe(EventBatch(tuple(map(event, events)), at))


@pytest.fixture
def state() -> ClusterState:
    """A cluster of which one step has been recorded, so that the next has a beginning."""
    state = ClusterState()
    run(state, NOW - 1, "succeeded")
    state.tick(NOW)
    return state


def test_the_rates_of_a_step(state: ClusterState) -> None:
    run(state, NOW + 2, "succeeded", "succeeded", "succeeded", "failed", "retried", "revoked")
    for second in range(STEP + 1):
        state.tick(NOW + second)
    cluster = state.series.cluster
    assert cluster.last("succeeded") == pytest.approx(3 / STEP)
    assert cluster.last("failed") == cluster.last("retried") == pytest.approx(1 / STEP)
    assert cluster.last("revoked") == pytest.approx(1 / STEP)
    assert state.series.end == NOW + STEP
    assert isnan(cluster.window("succeeded", state.series.newest - 2, 1)[0])


def test_a_step_without_tasks_is_0_and_has_no_percentiles(state: ClusterState) -> None:
    state.tick(NOW + STEP)
    cluster = state.series.cluster
    assert cluster.last("succeeded") == 0.0
    assert cluster.last("runtime_p95") is cluster.last("wait_p95") is None


def test_nothing_is_known_while_disconnected_or_suspended(state: ClusterState) -> None:
    state.observe(ConnectionChanged("live", NOW))
    state.observe(ConnectionChanged("lost", NOW + 1))
    state.tick(NOW + STEP)
    assert state.series.cluster.last("succeeded") is None
    state.observe(ConnectionChanged("live", NOW + 6))
    state.tick(NOW + 2 * STEP)
    assert state.series.cluster.last("succeeded") == 0.0
    state.tick(NOW + 50 * STEP)
    assert state.series.cluster.last("succeeded") is None


def test_percentiles_are_those_of_the_step_alone(state: ClusterState) -> None:
    for number in range(20):
        script = Script(f"slow-{number}", at=NOW).received().started().succeeded(runtime=40.0)
        state.observe(EventBatch(tuple(map(event, script.events)), NOW + 3))
    state.tick(NOW + STEP)
    run(state, NOW + STEP + 1, "succeeded")
    state.tick(NOW + 2 * STEP)
    kind = state.series.types.series("shop.bill")
    assert kind is not None
    assert kind.window("runtime_p95", state.series.newest, 2) == pytest.approx([40, 0.5], rel=0.06)
    assert kind.window("succeeded", state.series.newest, 2) == pytest.approx([4, 0.2])
    cluster = state.series.cluster
    assert cluster.last("runtime_p95") == pytest.approx(kind.last("runtime_p95"))
    assert cluster.last("wait_p95") == kind.last("wait_p95")


def test_run_times_of_loaded_tasks_are_not_those_of_the_step(state: ClusterState) -> None:
    def load(id_: str) -> None:
        meta = ResultMeta(id_, "SUCCESS", name="shop.bill", started_at=NOW - 900, done_at=NOW - 800)
        state.observe(ResultsRead((meta,), NOW, "history"))

    load("earlier")
    state.tick(NOW + STEP)
    kind = state.series.types.series("shop.bill")
    assert kind is not None and kind.last("runtime_p95") is None
    assert state.series.cluster.last("runtime_p95") is None
    assert state.types["shop.bill"].runtime.max == 100.0
    load("earlier-too")
    run(state, NOW + STEP + 1, "succeeded")
    state.tick(NOW + 2 * STEP)
    assert kind.last("runtime_p95") == pytest.approx(0.5, rel=0.06)


def test_a_new_task_type_is_recorded_from_its_first_task(state: ClusterState) -> None:
    run(state, NOW + 1, "failed", name="shop.new")
    state.tick(NOW + STEP)
    kind = state.series.types.series("shop.new")
    assert kind is not None
    assert kind.last("failed") == pytest.approx(1 / STEP)


def test_a_measured_depth_holds_for_a_while(state: ClusterState) -> None:
    state.observe(QueueMeasured("billing", NOW, waiting=7))
    state.observe(QueueMeasured("mail", NOW, waiting=2))
    state.tick(NOW + STEP)
    queue = state.series.queues.series("billing")
    assert queue is not None
    assert queue.last("waiting") == 7
    assert queue.last("out_per_s") is None
    assert state.series.cluster.last("waiting") == 9
    state.tick(NOW + 100)
    assert queue.last("waiting") is state.series.cluster.last("waiting") is None


def test_no_depth_is_taken_to_hold_while_the_broker_is_unreachable(state: ClusterState) -> None:
    state.observe(ConnectionChanged("live", NOW))
    state.observe(QueueMeasured("mail", NOW, waiting=2))
    state.observe(ConnectionChanged("blocked", NOW + 1))
    state.tick(NOW + STEP)
    queue = state.series.queues.series("mail")
    assert queue is not None and queue.last("waiting") == 2
    phases: tuple[BrokerPhase, ...] = ("lost", "connecting")
    for step, phase in enumerate(phases, 2):
        state.observe(ConnectionChanged(phase, NOW + step * STEP - 1))
        state.tick(NOW + step * STEP)
        assert queue.last("waiting") is state.series.cluster.last("waiting") is None
    state.observe(ConnectionChanged("live", NOW + 4 * STEP - 1))
    state.observe(QueueMeasured("mail", NOW + 4 * STEP - 1, waiting=3))
    state.tick(NOW + 4 * STEP)
    assert queue.last("waiting") == 3


def test_a_worker_and_what_happened_to_it(state: ClusterState) -> None:
    beat(state, NOW + 1, active=3)
    state.tick(NOW + STEP)
    beat(state, NOW + STEP + 1)
    run(state, NOW + STEP + 1, "succeeded", "failed")
    state.tick(NOW + 2 * STEP)
    worker = state.series.workers.series(WORKER)
    assert worker is not None
    assert worker.window("busy", state.series.newest, 2) == [3, 1]
    assert worker.last("per_s") == pytest.approx(2 / STEP)
    assert worker.last("load") == 1.5
    assert state.series.cluster.last("busy") == state.series.cluster.last("online") == 1
    for second in range(11, 60):
        state.tick(NOW + second)
    assert worker.last("busy") is None
    beat(state, NOW + 61, type="worker-online")
    assert [mark.kind for mark in state.series.marks] == ["lost", "started"]


def test_a_worker_without_task_events_counts_by_its_heartbeats() -> None:
    state = ClusterState()
    for step, processed in enumerate((10, 40, 5)):
        beat(state, NOW + step * STEP - 1, processed=processed)
        state.tick(NOW + step * STEP)
    worker = state.series.workers.series(WORKER)
    assert worker is not None
    per_s = worker.window("per_s", state.series.newest, 3)
    assert per_s[1] == pytest.approx(30 / STEP)
    assert isnan(per_s[2])  # it has restarted


def test_the_clock_is_set_back(state: ClusterState) -> None:
    state.tick(NOW - 1_000)
    state.tick(NOW - 1_000 + STEP)
    assert state.series.end == NOW - 1_000 + STEP
    assert state.series.cluster.last("succeeded") == 0.0


def test_active_subjects_take_the_place_of_idle_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series_recorder, "MAX_SUBJECTS", 2)
    state = ClusterState()
    for name in ("a", "b"):
        run(state, NOW, "succeeded", name=name)
    state.tick(NOW + STEP)
    run(state, NOW + STEP + 1, "succeeded", name="c")
    state.tick(NOW + 2 * STEP)
    assert set(state.series.types) == {"a", "b"}
    late = NOW + (series_recorder.IDLE_STEPS + 5) * STEP
    run(state, late - 10, "succeeded", name="a")
    state.tick(late - 5)
    run(state, late - 1, "succeeded", name="c")
    state.tick(late)
    assert set(state.series.types) == {"a", "c"}


def test_the_ages_of_a_queue_are_recorded() -> None:
    state = ClusterState()
    due, later = QueueHead("a", NOW - 30), QueueHead("b", NOW - 90, eta_at=NOW + 500)
    seen = QueueMeasured("mail", NOW, 2, heads=(later,), runnable=(due,))
    state.observe(seen)
    state.observe(QueueMeasured("empty", NOW, 0))
    state.tick(NOW + 5)
    state.tick(NOW + 10)
    series = state.series.queues.series("mail")
    assert series is not None
    assert (series.last("oldest"), series.last("runnable")) == (90.0, 30.0)
    empty = state.series.queues.series("empty")
    assert empty is not None and empty.last("oldest") == 0.0
    # None may run yet.
    state.observe(QueueMeasured("mail", NOW + 10, 1, heads=(later,), runnable=(), due_at=NOW + 500))
    state.tick(NOW + 15)
    assert (series.last("oldest"), series.last("runnable")) == (100.0, 0.0)
