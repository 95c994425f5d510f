"""Observations reach the model."""

from __future__ import annotations

import msgspec
from celtop.model.observations import InspectReply, LogMessage
from celtop.model.state import ClusterState
from celtop.model.wire.events import decode

from .streams import NOW, WORKER, Script, decode_fields, play


def test_events_are_counted_at_the_arrival_of_their_message() -> None:
    state = ClusterState()
    events = Script("a").received().started().succeeded().events
    state.observe(decode_fields(events, at=NOW))
    assert state.totals.events == 3
    assert state.rates.events.series(NOW, 1) == [3]
    assert state.rates.succeeded.series(NOW, 1) == [1]
    assert state.workers[WORKER].last_seen_at == NOW


def test_log_messages() -> None:
    state = ClusterState()
    state.observe(LogMessage("warning", "queues", "no access", NOW))
    assert [(entry.level, entry.text) for entry in state.log] == [("warning", "no access")]


def test_beat_is_not_a_worker() -> None:
    state = ClusterState()
    state.observe(InspectReply("celerybeat@host", "ping", {"ok": "pong"}, NOW))
    assert state.workers == {}


def test_a_tick_without_news_changes_nothing() -> None:
    state = ClusterState()
    play([{"type": "worker-heartbeat", "hostname": WORKER, "timestamp": NOW, "active": 0}], state)
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
