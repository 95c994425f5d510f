from __future__ import annotations

import pytest
from celtop.export.snapshot.snapshot import take_snapshot
from celtop.model.entities.clock_skew import NO_SKEWS, MeasuredSkews, to_local
from celtop.model.query.language import parse_query
from celtop.model.query.task_view import TaskView
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch
from celtop.model.workflow.members import span
from celtop.model.workflow.view import WorkflowView

NOW = 1_800_000_000.0
AHEAD, BEHIND = "w1@fast", "w2@slow"
SKEWS = {AHEAD: 40.0, BEHIND: -40.0}


def observe(state: ClusterState, event: Event, now: float) -> None:
    state.observe(EventBatch((event,), now))


def beat(state: ClusterState, host: str, skew: float, now: float) -> None:
    observe(
        state, Event("worker-heartbeat", host, now + skew, active=0, processed=0, freq=2.0), now
    )


def run(state: ClusterState, host: str, id_: str, start: float, end: float | None) -> None:
    """Run a task on a worker; `start` and `end` are by the local clock, events by its own."""
    skew = SKEWS[host]
    observe(
        state,
        Event("task-received", host, start - 1 + skew, uuid=id_, name="f", root_id="a"),
        start,
    )
    observe(state, Event("task-started", host, start + skew, uuid=id_), start)
    if end is not None:
        done = Event("task-succeeded", host, end + skew, uuid=id_, result="1", runtime=end - start)
        observe(state, done, end)


@pytest.fixture
def state() -> ClusterState:
    state = ClusterState()
    for host, skew in SKEWS.items():
        beat(state, host, skew, NOW - 100)
    return state


def test_small_skews_are_ignored(state: ClusterState) -> None:
    beat(state, "w3@right", 1.5, NOW)
    assert state.skews == SKEWS
    assert state.skew("w3@right") == 1.5


def test_small_changes_of_a_skew_are_ignored_and_a_corrected_clock_has_none() -> None:
    skews = MeasuredSkews()
    for skew, kept in ((40.0, 40.0), (40.3, 40.0), (39.6, 40.0), (41.0, 41.0), (-3.0, -3.0)):
        before = skews.current
        skews.update(AHEAD, skew)
        assert skews.current == {AHEAD: kept}
        assert (skews.current is before) == (before.get(AHEAD) == kept)
    skews.update(BEHIND, -40.0)
    skews.update(AHEAD, 1.0)
    assert skews.current == {BEHIND: -40.0}
    skews.update(BEHIND, None)
    assert skews.current == {}


def test_times_of_a_host_are_converted_to_the_local_clock() -> None:
    assert to_local(NOW + 40, AHEAD, SKEWS) == NOW
    assert to_local(NOW - 40, BEHIND, SKEWS) == NOW
    assert (
        to_local(NOW, None, SKEWS)
        == to_local(NOW, "client", SKEWS)
        == to_local(NOW, AHEAD, NO_SKEWS)
        == NOW
    )
    assert to_local(None, AHEAD, SKEWS) is None


@pytest.mark.parametrize("host", SKEWS)
def test_a_snapshot_has_local_durations_and_reported_times(state: ClusterState, host: str) -> None:
    run(state, host, "a", NOW - 10, None)
    (task,) = take_snapshot(state, NOW).tasks
    assert task.runtime_s == 10.0
    assert task.started_at == (
        "2027-01-15T08:00:30.000Z" if host == AHEAD else "2027-01-15T07:59:10.000Z"
    )


@pytest.mark.parametrize("host", SKEWS)
def test_a_span_is_by_the_local_clock(state: ClusterState, host: str) -> None:
    run(state, host, "a", NOW - 10, NOW - 4)
    task = state.tasks["a"]
    assert span(task, state.skews) == (NOW - 11, NOW - 4)
    assert span(task) == (NOW - 11 + SKEWS[host], NOW - 4 + SKEWS[host])


def test_members_on_hosts_with_different_clocks_share_a_time_axis(state: ClusterState) -> None:
    run(state, AHEAD, "a", NOW - 10, NOW - 8)
    run(state, BEHIND, "b", NOW - 7, NOW - 5)
    view = WorkflowView(state, "a", NOW)
    assert [row.node.id for row in view] == ["a", "b"]
    assert (view.axis.begin, view.axis.length) == (NOW - 11, 6.0)
    assert view.axis.duration(NOW) == 6.0


def test_the_time_axis_follows_a_skew_that_becomes_known_later() -> None:
    state = ClusterState()
    run(state, AHEAD, "a", NOW - 10, NOW - 8)
    view = WorkflowView(state, "a", NOW)
    assert view.axis.begin == NOW - 11 + 40
    beat(state, AHEAD, 40.0, NOW)
    view.update(NOW)
    assert view.axis.begin == NOW - 11


def test_a_waiting_time_spans_two_clocks_and_is_the_same_everywhere() -> None:
    state = ClusterState()
    for skew, host in ((18_000.0, AHEAD), (-18_000.0, BEHIND)):
        beat(state, host, skew, NOW - 20)
        id_ = f"on {host}"
        there = {"hostname": host, "uuid": id_}
        sent = {"hostname": "gen1@client", "uuid": id_, "name": "shop.bill", "queue": "q"}
        for type_, fields, at in (
            ("task-sent", sent, NOW - 10),
            ("task-received", {**there, "name": "shop.bill"}, NOW - 5 + skew),
            ("task-started", there, NOW - 3 + skew),
        ):
            observe(state, Event(type_, timestamp=at, **fields), NOW - 3)  # type: ignore[arg-type]
    records = take_snapshot(state, NOW).tasks
    assert [record.waited_s for record in records] == [7.0, 7.0]
    kind = state.types["shop.bill"]
    assert (kind.wait.count, round(kind.wait.max or 0.0, 3)) == (2, 7.0)
    for text, shown in (("waited:<8s", 2), ("waited:>8s", 0), ("runtime:<4s", 2)):
        assert len(TaskView(state, parse_query(text), now=NOW)) == shown, text


def test_a_waiting_time_is_unknown_if_the_clocks_contradict_each_other() -> None:
    state = ClusterState()
    beat(state, AHEAD, 0.0, NOW - 20)
    sent = Event("task-sent", "gen1@client", NOW + 3600, uuid="a", name="shop.bill", queue="q")
    observe(state, sent, NOW - 9)
    observe(state, Event("task-started", AHEAD, NOW - 3, uuid="a"), NOW - 3)
    assert take_snapshot(state, NOW).tasks[0].waited_s is None
    assert state.types["shop.bill"].wait.count == 0


def test_the_wait_of_a_task_is_not_counted_before_the_first_heartbeat_of_a_skewed_worker() -> None:
    state = ClusterState()
    observe(state, Event("task-sent", "gen1@client", NOW - 9, uuid="a", name="n", queue="q"), NOW)
    observe(state, Event("task-started", AHEAD, NOW + 18_000, uuid="a"), NOW)
    assert state.types["n"].wait.count == 0
