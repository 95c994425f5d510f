"""What counts as a queue that does not move, is full, or grows."""

from __future__ import annotations

import pytest
from celtop.model.entities.limits.thresholds import Thresholds
from celtop.model.health.queues.backlogs import backlog_findings
from celtop.model.observations import InspectReply
from celtop.tests.model.health.hours import WORKERS, Backlog
from celtop.tests.tui.fake_session import NOW

MINUTES = 12
"""Measurements in a minute."""


def test_a_queue_is_stalled_if_free_workers_take_nothing() -> None:
    backlog = Backlog(busy=1)
    assert backlog.run([0] * 3 + [7] * 10) == []  # not for a minute yet
    (one,) = backlog.run([7] * 6)
    assert (one.code, one.severity, one.name) == ("queue-stalled", "error", "celery")
    assert one.text == (
        "7 messages waiting, none taken for 1 m 20 s, although celery@one and celery@two have "
        "2 free processes"
    )
    assert one.evidence["free_slots"] == 2
    assert one.next_step.startswith("Check the logs of these workers; restart them")


def test_the_limit_of_a_stalled_queue_is_a_setting() -> None:
    backlog = Backlog()
    backlog.state.thresholds = Thresholds(queue_stalled=300.0)
    assert backlog.run([7] * 50) == []
    assert [one.code for one in backlog.run([7] * 20)] == ["queue-stalled"]


@pytest.mark.parametrize(
    ("busy", "taken", "depth"),
    [
        (2, 0, 7),  # no process is free
        (0, 1, 7),  # they take messages
        (0, 0, 0),  # nothing waits
    ],
)
def test_other_queues_are_not_stalled(busy: int, taken: int, depth: int) -> None:
    assert Backlog(busy).run([depth] * 30, taken=taken) == []


def test_a_worker_that_holds_its_whole_prefetch_is_not_free() -> None:
    backlog = Backlog()
    reserved = [{"id": str(number), "name": "a"} for number in range(8)]
    for worker in WORKERS:
        backlog._reply(worker, "reserved", reserved)
    assert backlog.run([7] * 30) == []


def test_a_queue_is_full_if_all_processes_are_busy_while_it_grows() -> None:
    backlog = Backlog(busy=2)
    (one,) = backlog.run(range(20, 20 + 5 * 40, 5), taken=10)
    assert (one.code, one.severity) == ("queue-full", "warning")
    assert one.text == (
        "all 4 processes of 2 workers busy; 215 messages waiting, 115 more than 2 m ago; 3/s "
        "arrive, 2/s are taken, twice as many in 3 m 35 s"
    )
    assert one.next_step == "Add at least 2 processes (celtop control grow), or workers"
    assert one.since == pytest.approx(backlog.now - 200, abs=61)


def test_a_queue_grows_if_more_arrives_than_is_taken() -> None:
    backlog = Backlog(busy=1)
    depths = list(range(20, 20 + 5 * 6 * MINUTES, 5))
    assert backlog.run(depths[: 4 * MINUTES], taken=5) == []
    (one,) = backlog.run(depths[4 * MINUTES :], taken=5)
    assert one.code == "queue-growing"
    assert one.text == (
        "375 messages waiting, 295 more than 5 m ago; 2/s arrive, 1/s are taken, twice as many in "
        "6 m 15 s"
    )


@pytest.mark.parametrize("depths", [[500] * 80, range(900, 100, -10), [5, 400] * 40, range(9)])
def test_other_queues_neither_are_full_nor_grow(depths: list[int] | range) -> None:
    for busy in (1, 2):
        assert Backlog(busy).run(depths, taken=5) == []


def test_a_queue_that_fills_and_drains_again_and_again_does_not_grow() -> None:
    """Each minute and a half, tasks come for half a minute, a few more each time."""
    for busy in (1, 2):
        backlog = Backlog(busy)
        for number in range(8):
            top = 20 + 5 * number
            fills, drains = range(0, top, top // 6), range(top, 0, -top // 12)
            for depth in (*fills, *drains):
                assert backlog.run([depth], taken=5) == []


def test_a_queue_that_grows_in_bursts_grows_if_it_no_longer_drains() -> None:
    depths = [20 + 5 * step + (30 if step % 6 < 2 else 0) for step in range(6 * MINUTES)]
    backlog = Backlog(busy=1)
    found = [one.code for depth in depths for one in backlog.run([depth], taken=5)]
    assert "queue-growing" in found


def test_nothing_is_concluded_of_a_queue_with_unknown_consumers() -> None:
    backlog = Backlog()
    backlog.state.observe(InspectReply("celery@three", "stats", {}, NOW))
    assert backlog.state.queues["celery"].consumers is None
    assert backlog.run([7] * 30) == []


def test_a_queue_whose_messages_are_not_due_is_not_stalled() -> None:
    backlog = Backlog()
    assert [one.code for one in backlog.run([7] * 30)] == ["queue-stalled"]
    backlog.state.queues["celery"].due_at = backlog.now + 60
    assert list(backlog_findings(backlog.state, backlog.now)) == []
    backlog.state.queues["celery"].due_at = backlog.now - 60
    assert len(list(backlog_findings(backlog.state, backlog.now))) == 1


def test_unequal_priority_steps_are_named_as_the_cause() -> None:
    backlog = Backlog()
    backlog.run([7] * 30)
    note = "priority 4 used, but not in priority_steps"
    backlog.state.queues["celery"].notes = (note,)
    (one,) = backlog_findings(backlog.state, backlog.now)
    assert one.next_step == f"Set the same priority_steps for workers and senders: {note}"
