"""Durations as columns, with their limits and quantiles below."""

from __future__ import annotations

import pytest
from celtop.model.entities.series.distribution import Distribution
from celtop.widgets.charts.histogram import histogram_lines
from celtop.widgets.glyphs import ASCII, UNICODE, Glyphs


def durations(*seconds: float) -> Distribution:
    found = Distribution()
    for one in seconds:
        found.add(one)
    return found


@pytest.mark.parametrize("width", [1, 7, 20, 58, 200])
@pytest.mark.parametrize("height", [1, 2, 9])
@pytest.mark.parametrize("glyphs", [ASCII, UNICODE])
def test_it_stays_within_its_size(width: int, height: int, glyphs: Glyphs) -> None:
    columns, axis = histogram_lines(
        durations(*(0.01 * 1.5**number for number in range(30))), width, height, glyphs
    )
    assert len(columns) == height - 1
    assert all(len(line) <= width for line in (*columns, axis))


def test_the_axis_names_the_quantiles() -> None:
    _, axis = histogram_lines(durations(*[0.5] * 90, *[60.0] * 10), 60, 5, UNICODE)
    assert "p50 0.5 s" in axis
    p95 = axis.partition("p95 ")[2]
    assert p95.startswith("59 s"), "a quantile is at most 5 % off"


def test_the_highest_column_is_the_most_frequent_duration() -> None:
    columns, _ = histogram_lines(durations(*[0.1] * 20, *[100.0] * 3), 60, 6, UNICODE)
    top, bottom = columns[0].rstrip(), columns[-1].rstrip()
    assert top
    assert len(top) < len(bottom), "the rare, long durations are visible in the lowest row alone"


def test_the_text_without_durations() -> None:
    assert histogram_lines(Distribution(), 40, 5, UNICODE) == ([], "none so far")
