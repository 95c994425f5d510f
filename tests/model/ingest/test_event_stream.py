"""The connection to the broker, and missed, malformed and dropped events."""

from __future__ import annotations

from celtop.model.entities.fault import Fault
from celtop.model.observations import (
    ConnectionChanged,
    ConnectionProved,
    EventsDropped,
    LatencyMeasured,
)
from celtop.model.state import ClusterState
from celtop.model.wire.events import decode

from ..streams import NOW

REFUSED = Fault("refused", "Connection refused", "Is the broker running?")


def lines(state: ClusterState) -> list[tuple[str, str]]:
    return [(entry.level, entry.text) for entry in state.log]


def test_malformed_events_are_counted_by_reason_and_logged_once() -> None:
    state = ClusterState()
    for _ in range(3):
        state.observe(decode(b'[{"type":"task-sent"},3]', NOW))
    assert state.totals.malformed == 6
    assert state.totals.malformed_reasons == {"no hostname": 3, "not an object": 3}
    assert len(state.log) == 2


def test_the_connection_is_lost_and_restored() -> None:
    state = ClusterState()
    state.observe(ConnectionChanged("connecting", NOW, REFUSED, retry_in=2.0))
    assert (state.broker.fault, state.broker.retry_at) == (REFUSED, NOW + 2)
    state.observe(ConnectionChanged("live", NOW + 2))
    assert (state.broker.phase, state.broker.fault) == ("live", None)
    assert state.broker.listening(NOW + 9)[:2] == (NOW + 2, NOW + 2)
    state.observe(ConnectionProved(NOW + 9))
    assert state.broker.listening(NOW + 9)[:2] == (NOW + 2, NOW + 9)
    state.observe(ConnectionChanged("lost", NOW + 10, REFUSED, retry_in=1.0))
    state.observe(ConnectionChanged("lost", NOW + 11, REFUSED, retry_in=2.0))
    assert (state.broker.phase, state.broker.since) == ("lost", NOW + 10)
    state.observe(ConnectionChanged("connecting", NOW + 12))
    state.observe(ConnectionChanged("lost", NOW + 13, REFUSED, retry_in=4.0))
    state.observe(ConnectionChanged("connecting", NOW + 16))
    state.observe(ConnectionChanged("live", NOW + 17))
    why = "Connection refused. Is the broker running?"
    assert lines(state) == [
        ("warning", str(why)),
        ("info", "connected"),
        ("error", f"connection lost: {why}"),
        ("info", "connected"),
        ("warning", "disconnected for 8 s; events sent meanwhile were missed"),
    ]


def test_dropped_events_are_counted_at_once_and_logged_from_time_to_time() -> None:
    state = ClusterState()
    state.observe(EventsDropped(heartbeats=3, others=0, at=NOW))
    assert (state.totals.lost, state.totals.lost_heartbeats, len(state.log)) == (0, 3, 0)
    for second in range(12):
        state.observe(EventsDropped(heartbeats=0, others=1000, at=NOW + second))
    assert state.totals.lost == 12_000
    assert [text.split(" events")[0] for _, text in lines(state)] == ["1,000", "10,000"]
    state.tick(NOW + 30)
    state.tick(NOW + 60)
    assert [text.split(" events")[0] for _, text in lines(state)] == ["1,000", "10,000", "1,000"]


def test_latency() -> None:
    state = ClusterState()
    state.observe(LatencyMeasured(0.004, 17))
    assert (state.broker.latency, state.broker.commands_sent) == (0.004, 17)
