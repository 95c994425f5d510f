"""Ranges of due times from the counts of levels, checked against simulated messages."""

from __future__ import annotations

import random

import pytest
from celtop.model.entities.messages.delayed import Delayed, DelayLevel
from celtop.model.entities.queue import STATISTICS_DELAY
from celtop.model.ingest.queues.delay_arrivals import MAX_ARRIVALS, DelayArrivals

NOW = 1_700_000_000.0


def counted(arrivals: DelayArrivals, at: float, **levels: int) -> list[tuple[float, float, int]]:
    found = tuple(DelayLevel(int(name[1:]), messages) for name, messages in levels.items())
    arrivals.apply(Delayed(found, NOW + at))
    dues = [one.due for one in arrivals.all]
    return [(one.earliest - NOW, one.latest - NOW, one.messages) for one in dues]


def test_a_range_stays_while_its_message_stays() -> None:
    arrivals = DelayArrivals()
    assert counted(arrivals, 0) == []
    # Sent after -5, since the count may be late, and by 5.
    assert counted(arrivals, 5, n6=1) == [(59, 132, 1)]
    assert counted(arrivals, 50, n6=1) == [(59, 132, 1)]
    assert counted(arrivals, 70, n5=1) == [(77, 133, 1)]


def test_another_message_may_take_its_place() -> None:
    arrivals = DelayArrivals()
    counted(arrivals, 0)
    counted(arrivals, 5, n4=1)
    assert counted(arrivals, 15, n4=1) == [(11, 46, 1)]
    # The first one has certainly left by 26; this one may have arrived since 0.
    assert counted(arrivals, 30, n4=1) == [(16, 61, 1)]


def test_what_was_there_before_the_first_count_may_leave_at_any_time() -> None:
    assert counted(DelayArrivals(), 0, n4=3) == [(-5, 31, 3)]


def test_arrivals_are_bounded() -> None:
    arrivals = DelayArrivals()
    for number in range(50):
        counted(arrivals, number, n20=number)
    assert len(arrivals.all) == MAX_ARRIVALS
    assert sum(one.messages for one in arrivals.all) == 49
    arrivals.apply(Delayed())
    assert arrivals.all == []


@pytest.mark.parametrize("seed", range(20))
def test_every_message_is_due_within_a_range(seed: int) -> None:
    """At each count, the ranges can be matched with the due times of all messages."""
    chance = random.Random(seed)
    number = chance.randint(1, 9)
    messages = [(chance.uniform(0, 300), chance.randint(1, 200)) for _ in range(number)]
    arrivals, at, seen = DelayArrivals(), 0.0, 0.0
    while at < 500:
        at += chance.uniform(1, 8)
        seen = max(seen, at - chance.uniform(0, STATISTICS_DELAY))
        levels: dict[int, list[float]] = {}
        for sent, countdown in messages:
            level = level_at(countdown, seen - sent)
            if level is not None:
                levels.setdefault(level, []).append(sent + countdown)
        counts = tuple(DelayLevel(level, len(dues)) for level, dues in sorted(levels.items()))
        arrivals.apply(Delayed(counts, at))
        for level, dues in levels.items():
            ranges = [one.due for one in arrivals.all if one.level == level]
            places = [one for one in ranges for _ in range(one.messages)]
            assert len(places) == len(dues)
            assert matched(dues, [(one.earliest, one.latest) for one in places]), (at, level)


def level_at(countdown: int, elapsed: float) -> int | None:
    """Return the level of a message some seconds after it was sent; None if it is in none."""
    if elapsed < 0:
        return None
    for level in reversed(range(8)):
        if countdown >> level & 1:
            elapsed -= 1 << level
            if elapsed < 0:
                return level
    return None


def matched(dues: list[float], ranges: list[tuple[float, float]]) -> bool:
    """Return whether each time has a range of its own that it is in: the earliest end first."""
    left = sorted(dues)
    for earliest, latest in sorted(ranges, key=lambda one: one[1]):
        fitting = next((due for due in left if earliest <= due <= latest), None)
        if fitting is None:
            return False
        left.remove(fitting)
    return True
