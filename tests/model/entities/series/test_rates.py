"""Counts per second."""

from __future__ import annotations

from celtop.model.entities.series.rates import SecondRing
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_700_000_000.0


def test_counts_by_second_oldest_first() -> None:
    ring = SecondRing(10)
    for at in (0.0, 0.9, 1.0, 4.5):
        ring.add(NOW + at)
    ring.add(NOW + 4.9, 3)
    assert ring.series(NOW + 5, 6) == [2, 1, 0, 0, 4, 0]
    assert ring.total == 7


def test_the_rate_ignores_the_current_second_and_the_time_before_the_first() -> None:
    ring = SecondRing(100)
    for second in range(4):
        ring.add(NOW + second, 10)
    assert ring.per_second(NOW + 4, 10) == 10.0
    assert ring.per_second(NOW + 3.5, 10) == 10.0
    assert ring.per_second(NOW + 14, 10) == 0.0
    assert SecondRing().per_second(NOW) == 0.0


def test_a_time_before_the_newest_counts_as_the_newest() -> None:
    ring = SecondRing(10)
    ring.add(NOW + 5)
    ring.add(NOW)
    assert ring.series(NOW + 5, 6) == [0, 0, 0, 0, 0, 2]


def test_old_seconds_are_dropped() -> None:
    ring = SecondRing(10)
    ring.add(NOW)
    ring.add(NOW + 10)
    assert ring.series(NOW + 10, 20) == [0] * 19 + [1]
    ring.add(NOW + 1000)
    assert sum(ring.series(NOW + 1000, 2000)) == 1


def test_counts_since() -> None:
    ring = SecondRing(100)
    for second in range(20):
        ring.add(NOW + second)
    assert ring.count_since(NOW + 9, NOW + 19) == 10


@given(st.lists(st.floats(0, 50), max_size=60))
def test_matches_plain_counting(offsets: list[float]) -> None:
    ring = SecondRing(20)
    offsets.sort()
    for offset in offsets:
        ring.add(NOW + offset)
    now = NOW + (offsets[-1] if offsets else 0.0)
    plain = [
        sum(int(NOW + offset) == second for offset in offsets)
        for second in range(int(now) - 19, int(now) + 1)
    ]
    assert ring.series(now, 20) == plain


def test_a_clock_that_is_set_back_resets_the_counts() -> None:
    ring = SecondRing(60)
    for second in range(100):
        ring.add(10_000.0 + second, 5)
    for second in range(10):
        ring.add(6_400.0 + second, 2)
    assert ring.per_second(6_410.0) == 2.0
    assert sum(ring.series(6_410.0, 60)) == 20
    assert ring.total == 520
