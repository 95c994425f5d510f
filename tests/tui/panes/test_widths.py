from __future__ import annotations

import pytest
from celtop.tui.panes.widths import left_width


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (0, 0, 90),
        (80, 100, 90),
        (100, 90, 100),  # the left texts are whole, the right ones still are
        (150, 90, 110),  # the left takes all that is spare
        (150, 20, 130),  # but leaves room for the charts
        (150, 150, 90),  # nothing is spare
        (60, 120, 80),
        (40, 190, 70),
        (85, 190, 85),
    ],
)
def test_a_side_whose_texts_are_cut_takes_what_the_other_has_left(
    left: int, right: int, expected: int
) -> None:
    assert left_width(200, (left, left), (right, right)) == expected


def test_names_go_before_other_texts() -> None:
    assert left_width(200, (100, 150), (90, 150)) == 100
    assert left_width(200, (80, 100), (60, 90)) == 100
