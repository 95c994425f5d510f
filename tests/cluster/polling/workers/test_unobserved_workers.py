"""When workers are inspected of which events show too little."""

from __future__ import annotations

from celtop.cluster.events.roster import Roster
from celtop.cluster.polling.workers.unobserved_workers import UnobservedWorkers
from celtop.model.wire.events import Event


def planned(*names: str) -> UnobservedWorkers:
    roster = Roster()
    for name in names:
        roster.replied(name, "conf")
    return UnobservedWorkers(roster, enable_events=True, frugal=False)


def test_they_are_not_inspected_twice_at_once_unless_a_task_ended_unnoticed() -> None:
    workers = planned("a", "b")
    assert workers.due(2, 4.0) == ("a", "b")
    workers.begin()
    assert workers.due(2, 4.0) == ()
    assert workers.hurry()
    assert workers.due(2, 4.0) == ("a", "b")
    assert not workers.hurry()


def test_every_fourth_round_is_whole() -> None:
    workers = planned("a")
    whole = []
    for _ in range(8):
        workers.begin()
        whole.append(workers.whole)
    assert whole == [False, False, False, True] * 2


def test_workers_that_send_heartbeats_and_events_are_left_alone() -> None:
    roster = Roster()
    roster.apply(Event("worker-heartbeat", "a", 1.0, active=0))
    workers = UnobservedWorkers(roster, enable_events=True, frugal=False)
    assert workers.due(2, 4.0) == ()
