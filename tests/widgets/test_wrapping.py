"""Where texts are broken."""

from __future__ import annotations

import pytest
from celtop.widgets.wrapping import wrap
from rich.cells import cell_len


@pytest.mark.parametrize("width", [1, 2, 7, 20, 39, 40])
@pytest.mark.parametrize("text", ["E: a bb ccc dddd eeeee", "x" * 95, "E: 世界" * 20, "", " " * 50])
@pytest.mark.parametrize("fill", [True, False])
def test_wrapping_loses_nothing_but_blanks_and_fits(text: str, width: int, fill: bool) -> None:
    parts = list(wrap(text, width, 2, fill=fill))
    assert "".join(text[a:b] for a, b in parts).replace(" ", "") == text.replace(" ", "")
    for number, (start, end) in enumerate(parts):
        room = max(1, width - 2 * (number > 0))
        assert cell_len(text[start:end]) <= room or end - start == 1


def test_a_long_word_fills_the_line_or_takes_a_line_of_its_own() -> None:
    text = "2 in celery@billing-1"
    assert list(wrap(text, 18)) == [(0, 4), (5, 21)]
    assert list(wrap(text, 18, fill=True)) == [(0, 18), (18, 21)]


@pytest.mark.parametrize("value", ["2.0 s", "47 ms", "3 m 46 s", "54 %", "12 MiB", "5 d 2 h"])
def test_a_value_and_its_unit_stay_together(value: str) -> None:
    text = f"heartbeat every {value}, or so: {value}"
    for width in range(len(value) + 1, len(text)):
        lines = [text[start:end] for start, end in wrap(text, width)]
        assert sum(line.count(value) for line in lines) == 2, lines


def test_a_value_that_is_too_long_for_a_line_is_broken_before_its_last_part() -> None:
    assert [*wrap("3 m 46 s", 5)] == [(0, 3), (4, 8)]


def test_a_number_before_a_word_is_no_value() -> None:
    assert [*wrap("batch 12 sent", 8)] == [(0, 8), (9, 13)]


def test_a_word_that_ends_like_a_unit_is_no_value() -> None:
    assert [*wrap("team 4 s", 7)] == [(0, 4), (5, 8)]
