"""Findings on tasks that run much longer than their type usually does, and on types that got slow.

Both compare with what was measured before; without enough of it they conclude nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from typing import Final

from ..entities.task import Task
from ..entities.task_type import TaskType
from ..entities.time_series import STEP, STEPS, TimeSeries
from ..state import ClusterState
from ..text import units
from ..text.phrases import counted
from .finding import Finding

MIN_RUNS: Final = 10
"""Earlier runs of a type before one of its tasks can be called stuck."""
FAST: Final = 0.2
"""The quantile of all run times that fast runs have, also if most of them were slow."""
NEAR: Final = 0.9
"""How much of a limit is enough where run times are only known roughly."""
RECENT_STEPS: Final = 300 // STEP
MIN_RECENT: Final = 6
"""Steps of the last five minutes with finished tasks; and of the time before:"""
MIN_BEFORE: Final = 24


def task_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield the findings on running tasks and on task types."""
    shortest = state.thresholds.task_stuck
    for name in state.present_workers(now):
        there = now + state.skew(name)
        for id_ in state.workers[name].active_ids:
            task = state.tasks.get(id_)
            # Most of them are new: this is called for each running task, once a second.
            if task is None or task.started_at is None or there - task.started_at < shortest:
                continue
            if task.running and _is_stuck(task, state, there):
                yield _stuck(task, state, now, there)
    for type_ in state.types.values():
        series = state.series.types.series(type_.name)
        if series is not None:
            yield from _slow(type_, series, state, now)


def _is_stuck(task: Task, state: ClusterState, there: float) -> bool:
    """Return whether a running task is stuck; `there` is the time by its worker's clock."""
    elapsed = task.elapsed(there)
    type_ = state.types.get(task.name or "")
    if elapsed is None or type_ is None:
        return False
    longest, limits = type_.runtime.max, state.thresholds
    if longest is None or type_.runtime.count < MIN_RUNS:
        return False
    if elapsed < limits.task_stuck_ratio * longest:
        return False
    return task.progress is None or there - task.progress.at > limits.task_stuck


def _stuck(task: Task, state: ClusterState, now: float, there: float) -> Finding:
    name, elapsed = task.name or "", task.elapsed(there) or 0.0
    usual = state.types[name].runtime
    return Finding(
        "task-stuck",
        "warning",
        "task",
        f"{name} has run for {units.duration(int(elapsed))}; "
        f"{counted(usual.count, 'earlier run')} took at most {units.duration(usual.max)}",
        task.id,
        f"Check the log of {task.worker}, or terminate the task",
        {"task": name, "worker": task.worker, "runtime_s": elapsed, "longest_s": usual.max},
        since=now - elapsed,
        common="running much longer than usual",
    )


def _slow(
    type_: TaskType, series: TimeSeries, state: ClusterState, now: float
) -> Iterator[Finding]:
    """Yield a finding if the runs of the last five minutes take much longer than those before."""
    newest, limits = state.series.newest, state.thresholds
    recent = _known(series.window("runtime_p50", newest, RECENT_STEPS))
    # Cheap for the many types that are as fast as ever: the whole hour is read for the others.
    fastest = type_.runtime.quantile(FAST)
    if fastest is None or len(recent) < MIN_RECENT:
        return
    if _median(recent) < NEAR * limits.type_slow_ratio * fastest:
        return
    steps = series.window("runtime_p50", newest, STEPS)
    before = _known(steps[:-RECENT_STEPS])
    if len(before) < MIN_BEFORE:
        return
    slow, fast = _median(recent), _median(before)
    if slow < limits.type_slow_ratio * fast or slow - fast < limits.type_slow:
        return
    since = float((newest - _slow_steps(steps, (slow + fast) / 2) + 1) * STEP)
    yield Finding(
        "type-slow",
        "warning",
        "type",
        f"median run time ~{units.duration(slow)} for {units.duration(int(now - since))}, "
        f"~{units.duration(fast)} before",
        type_.name,
        evidence={"median_s": slow, "median_before_s": fast},
        since=since,
        common="slower than before",
    )


def _slow_steps(steps: list[float], limit: float) -> int:
    """Return how many steps ago values rose to the limit; a single lower one does not count."""
    slow_for, fast = 0, 0
    for ago, value in enumerate(reversed(steps), start=1):
        if isnan(value):
            continue
        if value >= limit:
            slow_for, fast = ago, 0
        elif (fast := fast + 1) > 1:
            break
    return slow_for


def _known(values: list[float]) -> list[float]:
    return [value for value in values if value == value]  # NaN equals nothing; faster than isnan


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
