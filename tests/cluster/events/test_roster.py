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
    assert roster.replied("one-more") is None


def test_queues_beyond_the_limit_are_not_measured() -> None:
    roster = Roster()
    for number in range(MAX_NAMES + 1):
        queue, exchange = f"reply-{number}", f"to-{number}"
        sent = Event("task-sent", "gen1@h", 1.0, uuid="a", queue=queue, exchange=exchange)
        roster.apply(sent)
    assert len(roster.queues) == len(roster.exchanges) == MAX_NAMES
