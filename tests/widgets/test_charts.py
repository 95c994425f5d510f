"""Sparklines and bars, as the characters that they are."""

from __future__ import annotations

import pytest
from celtop.widgets.charts.progress import bar_cells, progress_cells
from celtop.widgets.charts.sparkline import spark
from celtop.widgets.glyphs import ASCII


def text(cells: tuple[tuple[str, str], ...]) -> str:
    return "".join(part for part, _ in cells)


@pytest.mark.parametrize(
    ("values", "width", "line"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], 8, "▁▂▃▄▅▆▇█"),
        ([0, 0, 0], 3, "▁▁▁"),
        ([5, 5], 4, "  ██"),
        ([9, 9, 0, 100], 2, "▁█"),
        ([1, None, 8], 3, "▂ █"),
        ([0, 1, 1000], 3, "▁▂█"),
        ([], 3, "   "),
        ([1], 0, ""),
    ],
)
def test_spark(values: list[float | None], width: int, line: str) -> None:
    assert spark(values, width) == line


def test_spark_between_its_own_least_and_most() -> None:
    assert spark([100, 101, 102], 3, floor=None) == "▁▅█"
    assert spark([50, 100], 2, ceiling=200) == "▃▅"


def test_spark_in_ascii() -> None:
    assert spark([0, 4, 8], 3, ASCII) == ".=@" or spark([0, 4, 8], 3, ASCII).isascii()
    assert spark([0, 8], 2, ASCII) == ".@"


@pytest.mark.parametrize(
    ("fraction", "drawn"),
    [
        (0.0, "░░░░"),
        (1.0, "████"),
        (0.5, "██░░"),
        (0.53, "██▏░"),
        (0.99, "████"),
        (2.0, "████"),
        (-1.0, "░░░░"),
    ],
)
def test_bar(fraction: float, drawn: str) -> None:
    assert text(bar_cells(fraction, 4)) == drawn


@pytest.mark.parametrize("width", range(30))
def test_a_bar_takes_exactly_its_width(width: int) -> None:
    for fraction in (None, 0.0, 0.01, 0.37, 0.5, 0.999, 1.0, float("nan")):
        for step in range(40):
            assert len(text(bar_cells(fraction, width, step=step))) == width
        assert len(text(bar_cells(fraction, width, estimated=True))) == width


def test_an_unknown_fraction_wanders_to_and_fro() -> None:
    drawn = [text(bar_cells(None, 4, step=step)) for step in range(7)]
    assert drawn == ["▒░░░", "░▒░░", "░░▒░", "░░░▒", "░░▒░", "░▒░░", "▒░░░"]


def test_an_estimate_is_drawn_otherwise_and_labelled() -> None:
    assert text(progress_cells(0.75, 4, estimated=True)) == "▒▒▒░ ~75 %"
    assert text(progress_cells(0.75, 4)) == "███░  75 %"
    assert text(progress_cells(None, 4)) == "▒░░░      "


def test_only_what_is_done_is_at_a_hundred() -> None:
    assert text(progress_cells(0.999, 4)).endswith(" 99 %")
    assert text(progress_cells(0.29, 4)).endswith(" 29 %")
    assert text(progress_cells(1.0, 4)).endswith("100 %")


def test_bars_in_ascii() -> None:
    assert text(progress_cells(0.5, 4, ASCII)) == "##--  50 %"
    assert text(progress_cells(0.5, 4, ASCII, estimated=True)) == "==-- ~50 %"
