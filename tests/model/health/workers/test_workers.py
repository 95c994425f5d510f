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


def restarted(times: int) -> ClusterState:
    """A worker that shuts down a second after each start, every ten seconds."""
    state = ClusterState()
    for start in range(times):
        at = NOW + 10 * start
        for type_, later in (("worker-online", 0.0), ("worker-offline", 1.0)):
            event = Event(type_, "w1@h", at + later, pid=start + 1, freq=2.0)
            state.observe(EventBatch((event,), at + later))
    return state


def test_a_worker_that_comes_online_again_and_again() -> None:
    def found(state: ClusterState, at: float) -> list[tuple[str, str]]:
        state.observe(ConnectionProved(at))
        return [(one.code, one.text) for one in worker_findings(state, at)]

    assert found(restarted(4), NOW + 35) == [("worker-offline", "shut down 4.0 s ago")]
    state = restarted(7)
    text = "came online 7 times in 1 m 5 s"
    assert found(state, NOW + 65) == [("worker-restarts", text)]
    lines = [entry.text for entry in state.log]
    assert "w1@h restarts repeatedly: further restarts are not listed" in lines
    assert (lines.count("w1@h is back online"), lines.count("w1@h shut down")) == (4, 4)
    # It has stopped to do so.
    assert found(state, NOW + 342) == [("worker-offline", "shut down 4 m 41 s ago")]


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
