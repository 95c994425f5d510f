"""Findings on tasks that expired, or run much longer than their type usually does."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Final

from ...entities.task import Task
from ...state import ClusterState
from ...text import units
from ...text.phrases import counted
from ..finding import Finding, Severity
from ..newness import NEW

MIN_RUNS: Final = 10
"""Earlier runs of a type from which it follows how long its tasks usually run."""


def task_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield the findings on tasks that expired, and on running tasks."""
    yield from _expired(state, now)
    shortest, listening = state.thresholds.task_stuck, state.broker.listening(now)
    for name in state.present_workers(now):
        worker, there = state.workers[name], state.running_at(name, now)
        listed_at = worker.fact("active").answered_at
        # Of tasks that started before events were missed, it is the worker's reply that counts.
        is_listed = listed_at is not None and listed_at >= listening.since
        first = 0.0 if is_listed else listening.since + state.skew(name)
        for id_ in worker.active_ids:
            task = state.tasks.get(id_)
            # Most of them are new: this is called for each running task, once a second.
            if task is None or task.started_at is None or there - task.started_at < shortest:
                continue
            if not task.running or task.started_at < first:
                continue
            if (found := _stuck(task, state, there)) is not None:
                yield found


def _expired(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield a finding if tasks expired recently: their events do not name them.

    A few are no problem: `expires` is there to discard tasks that come too late.
    """
    totals = state.totals
    if totals.expired_at is None or now - totals.expired_at > NEW:
        return
    part = totals.expired / (totals.expired + totals.succeeded + totals.failed)
    yield Finding(
        "tasks-expired",
        "warning" if part >= state.thresholds.tasks_expired else "info",
        "tasks",
        f"{counted(totals.expired, 'task')} expired before a worker started "
        f"{'it' if totals.expired == 1 else 'them'}, the latest "
        f"{units.elapsed(totals.expired_at, now)} ago",
        next_step="Add processes or workers where tasks wait, or send tasks with later expires",
        evidence={"expired": totals.expired, "last_at": totals.expired_at},
        since=totals.expired_since,
    )


def _stuck(task: Task, state: ClusterState, there: float) -> Finding | None:
    """Return the finding if a task is stuck; `there` is the time by its worker's clock.

    Of a type with few earlier runs, it follows from its time limit. Without one, nothing follows
    from how long a task runs: after a long time, this is worth a look.
    """
    elapsed, type_ = task.elapsed(there), state.types.get(task.name or "")
    worker, limits = state.workers.get(task.worker or ""), state.thresholds
    if elapsed is None or not isfinite(elapsed) or type_ is None or worker is None:
        return None
    if task.progress is not None and there - task.progress.at <= limits.task_stuck:
        return None
    longest, runs = type_.runtime.max, type_.runtime.count
    if longest is not None and elapsed < limits.task_stuck_ratio * longest:
        return None
    severity: Severity = "warning"
    known = "no earlier run is known"
    if longest is not None:
        known = f"{counted(runs, 'earlier run')} took at most {units.duration(longest)}"
    time_limit = worker.time_limit(type_.name)
    if runs < MIN_RUNS and time_limit is not None:
        if elapsed < time_limit + limits.task_stuck:
            return None
        known = f"its time limit is {units.duration(time_limit)}"
    elif runs < MIN_RUNS:
        if elapsed < limits.task_stuck_unknown:
            return None
        severity = "info"
    return Finding(
        "task-stuck",
        severity,
        "task",
        f"{type_.name} has run for {units.duration(int(elapsed))}; {known}",
        task.id,
        f"Check the log of {worker.name}, or terminate the task",
        {
            "task": type_.name,
            "worker": worker.name,
            "runtime_s": elapsed,
            "longest_s": longest,
            "time_limit_s": time_limit,
        },
        since=there - state.skew(worker.name) - elapsed,
        common="running for a long time"
        if severity == "info"
        else "running much longer than usual",
    )
