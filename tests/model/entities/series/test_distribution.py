"""Estimated quantiles are close to the exact ones."""

from __future__ import annotations

import math

from celtop.model.entities.series.distribution import BUCKET_GROWTH, MIN_TAIL_COUNT, Distribution
from hypothesis import given
from hypothesis import strategies as st


def test_empty() -> None:
    empty = Distribution()
    assert (empty.count, empty.mean, empty.max, empty.quantile(0.5)) == (0, None, None, None)


def test_invalid_durations_are_ignored() -> None:
    sketch = Distribution()
    for odd in (math.nan, math.inf, -1.0):
        sketch.add(odd)
    assert sketch.count == 0
    sketch.add(0.0)
    assert (sketch.count, sketch.quantile(0.5), sketch.max) == (1, 0.0, 0.0)


@given(st.lists(st.floats(0.001, 1e6), min_size=1), st.floats(0.01, 1.0))
def test_a_quantile_is_accurate_to_one_bucket(values: list[float], q: float) -> None:
    sketch = Distribution()
    for value in values:
        sketch.add(value)
    exact = sorted(values)[math.ceil(q * len(values)) - 1]
    found = sketch.quantile(q)
    assert found is not None
    assert exact / BUCKET_GROWTH <= found <= exact * BUCKET_GROWTH
    assert math.isclose(sketch.mean or 0.0, sum(values) / len(values))
    assert sketch.max == max(values)


def test_the_limit_of_unusual_durations() -> None:
    durations = Distribution()
    for _ in range(MIN_TAIL_COUNT - 1):
        durations.add(0.1)
    assert durations.tail_limit() is None
    durations.add(0.1)
    limit = durations.tail_limit()
    assert limit is not None
    assert 0.1 <= limit < 0.12
    for _ in range(1_000):
        durations.add(5.0)
    limit = durations.tail_limit()
    assert limit is not None
    assert 5.0 <= limit < 6.0


def test_the_histogram_counts_every_duration_in_adjacent_bars() -> None:
    durations = Distribution()
    for seconds in (0.0, 0.01, 0.011, 0.5, 0.5, 7.0):
        durations.add(seconds)
    bars = durations.bars(12)
    assert len(bars) <= 12
    assert sum(bar.count for bar in bars) == durations.count
    assert bars[0].lower == 0.0
    assert bars[0].count
    assert bars[-1].count
    assert [bar.upper for bar in bars[:-1]] == [bar.lower for bar in bars[1:]]
    found = next(bar for bar in bars if bar.lower <= 0.5 < bar.upper)
    assert found.count == 2


def test_equal_durations_are_one_bar() -> None:
    durations = Distribution()
    for _ in range(5):
        durations.add(2.0)
    (bar,) = durations.bars(40)
    assert bar.count == 5
    assert bar.lower <= 2.0 < bar.upper


def test_no_durations_have_no_bars() -> None:
    assert Distribution().bars(10) == []
