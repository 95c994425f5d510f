"""The state of an earlier time, compared with a model that has received nothing since."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from celtop.model.entities.series.time_series import STEP, TimeSeries, step_of
from celtop.model.entities.states import FAILURE
from celtop.model.entities.task import Task
from celtop.model.frozen_copy import frozen_copy
from celtop.model.health.tasks.schedule_status import entry_statuses
from celtop.model.health.workers.workers import worker_findings
from celtop.model.ingest.series_recorder import CLUSTER_VALUES
from celtop.model.observations import ConnectionChanged, QueueMeasured, QueuePeeked, WaitingMessage
from celtop.model.past import state_at
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch
from celtop.tests.model.schedules import WORKER as SCHEDULE_WORKER
from celtop.tests.model.schedules import entry, read, watched
from celtop.tests.model.streams import NOW

BEGIN = 1_800_000_000.0
SECONDS = 300


def events(seed: int) -> list[Event]:
    """Return the events of tasks of every kind, in the order of their times."""
    random, found = Random(seed), []
    for number in range(60):
        uuid, at = f"task-{number}", BEGIN + random.uniform(0, SECONDS * 0.8)
        worker = random.choice(("a@host", "b@host"))
        common: dict[str, Any] = {"hostname": worker, "uuid": uuid}
        found.append(Event("task-sent", "client", at, uuid=uuid, name="work", queue="q", retries=0))
        at += random.uniform(0.01, 20)
        tries = random.choice((1, 1, 1, 3))
        for attempt in range(tries):
            # A worker may receive a retry just before it reports that it retries.
            received = at - 0.01 if attempt and number % 2 else at
            at = max(at, received) + (random.uniform(0.01, 9) if attempt and number % 2 else 0.0)
            found.append(
                Event("task-received", timestamp=received, name="work", retries=attempt, **common)
            )
            at += random.uniform(0.01, 9)
            found.append(Event("task-started", timestamp=at, **common))
            at += random.uniform(0.01, 30)
            if attempt + 1 < tries:
                found.append(Event("task-retried", timestamp=at, exception="OSError()", **common))
                at += 0.0 if number % 2 else random.uniform(0.01, 9)
        end = random.choice(("task-succeeded", "task-failed", None))
        if end == "task-succeeded":
            found.append(Event(end, timestamp=at, result="1", runtime=1.0, **common))
        elif end is not None:
            told: dict[str, Any] = {
                "exception": "ValueError()",
                "traceback": "Traceback\nValueError",
            }
            found.append(Event(end, timestamp=at, **told, **common))
    for name in ("a@host", "b@host"):
        for second in range(0, SECONDS, 2):
            beat = {"pid": 1, "freq": 2.0, "active": 0, "processed": 0}
            found.append(Event("worker-heartbeat", name, BEGIN + second, **beat))  # type: ignore[arg-type]
    return sorted(found, key=lambda event: event.timestamp)


def model(of: list[Event], until: float) -> ClusterState:
    state = ClusterState()
    state.observe(ConnectionChanged("live", BEGIN))
    rest = iter([event for event in of if event.timestamp <= until])
    event = next(rest, None)
    for second in range(int(until - BEGIN) + 1):
        while event is not None and event.timestamp <= BEGIN + second:
            state.observe(EventBatch((event,), event.timestamp))
            event = next(rest, None)
        state.observe(QueueMeasured("q", BEGIN + second, waiting=second))
        state.tick(BEGIN + second)
    while event is not None:
        state.observe(EventBatch((event,), event.timestamp))
        event = next(rest, None)
    state.take_changes()
    return state


def shown(task: Task) -> tuple[object, ...]:
    return (
        task.state,
        task.worker,
        task.received_at,
        task.started_at,
        task.finished_at,
        task.exception,
        len(task.attempts),
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("second", [0, 20, 90, 155, 240, 299])
def test_tasks_are_as_a_model_has_them_that_received_nothing_since(seed: int, second: int) -> None:
    all_events = events(seed)
    at = BEGIN + second + 0.5
    past = state_at(frozen_copy(model(all_events, BEGIN + SECONDS)), at)
    then = model(all_events, at)
    assert {id_: shown(task) for id_, task in past.tasks.items()} == {
        id_: shown(task) for id_, task in then.tasks.items()
    }
    assert past.totals.by_state == then.totals.by_state
    assert {group.key: set(group.tasks) for group in past.failures} == {
        group.key: set(group.tasks) for group in then.failures
    }
    for name, worker in past.workers.items():
        assert set(worker.active_ids) == set(then.workers[name].active_ids)


def test_a_row_of_failures_is_of_another_version_at_each_time() -> None:
    frozen = frozen_copy(model(events(1), BEGIN + SECONDS))
    versions = [
        {group.key: group.version for group in state_at(frozen, BEGIN + second).failures}
        for second in (200, 205, 210)
    ]
    keys = set.intersection(*map(set, versions))
    assert keys
    assert all(len({found[key] for found in versions}) == len(versions) for key in keys)


def test_tasks_of_which_no_time_is_known_are_counted() -> None:
    state = model(events(1), BEGIN + 100)
    assert state.undated == 0
    message = WaitingMessage("peeked", "work", "q")
    state.observe(QueuePeeked("q", (message,), BEGIN + 100, complete=True))
    assert "peeked" in state.tasks
    past = state_at(frozen_copy(state), BEGIN + 50)
    assert past.undated == 1 and "peeked" not in past.tasks


def test_queues_and_rates_are_as_they_were_sampled() -> None:
    all_events = events(1)
    at = BEGIN + 200
    full = model(all_events, BEGIN + SECONDS)
    past = state_at(frozen_copy(full), at)
    queue = past.queues["q"]
    assert queue.waiting is not None
    assert abs(queue.waiting - 200) <= 5
    assert [depth for _, depth in queue.history] == sorted(depth for _, depth in queue.history)
    assert queue.history[-1][0] <= at
    then = model(all_events, at)
    window = 60
    assert past.rates.succeeded.count(at, window) == pytest.approx(
        then.rates.succeeded.count(at, window), abs=2
    )
    assert full.queues["q"].waiting == SECONDS, "the original is unchanged"


def test_in_the_step_that_has_no_sample_yet_those_before_hold() -> None:
    frozen = frozen_copy(model(events(1), BEGIN + SECONDS))
    at = frozen.series.end + 1.0
    past, earlier = state_at(frozen, at), state_at(frozen, at - STEP)
    assert past.queues["q"].waiting == earlier.queues["q"].waiting is not None
    assert past.workers.keys() == earlier.workers.keys() != set()
    assert past.broker.phase == "live"
    later = state_at(frozen, at + STEP)
    assert later.queues["q"].waiting is None, "the process was suspended"


def test_a_worker_that_restarts_repeatedly_did_not_do_so_before() -> None:
    state = model(events(1), BEGIN + SECONDS)
    last = BEGIN + SECONDS + 4
    for at in (last - 4, last - 3, last - 2, last - 1, last):
        state.observe(EventBatch((Event("worker-online", "a@host", at),), at))
    frozen = frozen_copy(state)

    def codes(at: float) -> set[str]:
        return {one.code for one in worker_findings(state_at(frozen, at), at)}

    assert "worker-restarts" in codes(last)
    assert "worker-restarts" not in codes(last - 3)


def test_rare_failures_are_not_rounded_away() -> None:
    series = TimeSeries(CLUSTER_VALUES)
    for step in range(60):
        series.record(step, dict.fromkeys(CLUSTER_VALUES, 0.0) | {"failed": 0.08})
    frozen = ClusterState()
    frozen.series.cluster = series
    failed = state_at(frozen, 60.0 * STEP - 1).rates.failed
    assert failed.count(60.0 * STEP - 1, 300) == pytest.approx(0.08 * 300, abs=1)


def test_before_its_first_event_a_worker_is_not_there() -> None:
    all_events = [event for event in events(1) if event.timestamp > BEGIN + 100]
    past = state_at(frozen_copy(model(all_events, BEGIN + SECONDS)), BEGIN + 50)
    assert past.workers == {}
    assert past.tasks == {}
    assert past.queues["q"].waiting is not None


def test_the_numbers_of_a_worker_are_those_of_then_or_unknown() -> None:
    full = model(events(1), BEGIN + SECONDS)
    worker, series = full.workers["a@host"], full.series.workers.series("a@host")
    assert series is not None
    worker.processed, worker.load, worker.reserved_ids = 1_000, (9.0, 8.0, 7.0), {"x": None}
    for step in range(step_of(BEGIN), series.newest + 1):
        values = {"per_s": 2.0, "load": 0.5, "rss": 2.0**20, "busy": 1.0, "slots": 2.0}
        series.record(step, values)
    past = state_at(frozen_copy(full), BEGIN + 200).workers["a@host"]
    steps = series.newest - step_of(BEGIN + 200)
    assert (past.processed, past.load, past.reserved_ids) == (1_000 - 10 * steps, (0.5,), None)
    assert past.rusage is not None and past.rusage.rss_bytes == 2**20
    series.record(series.newest, {"busy": 1.0})  # restarted
    past = state_at(frozen_copy(full), BEGIN + 200).workers["a@host"]
    assert (past.processed, past.load) == (None, (0.5,))
    failures = [one for one in full.tasks.values() if one.state == FAILURE]
    later = [one for one in failures if (one.finished_at or 0.0) > BEGIN + 200]
    then = state_at(frozen_copy(full), BEGIN + 200).workers
    assert later
    for name, now in full.workers.items():
        assert now.failed - then[name].failed == sum(one.worker == name for one in later)


def test_a_worker_that_had_gone_is_offline() -> None:
    all_events = events(1)
    ends = Event("worker-offline", "a@host", BEGIN + 150)
    beats = [e for e in all_events if e.hostname != "a@host" or e.timestamp < BEGIN + 150]
    beats = [e for e in beats if e.type.startswith("worker-")]
    full = model(sorted([*beats, ends], key=lambda e: e.timestamp), BEGIN + SECONDS)
    listening = full.broker.listening
    before = state_at(frozen_copy(full), BEGIN + 140)
    assert before.workers["a@host"].status(listening(BEGIN + 140)) == "online"
    after = state_at(frozen_copy(full), BEGIN + 200)
    assert after.workers["a@host"].status(listening(BEGIN + 200)) == "offline"


def test_the_rows_of_two_times_differ_in_version() -> None:
    frozen = frozen_copy(model(events(1), BEGIN + SECONDS))
    earlier, later = (state_at(frozen, BEGIN + second) for second in (100, 200))
    versions = {state.queues["q"].version for state in (frozen, earlier, later)}
    assert len(versions) == 3, "a table repaints a row if its version differs"
    changed = [id_ for id_ in earlier.tasks if earlier.tasks[id_] is not later.tasks[id_]]
    assert changed
    assert all(earlier.tasks[id_].version != later.tasks[id_].version for id_ in changed)


def test_the_connection_was_live_when_workers_were_recorded() -> None:
    full = model(events(1), BEGIN + SECONDS)
    full.observe(ConnectionChanged("lost", BEGIN + SECONDS))
    frozen = frozen_copy(full)
    assert state_at(frozen, BEGIN + 200).broker.phase == "live"
    assert state_at(frozen, BEGIN - 60).broker.phase == frozen.broker.phase == "lost"


def test_the_schedule_has_no_run_that_was_later() -> None:
    minutes = entry("minutes", every=None, upcoming=(NOW + 90.0, NOW + 150.0), spacing=60.0)
    state = watched(entry(), minutes)
    runs = [
        Event("task-received", SCHEDULE_WORKER, NOW + at, uuid=f"run-{at}", name="app.tick")
        for at in (10.0, 20.0, 30.0)
    ]
    state.observe(EventBatch(tuple(runs), NOW + 31))
    read(
        state,
        entry(last_run_at=NOW + 30, total_runs=3),
        *list(state.schedule.entries.values())[1:],
        at=NOW + 31,
    )
    state.tick(NOW + 34)
    frozen = frozen_copy(state)
    (live, _) = entry_statuses(frozen, NOW + 34)
    assert (live.last_run_at, len(live.runs), live.entry.total_runs) == (NOW + 30, 3, 3)
    past = state_at(frozen, NOW + 22)
    tick, minutely = entry_statuses(past, NOW + 22)
    assert (tick.last_run_at, tick.next_run_at) == (NOW + 20, NOW + 30)
    assert [task.id for task in tick.runs] == ["run-10.0", "run-20.0"]
    assert tick.entry.total_runs is None
    assert minutely.next_run_at is None, "it may have run before the first time that was read"
    (_, minutely) = entry_statuses(state_at(frozen, NOW + 31), NOW + 31)
    assert minutely.next_run_at == NOW + 90
