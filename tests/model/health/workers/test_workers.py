from __future__ import annotations

import pytest
from celtop.model.health.workers.workers import worker_findings
from celtop.model.observations import ConnectionProved, InspectReply
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch
from celtop.tests.model.health.fleet import beat, fleet
from celtop.tests.model.streams import NOW


def clock_findings(**skews: float) -> list[tuple[str, str]]:
    state = ClusterState()
    for name, skew in skews.items():
        beat = Event(
            "worker-heartbeat",
            name.replace("_at_", "@"),
            NOW + skew,
            active=0,
            processed=0,
            freq=2.0,
        )
        state.observe(EventBatch((beat,), NOW))
    found = worker_findings(state, NOW)
    return [(one.subject, one.text) for one in found if one.code.endswith("clock-skew")]


@pytest.mark.parametrize(
    ("skew", "text"),
    [
        (600.0, "this host's clock is 10 m behind the clocks of all 3 workers"),
        (-600.0, "this host's clock is 10 m ahead of the clocks of all 3 workers"),
    ],
)
def test_the_clock_of_this_host_is_one_finding(skew: float, text: str) -> None:
    assert clock_findings(w1_at_a=skew, w1_at_b=skew + 0.3, w2_at_b=skew) == [("workers", text)]


def test_workers_of_one_host_do_not_prove_that_this_hosts_clock_is_wrong() -> None:
    assert clock_findings(w1_at_a=600.0, w2_at_a=600.0) == [
        ("worker w1@a", "clock is 10 m ahead of this host's"),
        ("worker w2@a", "clock is 10 m ahead of this host's"),
    ]


def test_one_right_clock_shows_which_clocks_are_wrong() -> None:
    assert clock_findings(w1_at_a=600.0, w2_at_b=600.0, w3_at_c=0.1) == [
        ("worker w1@a", "clock is 10 m ahead of this host's"),
        ("worker w2@b", "clock is 10 m ahead of this host's"),
    ]
    assert clock_findings(w1_at_a=600.0, w2_at_b=60.0) == [
        ("worker w1@a", "clock is 10 m ahead of this host's"),
        ("worker w2@b", "clock is 1 m ahead of this host's"),
    ]


def restarted(times: int, interval: float = 10.0) -> ClusterState:
    """A worker that shuts down a second after each start, every `interval` seconds."""
    state = ClusterState()
    for start in range(times):
        at = NOW + interval * start
        for type_, later in (("worker-online", 0.0), ("worker-offline", 1.0)):
            event = Event(type_, "w1@h", at + later, pid=start + 1, freq=2.0)
            state.observe(EventBatch((event,), at + later))
    return state


def found(state: ClusterState, at: float) -> list[tuple[str, str]]:
    """Return the codes and texts of the findings on workers."""
    state.observe(ConnectionProved(at))
    return [(one.code, one.text) for one in worker_findings(state, at)]


def test_a_worker_that_comes_online_again_and_again() -> None:
    assert found(restarted(4), NOW + 35) == [("worker-offline", "shut down 4.0 s ago")]
    state = restarted(7)
    text = "came online 7 times in 1 m, the last time 5.0 s ago"
    assert found(state, NOW + 65) == [("worker-restarts", text)]
    lines = [entry.text for entry in state.log]
    assert "w1@h restarts repeatedly: further restarts are not listed" in lines
    assert (lines.count("w1@h is back online"), lines.count("w1@h shut down")) == (4, 4)
    # It has stopped doing so.
    assert found(state, NOW + 361) == [("worker-offline", "shut down 5 m ago")]


def test_a_worker_that_restarts_in_each_minute_does_so_all_the_time() -> None:
    state, interval = restarted(9, 70.0), 70.0
    last = NOW + 8 * interval
    seen = {code for later in range(0, 70, 5) for code, _ in found(state, last + later)}
    assert seen == {"worker-restarts"}
    lines = [entry.text for entry in state.log]
    assert lines.count("w1@h restarts repeatedly: further restarts are not listed") == 1
    assert lines.count("w1@h shut down") == 4
    assert found(restarted(9, 100.0), last + 240.0 + 1.0)[0][0] == "worker-offline"


def test_a_worker_that_is_killed_again_and_again_is_not_listed_each_time() -> None:
    state = ClusterState()
    for start in range(9):
        for second in range(10):
            at = NOW + 20 * start + 2 * second
            type_ = "worker-heartbeat" if second else "worker-online"
            event = Event(type_, "w1@h", at, pid=start + 1, freq=2.0, active=0, processed=0)
            state.observe(EventBatch((event,), at))
            state.tick(at)
    lines = [entry.text for entry in state.log]
    assert lines.count("w1@h restarted") == 3
    assert [code for code, _ in found(state, NOW + 178)] == ["worker-restarts"]


def test_workers_of_one_name_that_start_together_do_not_restart() -> None:
    state = ClusterState()
    for second in range(5):
        for number in range(6):
            at = NOW + 2 * second + number / 6
            type_ = "worker-heartbeat" if second else "worker-online"
            event = Event(type_, "w1@h", at, pid=number + 1, freq=2.0, active=0, processed=0)
            state.observe(EventBatch((event,), at))
    assert [code for code, _ in found(state, NOW + 10)] == ["worker-shared-name"]


def test_a_worker_that_replies_but_sends_no_events() -> None:
    def silent(seconds: float) -> list[str]:
        state = fleet(w1={}, w2={})
        beat(state, "w2@h", NOW + seconds)
        state.observe(ConnectionProved(NOW + seconds))
        state.observe(InspectReply("w1@h", "active", [], NOW + seconds))
        # Also when its next reply is overdue.
        beat(state, "w2@h", NOW + seconds + 8)
        state.observe(ConnectionProved(NOW + seconds + 8))
        found = worker_findings(state, NOW + seconds + 8)
        return [f"{one.code} {one.name}: {one.text}" for one in found if one.name == "w1@h"]

    assert silent(20.0) == ["worker-late w1@h: no heartbeat for 8.0 s"]
    text = "replies to remote control, but has sent no event for 1 m 8 s"
    assert silent(60.0) == [f"worker-silent w1@h: {text}"]
