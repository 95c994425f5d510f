"""Observations reach the model: connection, losses, log messages, events."""

from __future__ import annotations

import msgspec
from celtop.model.entities.fault import Fault
from celtop.model.observations import (
    ConnectionChanged,
    EventsDropped,
    InspectReply,
    InspectTimeout,
    LatencyMeasured,
    LogMessage,
)
from celtop.model.state import ClusterState
from celtop.model.wire.events import decode

from .streams import NOW, OTHER, WORKER, Script, decode_fields

REFUSED = Fault("refused", "Connection refused", "Is the broker running?")


def lines(state: ClusterState) -> list[tuple[str, str]]:
    return [(entry.level, entry.text) for entry in state.log]


def test_events_are_counted_at_the_arrival_of_their_message() -> None:
    state = ClusterState()
    events = Script("a").received().started().succeeded().events
    state.observe(decode_fields(events, at=NOW))
    assert state.totals.events == 3
    assert state.rates.events.series(NOW, 1) == [3]
    assert state.rates.succeeded.series(NOW, 1) == [1]
    assert state.workers[WORKER].last_seen_at == NOW


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
    assert state.broker.listening_since == NOW + 2
    state.observe(ConnectionChanged("lost", NOW + 10, REFUSED, retry_in=1.0))
    state.observe(ConnectionChanged("lost", NOW + 11, REFUSED, retry_in=2.0))
    assert (state.broker.phase, state.broker.since) == ("lost", NOW + 10)
    state.observe(ConnectionChanged("connecting", NOW + 12))
    state.observe(ConnectionChanged("lost", NOW + 13, REFUSED, retry_in=4.0))
    state.observe(ConnectionChanged("connecting", NOW + 16))
    state.observe(ConnectionChanged("live", NOW + 17))
    why = "Connection refused. Is the broker running?"
    assert lines(state) == [
        ("warning", f"cannot connect: {why}"),
        ("info", "connected"),
        ("error", f"connection lost: {why}"),
        ("info", "connected"),
        ("warning", "disconnected for 7 s; events sent meanwhile were missed"),
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


def test_latency_and_log_messages() -> None:
    state = ClusterState()
    state.observe(LatencyMeasured(0.004, 17))
    assert (state.broker.latency, state.broker.commands_sent) == (0.004, 17)
    state.observe(LogMessage("warning", "queues", "no access", NOW))
    assert lines(state) == [("warning", "no access")]


def test_a_missing_reply_is_shown_for_the_worker() -> None:
    state = ClusterState()
    state.observe(InspectReply(WORKER, "ping", {"ok": "pong"}, NOW))
    state.observe(InspectTimeout("stats", (WORKER, OTHER), NOW))
    assert state.workers[WORKER].inspect_error == "stats: no reply"
    assert OTHER not in state.workers
    state.observe(InspectReply(WORKER, "stats", {}, NOW))
    assert state.workers[WORKER].inspect_error is None


def test_beat_is_not_a_worker() -> None:
    state = ClusterState()
    state.observe(InspectReply("celerybeat@host", "ping", {"ok": "pong"}, NOW))
    assert state.workers == {}


def test_a_tick_without_news_changes_nothing() -> None:
    state = ClusterState()
    state.observe(InspectReply(WORKER, "ping", {"ok": "pong"}, NOW))
    assert state.take_changes().other
    state.tick(NOW + 1)
    assert not state.take_changes().other
    state.tick(NOW + 60)
    assert state.take_changes().other


def test_batches_of_batches() -> None:
    state = ClusterState()
    scripts = [Script(f"task-{i}").received().started().succeeded() for i in range(50)]
    events = [fields for script in scripts for fields in script.events]
    for start in range(0, len(events), 20):
        state.observe(decode(msgspec.json.encode(events[start : start + 20]), NOW))
    assert state.totals.by_state == {"SUCCESS": 50}
    assert (state.totals.events, state.types["shop.bill"].succeeded) == (150, 50)
