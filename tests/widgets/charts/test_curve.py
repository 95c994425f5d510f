"""Curves in braille."""

from __future__ import annotations

from math import nan, sin

import plotext
import pytest
from celtop.widgets.charts.curve import EMPTY, curve
from celtop.widgets.charts.plot import Layer, plot
from celtop.widgets.glyphs import ASCII, UNICODE


@pytest.mark.parametrize("size", [(1, 1), (20, 3), (60, 8), (240, 40)])
def test_it_fills_its_size_exactly(size: tuple[int, int]) -> None:
    width, rows = size
    lines = curve(plotext, [5 + 4 * sin(step / 9) for step in range(120)], width, rows, 10.0)
    assert [len(line) for line in lines] == [width] * rows
    assert any(set(line) - EMPTY for line in lines)


def test_a_high_value_is_above_a_low_one_and_gaps_are_blank() -> None:
    values = [9.0] * 20 + [nan] * 20 + [1.0] * 20
    lines = curve(plotext, values, 30, 10, 10.0)
    drawn = [[x for x, character in enumerate(line) if character not in EMPTY] for line in lines]
    assert max(drawn[0] + drawn[1]) < 12
    assert min(drawn[-1] + drawn[-2]) > 17
    assert all(not 12 <= x <= 17 for line in drawn for x in line)


def test_a_value_without_neighbours_is_visible() -> None:
    lines = curve(plotext, [nan] * 30 + [5.0] + [nan] * 29, 30, 4, 10.0)
    assert sum(character not in EMPTY for line in lines for character in line) >= 1


def test_no_values_are_blank() -> None:
    assert not set("".join(curve(plotext, [nan] * 10, 12, 3, 1.0))) - EMPTY


def test_lines_of_a_chart_are_curves_but_in_ascii() -> None:
    layers = (Layer("slots", [4.0] * 60, "rest", is_line=True),)
    cells = plot(layers, 30, 6, 10.0, UNICODE, plotext=plotext)
    assert any("\u2800" < character <= "\u28ff" for line in cells for character, _ in line)
    plain = plot(layers, 30, 6, 10.0, ASCII, plotext=plotext)
    assert all(character.isascii() for line in plain for character, _ in line)


def test_values_that_no_axis_holds_are_left_out_or_cut() -> None:
    for top in (10.0, 0.0, float("inf"), 1e308):
        lines = curve(plotext, [float("inf"), 1e308, -1e308, 5.0, 5.0], 20, 4, top)
        assert [len(line) for line in lines] == [20] * 4
