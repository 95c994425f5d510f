from __future__ import annotations

from math import nan
from typing import Any

import pytest
from celtop.widgets.charts.plot import Layer, fitted, highest, plot
from celtop.widgets.glyphs import ASCII, UNICODE
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.one_of(st.just(nan), st.floats(0, 1e6))


def texts(layers: list[Layer], width: int, rows: int, top: float, **options: Any) -> list[str]:
    lines = plot(layers, width, rows, top, UNICODE, **options)
    return ["".join(character for character, _ in line) for line in lines]


def test_an_area_is_filled_to_its_value_and_unknown_values_are_blank() -> None:
    area = Layer("ok", [nan, 0.0, 1.0, 8.0, 12.0, 16.0], "ok")
    assert texts([area], 6, 2, 16.0) == ["    ▄█", "  ▁███"]


def test_layers_are_stacked_and_share_cells_by_their_colours() -> None:
    layers = [Layer("ok", [4.0, 8.0], "ok"), Layer("failed", [12.0, 0.0], "failed")]
    assert plot(layers, 2, 2, 16.0, UNICODE) == [
        [("█", "failed/failed"), (" ", "")],
        [("▄", "ok/failed"), ("█", "ok/ok")],
    ]


def test_a_rare_failure_takes_a_part_even_at_the_top() -> None:
    layers = [Layer("ok", [1_000.0], "ok"), Layer("failed", [0.01], "failed")]
    assert plot(layers, 1, 1, 1_000.0, UNICODE) == [[("▇", "ok/failed")]]


def test_without_colour_layers_differ_by_their_characters() -> None:
    layers = [Layer("ok", [8.0], "ok"), Layer("failed", [8.0], "failed")]
    assert texts(layers, 1, 2, 16.0, coloured=False) == ["▒", "█"]
    lines = plot(layers, 1, 2, 16.0, ASCII)
    assert [line[0] for line in lines] == [("+", "failed"), ("#", "ok")]


def test_without_colour_as_many_layers_as_a_chart_has_differ() -> None:
    # The waiting messages of four queues, and of the others.
    layers = [Layer(str(at), [8.0], str(at)) for at in range(5)]
    shown = [line[0] for line in texts(layers, 1, 5, 40.0, coloured=False)]
    assert len(set(shown)) == 5


def test_a_line_lies_over_the_areas() -> None:
    layers = [Layer("busy", [8.0, 16.0, 0.0], "first"), Layer("slots", [16.0] * 3, "rest", True)]
    assert texts(layers, 3, 2, 16.0) == ["▔█▔", "██ "]
    assert highest([Layer("a", [1.0], "ok"), Layer("b", [2.0], "ok")]) == 3.0
    assert highest([Layer("a", [nan], "ok")]) == 0.0


def test_all_columns_are_filled_and_no_peak_is_lost() -> None:
    short = Layer("ok", [1.0, 2.0], "ok")
    assert fitted([short], 6) == [[1.0, 1.0, 1.0, 2.0, 2.0, 2.0]]
    values = [0.0] * 1_000
    values[537] = 9.0
    shown = fitted([Layer("ok", values, "ok")], 60)[0]
    assert len(shown) == 60
    assert max(shown) == 9.0


@pytest.mark.parametrize("columns", [2, 7, 45, 59, 60, 90])
def test_the_last_column_draws_the_newest_step_and_the_others_all_peaks(columns: int) -> None:
    for peak in (0, 1, 30, 57, 58, 59):
        values = [1.0] * 60
        values[peak] = 9.0
        shown = fitted([Layer("waiting", values, "first")], columns, newest_alone=True)[0]
        assert len(shown) == columns
        assert max(shown) == 9.0
        assert shown[-1] == values[-1]


@given(
    st.lists(st.lists(VALUES, min_size=7, max_size=7), min_size=1, max_size=4),
    st.integers(1, 20),
    st.integers(1, 6),
    st.sampled_from([UNICODE, ASCII]),
)
def test_any_values_fit_any_size(
    values: list[list[float]], width: int, rows: int, glyphs: object
) -> None:
    layers = [Layer(str(at), each, "ok", at == 3) for at, each in enumerate(values)]
    lines = plot(layers, width, rows, highest(layers), glyphs)  # type: ignore[arg-type]
    assert len(lines) == rows
    assert all(len(line) == width for line in lines)
    assert all(len(character) == 1 for line in lines for character, _ in line)
