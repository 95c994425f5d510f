"""The roster of workers and queues is bounded."""

from __future__ import annotations

from celtop.cluster.events.roster import FORGET_AFTER, MAX_NAMES, MAX_WORKERS, Roster
from celtop.model.wire.events import Event


def beat(name: str) -> Event:
    return Event("worker-heartbeat", name, 1.0, freq=2.0, active=0, processed=0)


def test_silent_workers_are_forgotten_if_there_are_too_many() -> None:
    roster = Roster()
    for number in range(MAX_WORKERS):
        roster.apply(beat(f"old-{number}"))
    for member in roster.members.values():
        member.last_seen_at -= FORGET_AFTER + 1
    roster.apply(beat("new"))
    assert list(roster.members) == ["new"]
    assert roster.present() == ("new",)


def test_workers_beyond_the_limit_are_not_inspected() -> None:
    roster = Roster()
    for number in range(MAX_WORKERS + 1):
        roster.apply(beat(f"w-{number}"))
    assert len(roster.members) == MAX_WORKERS
    assert roster.replied("one-more", "ping") is None


def test_queues_beyond_the_limit_are_not_measured() -> None:
    roster = Roster()
    for number in range(MAX_NAMES + 1):
        queue, exchange = f"reply-{number}", f"to-{number}"
        sent = Event("task-sent", "gen1@h", 1.0, uuid="a", queue=queue, exchange=exchange)
        roster.apply(sent)
    assert len(roster.queues) == len(roster.exchanges) == MAX_NAMES


def test_workers_that_events_do_not_show_are_unobserved() -> None:
    """Those without heartbeats, and those whose task events cannot be enabled."""
    roster = Roster()
    roster.apply(beat("loud"))
    roster.apply(Event("worker-heartbeat", "on request only", 1.0, freq=5.0))
    bare = roster.replied("bare", "conf")
    assert bare is not None
    bare.events_enabled = bare.without_events = True
    assert roster.unobserved(True) == ("bare", "on request only")
    assert roster.unobserved(False) == ("bare", "loud", "on request only")
    roster.apply(Event("task-received", "loud", 1.0, uuid="a"))
    assert "loud" not in roster.unobserved(False)
    assert not roster.can_enable_events(["loud", "bare"])
    assert roster.can_enable_events(["loud", "unknown"])
    bare.reset()
    assert roster.can_enable_events(["bare"])


def test_a_worker_that_only_replied_to_another_question_has_yet_to_be_inspected() -> None:
    """It sends task events by itself, and was asked about a task before it was inspected."""
    roster = Roster()
    roster.apply(Event("worker-online", "w", 1.0, freq=2.0, pid=1))
    roster.apply(Event("task-received", "w", 1.0, uuid="a"))
    for command in ("ping", "query_task", "registered", "active_queues"):
        roster.replied("w", command)
        assert roster.to_inspect(True) == ("w",), command
    roster.replied("w", "conf")
    assert roster.to_inspect(True) == ()


def test_new_and_restarted_workers_are_announced() -> None:
    roster, announced = Roster(), list[int]()
    roster.call_on_new = lambda: announced.append(len(roster.members))
    roster.apply(Event("worker-heartbeat", "w", 1.0, freq=2.0, pid=1))
    assert announced
    announced.clear()
    roster.apply(Event("worker-heartbeat", "w", 3.0, freq=2.0, pid=1))
    assert not announced
    roster.apply(Event("worker-heartbeat", "w", 5.0, freq=2.0, pid=2))
    assert announced == [1]
