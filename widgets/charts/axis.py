"""The axes of charts: units, round numbers and times of day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from math import ceil, floor, log10
from typing import Final

from ...model.text import units

MAX_SECONDS_TICK: Final = 180.0
"""The highest time on an axis that is written in seconds."""

_DECIMAL: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_TIMES: Final = (
    1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_200, 1_800,
    3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
)  # fmt: skip
"""Round numbers of seconds."""
_BINARY: Final = 1_024.0


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit of the numbers of a chart."""

    text: Callable[[float], str]
    """Writes a value."""
    tick: Callable[[float, float], str]
    """Writes a number beside the axis, given the highest one."""
    step: Callable[[float], float]
    """Returns the round number that is not less than a number."""
    least: float = 1.0
    """The lowest top of the axis."""


def decimal_step(least: float) -> float:
    """Return 1, 2, 2.5 or 5 times a power of ten."""
    size = 10.0 ** floor(log10(least))
    return next((size * factor for factor in _DECIMAL if size * factor >= least * 0.9999), least)


def whole_step(least: float) -> float:
    """Return a round whole number."""
    return max(1.0, float(ceil(decimal_step(least))))


def time_step(least: float) -> float:
    """Return a round number of seconds, minutes, hours or days; at least a millisecond."""
    if least <= 1.0:
        return max(0.001, decimal_step(least))
    return float(next((one for one in _TIMES if one >= least), 86_400 * ceil(least / 86_400)))


def binary_step(least: float) -> float:
    """Return a round number of bytes, KiB, MiB and so on."""
    size = 1.0
    while least / size >= _BINARY:
        size *= _BINARY
    return min(whole_step(least / size) * size, size * _BINARY)


def rate_step(least: float) -> float:
    """Return a round rate per second, or per minute or hour where that reads better.

    The highest number of an axis decides what all are written in. Steps of 20 per minute would end
    at one per second, so from above 10 per minute on they are steps per second.
    """
    for factor in (1, 60, 3_600):
        if least * factor >= 0.1667 or factor == 3_600:
            return decimal_step(least * factor) / factor
    return least


def _plain(value: float) -> str:
    return f"{value:,.10g}"


def _rate_tick(value: float, top: float) -> str:
    """Write all rates of an axis per the same time."""
    for factor, name in ((1, "s"), (60, "min"), (3_600, "h")):
        if top * factor >= 1.0 or factor == 3_600:
            return f"{_plain(round(value * factor, 6))}/{name}" if value else "0"
    return "0"


def _time_tick(value: float, top: float) -> str:
    """Write the times of an axis in one unit if they are short: `100 s`, not `1 m 40 s`."""
    if not value:
        return "0"
    if top < 1.0:
        return f"{_plain(round(value * 1_000, 6))} ms"
    return f"{_plain(value)} s" if top <= MAX_SECONDS_TICK else units.duration(value)


RATE: Final = Unit(units.rate, _rate_tick, rate_step, least=5 / 60)
"""Per second."""
COUNT: Final = Unit(lambda value: f"{value:,.0f}", lambda value, _: f"{value:,.0f}", whole_step)
NUMBER: Final = Unit(lambda value: f"{value:,.2f}", lambda value, _: _plain(value), decimal_step)
SHARE: Final = Unit(
    units.percent, lambda value, _: f"{_plain(round(value * 100, 6))} %", decimal_step, least=0.01
)
"""0 to 1, in percent."""
SECONDS: Final = Unit(units.duration, _time_tick, time_step, least=0.001)
BYTES: Final = Unit(
    units.size, lambda value, _: units.size(value) if value else "0", binary_step, least=1_024
)


def ticks(top: float, rows: int, unit: Unit) -> list[float]:
    """Return round numbers from 0 to just above a chart's highest value.

    Args:
        top: The highest value.
        rows: Lines of the chart: a number for about every third, or more if the highest number is
            lower then, so that less of the chart is empty.
        unit: What the numbers are.
    """
    top = max(top, unit.least)
    few = max(2, min(5, rows // 3))
    many = max(few, min(6, rows // 2), min(3, rows - 2))
    steps = [unit.step(top / number) for number in range(few, many + 1)]
    counts = [ceil(top / step - 1e-6) for step in steps]
    step, count = min(zip(steps, counts, strict=True), key=lambda found: found[0] * found[1])
    return [step * number for number in range(count + 1)]


def time_ticks(start: float, end: float, columns: int, tz: tzinfo | None) -> list[tuple[int, str]]:
    """Return the columns of round times of day, with their labels.

    Args:
        start: The epoch seconds of the left edge.
        end: The epoch seconds of the right edge.
        columns: The width of the chart in cells.
        tz: The time zone; None is the local one.
    """
    span = end - start
    if span <= 0 or columns <= 0:
        return []
    step = time_step(max(10.0, span * 10 / columns))
    offset = _utc_offset(start, tz)
    first = ceil((start + offset) / step) * step - offset
    found: list[tuple[int, str]] = []
    while first < end:
        label = units.clock(first, tz)[: 5 if step >= 60 else None]
        if step >= 3_600 and label == "00:00":
            label = units.date_time(first, tz)[5:10]
        found.append((int((first - start) / span * columns), label))
        first += step
    return found


def _utc_offset(epoch: float, tz: tzinfo | None) -> float:
    offset = datetime.fromtimestamp(epoch, UTC).astimezone(tz).utcoffset()
    return 0.0 if offset is None else offset.total_seconds()
