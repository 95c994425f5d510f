"""Task types that became slow.

The last minutes are compared with the rest of the last hour. Most of that is slow itself if a type
stays slow, so that the run time before is remembered until the type is fast again. After a day, the
longer run times are the usual ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import nan
from typing import Final, NamedTuple

import msgspec

from ..entities.limits.thresholds import Thresholds
from ..entities.series.comparison import exceeds_by_z_test, high_for, known, median
from ..entities.series.time_series import STEP, STEPS, TimeSeries
from ..entities.task_type import RuntimeMeasure, Slowdown, TaskType
from .series_recorder import SeriesRecorder

MAX_SECONDS: Final = 86_400.0
"""How long a type is slow, until that is usual."""
NEAR: Final = 0.9
"""How much of a limit is enough where run times are only known roughly."""
RECENT_STEPS: Final = 300 // STEP
MIN_STEPS_BEFORE: Final = 180 // STEP
"""Steps before the recent ones. Run times of less than 15 minutes are compared in two parts: the
last third is recent."""
MIN_RECENT: Final = 5
"""Recent steps with finished tasks; and steps of the time before:"""
MIN_BEFORE: Final = 20
SLOW_DEVIATIONS: Final = 4.5
"""Standard deviations by which long run times are more frequent than before, if that is not by
chance: of a type with short and long runs, every few of them have another median."""


class _Measure(NamedTuple):
    """A measure of run times that is compared."""

    series: RuntimeMeasure
    least: float
    """A quantile of all run times that fast runs have, even if most of them were slow."""
    min_runs: int = 0
    """Runs in a step without which it is left out: the p95 of a few is just their maximum."""


_MEASURES: Final = (
    _Measure("runtime_p50", 0.2),
    _Measure("runtime_p95", 0.35, min_runs=20),
)


def update_slowdowns(
    types: Iterable[TaskType], recorder: SeriesRecorder, limits: Thresholds
) -> None:
    """Remember which types are slow, after a step was recorded."""
    for type_ in types:
        series = recorder.types.series(type_.name)
        found = None if series is None else slowdown(type_, series, recorder.newest, limits)
        if found != type_.slowdown:
            type_.slowdown = found


def slowdown(
    type_: TaskType, series: TimeSeries, newest: int, limits: Thresholds
) -> Slowdown | None:
    """Return since when recent runs take much longer than those before; None if they do not.

    Args:
        type_: The task type.
        series: Its run times.
        newest: The number of the last recorded step.
        limits: From when on run times are much longer.
    """
    now = (newest + 1) * STEP
    before = type_.slowdown
    if before is not None and before.since <= now:  # a frozen screen may show an earlier time
        return (
            _lasting(before, series, newest, limits) if now - before.since < MAX_SECONDS else None
        )
    found = (_new(type_, series, newest, limits, measure) for measure in _MEASURES)
    return next((one for one in found if one is not None), None)


def _lasting(
    before: Slowdown, series: TimeSeries, newest: int, limits: Thresholds
) -> Slowdown | None:
    """Return a slowdown with the run time now; None if that is no longer much longer."""
    measure = next(one for one in _MEASURES if one.series == before.measure)
    recent = known(_runs(series, newest, measure, _recent_steps(series, newest)))
    if len(recent) < MIN_RECENT:
        recent = known(_runs(series, newest, measure, STEPS))[-MIN_RECENT:]
    if not recent or not is_much_longer(median(recent), before.runtime_before, limits):
        return None
    return msgspec.structs.replace(before, runtime=median(recent))


def _new(
    type_: TaskType, series: TimeSeries, newest: int, limits: Thresholds, measure: _Measure
) -> Slowdown | None:
    count = _recent_steps(series, newest)
    if _recorded_steps(series, newest) - count < MIN_STEPS_BEFORE:
        return None
    recent = known(_runs(series, newest, measure, count))
    # Cheap for the many types that are as fast as ever: the whole hour is read for the others.
    least = type_.runtime.quantile(measure.least)
    if least is None or len(recent) < MIN_RECENT:
        return None
    if median(recent) < NEAR * limits.type_slow_ratio * least:
        return None
    steps = _runs(series, newest, measure, STEPS)
    before = known(steps[:-count])
    if len(before) < MIN_BEFORE:
        return None
    slow, fast = median(recent), median(before)
    if not is_much_longer(slow, fast, limits):
        return None
    middle = (slow + fast) / 2
    longer, longer_before = (sum(value > middle for value in part) for part in (recent, before))
    if not exceeds_by_z_test(longer, len(recent), longer_before, len(before), SLOW_DEVIATIONS):
        return None
    return Slowdown(
        measure.series, slow, fast, float((newest - high_for(steps, middle) + 1) * STEP)
    )


def _recent_steps(series: TimeSeries, newest: int) -> int:
    """Return how many steps are recent, both to find a slowdown and to see whether it lasts."""
    return min(RECENT_STEPS, _recorded_steps(series, newest) // 3)


def _recorded_steps(series: TimeSeries, newest: int) -> int:
    return min(STEPS, newest - (newest if series.first is None else series.first) + 1)


def is_much_longer(runtime: float, before: float, limits: Thresholds) -> bool:
    """Return whether a run time, in seconds, is slow beside those before."""
    return runtime >= limits.type_slow_ratio * before and runtime - before >= limits.type_slow


def _runs(series: TimeSeries, newest: int, measure: _Measure, count: int) -> list[float]:
    """Return the run times of the last steps; NaN for those with too few runs."""
    values = series.window(measure.series, newest, count)
    if not measure.min_runs:
        return values
    least = measure.min_runs / STEP
    ran = series.window("succeeded", newest, count)
    return [value if rate >= least else nan for value, rate in zip(values, ran, strict=True)]
