from __future__ import annotations

import json

from celtop.cluster.inbox import MAX_DECODED_EVENTS, MAX_JOINED_EVENTS, Inbox, UndecodedBatch
from celtop.model.observations import EventsDropped, LogMessage, Observation
from celtop.model.wire.events import Event, EventBatch, decode


def heard(kind: str, count: int = 1, at: float = 1.0) -> EventBatch:
    return EventBatch(tuple(Event(kind, "w@h", at, uuid=f"{at}") for _ in range(count)), at)


def taken(inbox: Inbox) -> list[Observation]:
    found = []
    while (one := inbox.take()) is not None:
        found.append(one)
    return found


def test_observations_come_out_in_order() -> None:
    inbox = Inbox(100)
    put = [heard("task-sent", 3, at) for at in range(10)]
    for one in put:
        inbox.put(one)
    assert inbox.events == 30
    assert taken(inbox) == put
    assert inbox.events == 0


def test_batches_received_at_about_one_time_are_taken_together() -> None:
    inbox = Inbox(10_000)
    note = LogMessage("info", "test", "here", 0.0)
    inbox.put(heard("task-sent", 2, at=1.0))
    inbox.put(EventBatch((), 1.01, ("not decoded",)))
    inbox.put(heard("task-started", 3, at=1.015))
    inbox.put(heard("task-sent", at=1.03))
    inbox.put(note)
    inbox.put(heard("task-sent", MAX_JOINED_EVENTS, at=1.03))
    inbox.put(heard("task-sent", at=1.03))
    joined, *rest = taken(inbox)
    assert isinstance(joined, EventBatch)
    assert [event.type for event in joined.events] == ["task-sent"] * 2 + ["task-started"] * 3
    assert (joined.at, joined.malformed) == (1.015, ("not decoded",))
    sizes = [len(one.events) if isinstance(one, EventBatch) else one for one in rest]
    assert sizes == [1, note, MAX_JOINED_EVENTS, 1]
    assert inbox.events == 0


def test_heartbeats_are_dropped_first_and_every_loss_is_reported() -> None:
    inbox = Inbox(20)
    for at in range(10):
        inbox.put(heard("worker-heartbeat", at=at))
        inbox.put(heard("task-started", at=at))
    inbox.put(heard("task-started", at=99))
    found = taken(inbox)
    lost = found.pop(0)
    assert isinstance(lost, EventsDropped)
    assert (lost.heartbeats, lost.others, lost.at) == (3, 0, 99)
    types = [event.type for one in found if isinstance(one, EventBatch) for event in one.events]
    assert types.count("task-started") == 11
    assert types.count("worker-heartbeat") == 7


def test_the_oldest_events_are_dropped_in_a_block() -> None:
    inbox = Inbox(100)
    for at in range(101):
        inbox.put(heard("task-started", at=at))
    lost, *rest = taken(inbox)
    assert isinstance(lost, EventsDropped)
    assert lost.others == 11
    assert isinstance(rest[0], EventBatch) and rest[0].at == 11
    assert isinstance(rest[-1], EventBatch) and rest[-1].at == 100


def test_everything_is_applied_or_counted_as_lost() -> None:
    inbox = Inbox(1000)
    applied = lost = 0
    for at in range(5000):
        inbox.put(heard("task-started", 3, at))
        assert inbox.events <= 1000
        if at % 7 == 0:
            one = inbox.take()
            applied += len(one.events) if isinstance(one, EventBatch) else 0
            lost += one.others if isinstance(one, EventsDropped) else 0
    for one in taken(inbox):
        applied += len(one.events) if isinstance(one, EventBatch) else 0
        lost += one.others if isinstance(one, EventsDropped) else 0
    assert applied + lost == 15000
    assert lost > 0


def test_other_observations_are_never_dropped() -> None:
    inbox = Inbox(10)
    note = LogMessage("info", "test", "here", 0.0)
    inbox.put(note)
    for at in range(100):
        inbox.put(heard("task-started", at=at))
    assert note in taken(inbox)


def test_a_message_larger_than_the_capacity_is_dropped_and_reported() -> None:
    inbox = Inbox(10)
    inbox.put(heard("task-started", 50))
    lost = inbox.take()
    assert isinstance(lost, EventsDropped) and lost.others == 50
    assert inbox.take() is None


def test_unreadable_events_count_too() -> None:
    """Otherwise events in another serializer would grow without bounds."""
    inbox = Inbox(100)
    for at in range(1000):
        inbox.put(EventBatch((), at, ("not decoded",)))
        inbox.put(EventBatch((), at))
    assert len(inbox) <= 100
    lost = inbox.take()
    assert isinstance(lost, EventsDropped)
    unread = sum(len(one.malformed) for one in taken(inbox) if isinstance(one, EventBatch))
    assert lost.others + unread == 1000
    assert inbox.events == 0


def test_a_put_calls_the_callback_once() -> None:
    inbox = Inbox(10)
    woken: list[int] = []
    inbox.call_on_put(lambda: woken.append(1))
    assert woken == []
    for _ in range(3):
        inbox.put(LogMessage("info", "a", "b", 0.0))
    assert woken == [1]
    inbox.call_on_put(lambda: woken.append(2))
    assert woken == [1, 2]
    while inbox.take() is not None:
        pass
    inbox.call_on_put(lambda: woken.append(3))
    assert woken == [1, 2]
    inbox.put(LogMessage("info", "a", "b", 0.0))
    assert woken == [1, 2, 3]


def test_a_heartbeat_after_several_in_time_does_not_call_the_callback() -> None:
    inbox = Inbox(100)
    woken: list[float] = []

    def put(batch: EventBatch) -> bool:
        """Return whether the callback was called."""
        while inbox.take() is not None:
            pass
        before = len(woken)
        inbox.call_on_put(lambda: woken.append(batch.at))
        inbox.put(batch)
        return len(woken) > before

    first = [put(heard("worker-heartbeat", at=1e9 - number)) for number in (6, 4, 2, 0)]
    assert first == [True, True, True, False]
    assert not put(heard("worker-heartbeat", 2, at=1e9 + 2))
    other = EventBatch((Event("worker-heartbeat", "other@h", 1e9),), 1e9 + 2)
    assert put(other)
    assert put(heard("worker-online", at=1e9 + 3))
    assert put(EventBatch(heard("worker-heartbeat").events, 1e9 + 4, ("unreadable",)))
    assert put(heard("worker-heartbeat", at=1e9 + 60))
    assert put(heard("worker-heartbeat", at=1e9 + 50))


def message(*kinds: str) -> bytes:
    common = {"hostname": "w@h", "timestamp": 5.0, "uuid": "a"}
    return json.dumps([{"type": kind, **common} for kind in kinds]).encode()


def test_a_backlog_is_kept_undecoded_and_comes_out_the_same() -> None:
    inbox = Inbox(10 * MAX_DECODED_EVENTS)
    body = message(*["task-started"] * 20)
    put = [decode(body, float(at)) for at in range(MAX_DECODED_EVENTS // 10)]
    for batch in put:
        inbox.put(batch, body)
    undecoded = [one for one in inbox._waiting if isinstance(one, UndecodedBatch)]
    assert len(undecoded) == len(put) - MAX_DECODED_EVENTS // 20
    assert inbox.events == 2 * MAX_DECODED_EVENTS
    assert taken(inbox) == put
    assert inbox.events == 0


def test_undecoded_events_are_dropped_like_others() -> None:
    inbox = Inbox(MAX_DECODED_EVENTS + 10)
    inbox.put(heard("task-started", MAX_DECODED_EVENTS))
    beat, other = message("worker-heartbeat"), message("task-started", "task-failed")
    for at in range(4):
        inbox.put(decode(beat, float(at)), beat)
        inbox.put(decode(other, float(at)), other)
    lost, *rest = taken(inbox)
    assert isinstance(lost, EventsDropped)
    assert (lost.heartbeats, lost.others) == (4, MAX_DECODED_EVENTS)
    assert [one.at for one in rest if isinstance(one, EventBatch)] == [0.0, 1.0, 2.0, 3.0]


def test_events_with_long_texts_are_kept_decoded() -> None:
    inbox = Inbox(10 * MAX_DECODED_EVENTS)
    inbox.put(heard("task-started", MAX_DECODED_EVENTS))
    body = json.dumps({"type": "task-sent", "hostname": "c", "timestamp": 5.0, "uuid": "a" * 9_000})
    inbox.put(decode(body, 1.0), body)
    assert not any(isinstance(one, UndecodedBatch) for one in inbox._waiting)
