"""Findings on task types that became slow, or fail more often than before.

Both compare the last minutes with the rest of the last hour; without enough of it they conclude
nothing. A type that became slow is compared with the time before that while it stays slow.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import nan
from typing import Final

from ...entities.series.comparison import exceeds_by_z_test, high_for, known
from ...entities.series.time_series import STEP, STEPS, TimeSeries
from ...entities.task_type import TaskType
from ...ingest.slowdowns import slowdown
from ...state import ClusterState
from ...text import units
from ..finding import Finding
from ..newness import DEVIATIONS, MIN_FAILURES

RECENT_STEPS: Final = 300 // STEP
MIN_ENDED: Final = 10
"""Tasks that ended in the last five minutes, and in the time before:"""
MIN_ENDED_BEFORE: Final = 20
ERROR_SHARE: Final = 0.5
"""The part of tasks from which on failures are an error."""
STEPS_PER_MINUTE: Final = 60 // STEP


MEASURES: Final = {
    "runtime_p50": ("median run time", "median"),
    "runtime_p95": ("p95 of run times", "p95"),
}
"""The title and the name in the evidence of each measure of run times."""


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
    found = slowdown(type_, series, state.series.newest, state.thresholds)
    if found is None:
        return
    title, evidence = MEASURES[found.measure]
    yield Finding(
        "type-slow",
        "warning",
        "type",
        f"{title} ~{units.duration(found.runtime)} for {units.duration(int(now - found.since))}, "
        f"~{units.duration(found.runtime_before)} before",
        type_.name,
        "Compare slow tasks with earlier ones: arguments, workers and versions",
        {f"{evidence}_s": found.runtime, f"{evidence}_before_s": found.runtime_before},
        since=found.since,
        common="slower than before",
    )


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
    if not exceeds_by_z_test(failed, ended, failed_before, ended_before, DEVIATIONS):
        return
    shares = _shares_by_minute(failures, successes)
    since = now - 60.0 * high_for(shares, (share + before) / 2)
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
    return STEP * sum(known(per_second))
