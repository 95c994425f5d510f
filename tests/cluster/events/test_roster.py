"""What the threads remember of the cluster does not grow for ever."""

from __future__ import annotations

from celtop.cluster.events.roster import FORGET_AFTER, MOST_MEMBERS, MOST_NAMES, Roster
from celtop.model.wire.events import Event


def beat(name: str) -> Event:
    return Event("worker-heartbeat", name, 1.0, freq=2.0, active=0, processed=0)


def test_silent_workers_are_forgotten_when_there_are_too_many() -> None:
    roster = Roster()
    for number in range(MOST_MEMBERS):
        roster.heard(beat(f"old-{number}"))
    for member in roster.members.values():
        member.last_seen_at -= FORGET_AFTER + 1
    roster.heard(beat("new"))
    assert list(roster.members) == ["new"]
    assert roster.present() == ("new",)


def test_more_workers_than_can_be_remembered_are_not_asked() -> None:
    roster = Roster()
    for number in range(MOST_MEMBERS + 1):
        roster.heard(beat(f"w-{number}"))
    assert len(roster.members) == MOST_MEMBERS
    assert roster.answered("one-more") is None


def test_a_queue_for_each_reply_is_not_asked_about() -> None:
    roster = Roster()
    for number in range(MOST_NAMES + 1):
        queue, exchange = f"reply-{number}", f"to-{number}"
        sent = Event("task-sent", "gen1@h", 1.0, uuid="a", queue=queue, exchange=exchange)
        roster.heard(sent)
    assert len(roster.queues) == len(roster.exchanges) == MOST_NAMES
