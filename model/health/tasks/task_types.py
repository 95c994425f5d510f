"""Findings on task types that became slow, or fail more often than before.

Both compare the last minutes with the rest of the last hour; without enough of it they conclude
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan, nan, sqrt
from typing import Final, NamedTuple

from ...entities.series.time_series import STEP, STEPS, TimeSeries
from ...entities.task_type import TaskType
from ...state import ClusterState
from ...text import units
from ..finding import Finding
from ..newness import DEVIATIONS, MIN_FAILURES

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
chance."""
MIN_ENDED: Final = 10
"""Tasks that ended in the last five minutes, and in the time before:"""
MIN_ENDED_BEFORE: Final = 20
ERROR_SHARE: Final = 0.5
"""The part of tasks from which on failures are an error."""
STEPS_PER_MINUTE: Final = 60 // STEP


class Measure(NamedTuple):
    """A measure of run times that is compared."""

    series: str
    title: str
    evidence: str
    least: float
    """A quantile of all run times that fast runs have, even if most of them were slow."""
    min_runs: int = 0
    """Runs in a step without which it is left out: the p95 of a few is just their maximum."""


MEASURES: Final = (
    Measure("runtime_p50", "median run time", "median", 0.2),
    Measure("runtime_p95", "p95 of run times", "p95", 0.35, min_runs=20),
)


def type_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield the findings on task types."""
    for type_ in state.types.values():
        series = state.series.types.series(type_.name)
        if series is not None:
            yield from _slow(type_, series, state, now)
            yield from _failing(type_, series, state, now)


def _slow(
    type_: TaskType, series: TimeSeries, state: ClusterState, now: float
) -> Iterator[Finding]:
    """Yield a finding if recent runs take much longer than those before."""
    for measure in MEASURES:
        found = _slowdown(type_, series, state, measure)
        if found is None:
            continue
        slow, fast, since = found
        yield Finding(
            "type-slow",
            "warning",
            "type",
            f"{measure.title} ~{units.duration(slow)} for {units.duration(int(now - since))}, "
            f"~{units.duration(fast)} before",
            type_.name,
            "Compare slow tasks with earlier ones: arguments, workers and versions",
            {f"{measure.evidence}_s": slow, f"{measure.evidence}_before_s": fast},
            since=since,
            common="slower than before",
        )
        return


def _slowdown(
    type_: TaskType, series: TimeSeries, state: ClusterState, measure: Measure
) -> tuple[float, float, float] | None:
    """Return the run time now and before, and since when it is longer; None if it is not."""
    newest, limits = state.series.newest, state.thresholds
    recorded = min(STEPS, newest - (newest if series.first is None else series.first) + 1)
    count = min(RECENT_STEPS, recorded // 3)
    if recorded - count < MIN_STEPS_BEFORE:
        return None
    recent = _known(_runs(series, state, measure, count))
    # Cheap for the many types that are as fast as ever: the whole hour is read for the others.
    least = type_.runtime.quantile(measure.least)
    if least is None or len(recent) < MIN_RECENT:
        return None
    if _median(recent) < NEAR * limits.type_slow_ratio * least:
        return None
    steps = _runs(series, state, measure, STEPS)
    before = _known(steps[:-count])
    if len(before) < MIN_BEFORE:
        return None
    slow, fast = _median(recent), _median(before)
    if slow < limits.type_slow_ratio * fast or slow - fast < limits.type_slow:
        return None
    middle = (slow + fast) / 2
    longer, longer_before = (sum(value > middle for value in part) for part in (recent, before))
    if not _exceeds_by_z_test(longer, len(recent), longer_before, len(before), SLOW_DEVIATIONS):
        return None
    return slow, fast, float((newest - _high_for(steps, middle) + 1) * STEP)


def _runs(series: TimeSeries, state: ClusterState, measure: Measure, count: int) -> list[float]:
    """Return the run times of the last steps; NaN for those with too few runs."""
    values = series.window(measure.series, state.series.newest, count)
    if not measure.min_runs:
        return values
    least = measure.min_runs / STEP
    ran = series.window("succeeded", state.series.newest, count)
    return [value if rate >= least else nan for value, rate in zip(values, ran, strict=True)]


def _failing(
    type_: TaskType, series: TimeSeries, state: ClusterState, now: float
) -> Iterator[Finding]:
    """Yield a finding if a much larger part of the tasks fails than before."""
    newest, limits = state.series.newest, state.thresholds
    failed = _total(series.window("failed", newest, RECENT_STEPS))
    if failed < MIN_FAILURES:
        return
    ended = failed + _total(series.window("succeeded", newest, RECENT_STEPS))
    if ended < MIN_ENDED or failed < limits.type_failing * ended:
        return
    failures = series.window("failed", newest, STEPS)
    successes = series.window("succeeded", newest, STEPS)
    failed_before = _total(failures[:-RECENT_STEPS])
    ended_before = failed_before + _total(successes[:-RECENT_STEPS])
    if ended_before < MIN_ENDED_BEFORE:
        return
    share, before = failed / ended, failed_before / ended_before
    if share < limits.type_failing_ratio * before:
        return
    if not _exceeds_by_z_test(failed, ended, failed_before, ended_before, DEVIATIONS):
        return
    shares = _shares_by_minute(failures, successes)
    since = now - 60.0 * _high_for(shares, (share + before) / 2)
    yield Finding(
        "type-failing",
        "error" if share >= ERROR_SHARE else "warning",
        "type",
        f"{units.percent(share)} of {ended:,.0f} tasks failed in the last 5 m, "
        f"{units.percent(before)} before",
        type_.name,
        "Open its failures: their exception, their workers, and when they began",
        {"failed": round(failed), "ended": round(ended), "share": share, "share_before": before},
        since=since // 60 * 60,
        common="failing more often than before",
    )


def _exceeds_by_z_test(
    part: float, of: float, part_before: float, of_before: float, deviations: float
) -> bool:
    """Return whether a part of all is larger than before, and not just by chance.

    By chance, a type with short and long runs has another median in each few of them.

    This is the one-sided two-proportion z-test with the pooled variance (NIST/SEMATECH e-Handbook
    of Statistical Methods, 7.3.3): the difference of the shares is compared with its standard
    deviation if both had the share of all together.

    Args:
        part: How many of the recent ones, such as failed tasks.
        of: The number of the recent ones; not 0.
        part_before: The same before.
        of_before: The number before; not 0.
        deviations: The least z: 4.5 is exceeded by chance three times in a million tests.
    """
    share = (part + part_before) / (of + of_before)
    variance = share * (1 - share) * (1 / of + 1 / of_before)
    return part / of - part_before / of_before > deviations * sqrt(variance)


def _shares_by_minute(failures: list[float], successes: list[float]) -> list[float]:
    """Return which part of the tasks failed in each minute; NaN if none ended."""
    shares = []
    for start in range(0, len(failures), STEPS_PER_MINUTE):
        failed = _total(failures[start : start + STEPS_PER_MINUTE])
        ended = failed + _total(successes[start : start + STEPS_PER_MINUTE])
        shares.append(failed / ended if ended else nan)
    return shares


def _total(per_second: list[float]) -> float:
    """Return how many tasks ended in some steps."""
    return STEP * sum(_known(per_second))


def _high_for(values: list[float], limit: float) -> int:
    """Return how many values ago they rose to the limit; a single lower one does not count."""
    high_for, low = 0, 0
    for ago, value in enumerate(reversed(values), start=1):
        if isnan(value):
            continue
        if value >= limit:
            high_for, low = ago, 0
        elif (low := low + 1) > 1:
            break
    return high_for


def _known(values: list[float]) -> list[float]:
    return [value for value in values if value == value]  # NaN equals nothing; faster than isnan


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
