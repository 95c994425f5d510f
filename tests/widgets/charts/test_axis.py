from __future__ import annotations

from datetime import UTC

import pytest
from celtop.widgets.charts.axis import BYTES, COUNT, RATE, SECONDS, SHARE, Unit, ticks, time_ticks

NOON = 1_699_963_200.0


@pytest.mark.parametrize(
    ("unit", "top", "labels"),
    [
        (RATE, 86.0, "0 20/s 40/s 60/s 80/s 100/s"),
        (RATE, 0.3, "0 5/min 10/min 15/min 20/min"),
        (RATE, 0.85, "0 0.2/s 0.4/s 0.6/s 0.8/s 1/s"),
        (RATE, 1.55, "0 0.5/s 1/s 1.5/s 2/s"),
        (RATE, 0.0, "0 1/min 2/min 3/min 4/min 5/min"),
        (COUNT, 3.0, "0 1 2 3"),
        (COUNT, 27_001.0, "0 10,000 20,000 30,000"),
        (SHARE, 0.012, "0 % 0.2 % 0.4 % 0.6 % 0.8 % 1 % 1.2 %"),
        (SECONDS, 0.0, "0 1 ms"),
        (SECONDS, 0.0015, "0 1 ms 2 ms"),
        (SECONDS, 0.032, "0 10 ms 20 ms 30 ms 40 ms"),
        (SECONDS, 0.2, "0 50 ms 100 ms 150 ms 200 ms"),
        (SECONDS, 100.0, "0 20 s 40 s 60 s 80 s 100 s"),
        (SECONDS, 1.3, "0 0.5 s 1 s 1.5 s"),
        (SECONDS, 5_000.0, "0 15 m 30 m 45 m 1 h 1 h 15 m 1 h 30 m"),
        (BYTES, 200 * 1024**2, "0 50.0 MiB 100.0 MiB 150.0 MiB 200.0 MiB"),
    ],
)
def test_the_axis_has_round_numbers_up_to_the_highest_value(
    unit: Unit, top: float, labels: str
) -> None:
    found = ticks(top, 15, unit)
    assert found[-1] >= top
    assert " ".join(unit.tick(number, found[-1]) for number in found) == labels


def test_a_low_chart_has_few_numbers() -> None:
    assert ticks(86.0, 2, RATE) == [0.0, 50.0, 100.0]
    assert ticks(0.3, 3, SHARE) == pytest.approx([0.0, 0.2, 0.4])


def test_a_chart_is_as_empty_as_round_numbers_need() -> None:
    assert ticks(101.0, 5, COUNT) == [0, 50, 100, 150]
    assert ticks(8.0, 8, COUNT) == [0, 2, 4, 6, 8]
    assert ticks(49.0, 8, COUNT) == [0, 25, 50]  # with 10 as the step, the top would be the same


def test_times_of_day_are_round() -> None:
    assert time_ticks(NOON - 130, NOON + 770, 60, UTC) == [
        (8, "12:00"),
        (28, "12:05"),
        (48, "12:10"),
    ]
    assert time_ticks(NOON, NOON + 60, 30, UTC) == [
        (0, "12:00:00"), (10, "12:00:20"), (20, "12:00:40"),
    ]  # fmt: skip
