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
