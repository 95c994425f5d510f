"""Findings on tasks that expired, or run much longer than their type usually does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...entities.task import Task
from ...state import ClusterState
from ...text import units
from ...text.phrases import counted
from ..finding import Finding
from ..newness import NEW

MIN_RUNS: Final = 10
"""Earlier runs of a type before one of its tasks can be called stuck."""


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
            if task.running and task.started_at >= first and _is_stuck(task, state, there):
                yield _stuck(task, state, there)


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


def _stuck(task: Task, state: ClusterState, there: float) -> Finding:
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
        since=there - state.skew(task.worker) - elapsed,
        common="running much longer than usual",
    )
