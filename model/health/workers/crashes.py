"""Findings on tasks whose runs do not end: they kill the process or worker that runs them."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from ...entities.states import REJECTED, RETRY
from ...entities.task import Task
from ...ingest.tasks.failure_groups import FailureGroup
from ...state import ClusterState
from ...text import units
from ...text.phrases import counted, named
from ..finding import Finding
from ..newness import NEW

MIN_INTERRUPTED: Final = 2
"""Runs without an end after which a task is in a crash loop."""
WORKER_LOST: Final = "WorkerLostError"
"""The exception of a task whose pool process ended while it ran."""
_SIGNAL: Final = re.compile(r"signal (\d{1,2})\b")
"""How billiard reports the signal: `Worker exited prematurely: signal 9 (SIGKILL)`."""


def crash_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield the findings on tasks in a crash loop, and on types whose processes were killed."""
    for id_ in tuple(state.interrupted):
        task = state.tasks.get(id_)
        if task is not None and not task.finished:
            runs = interrupted_runs(task)
            if runs >= MIN_INTERRUPTED:
                yield _loop(task, runs, state)
    killed: dict[str, list[FailureGroup]] = {}
    for group in state.failures:
        if group.error is not None and group.error.rpartition(".")[2] == WORKER_LOST:
            at = group.last_at
            if at is not None and now - at < NEW:
                name = next(iter(group.names)) if len(group.names) == 1 else ""
                killed.setdefault(name, []).append(group)
    for name, groups in killed.items():
        yield _killed(name, groups, state, now)


def interrupted_runs(task: Task) -> int:
    """Return how many runs of a task's present attempt began and had no result."""
    return sum(
        1
        for run in task.attempts
        if run.number == task.retries
        and run.started_at is not None
        and (run.state == REJECTED or (run.finished_at is None and run.state != RETRY))
    )


def ended_by(text: str | None) -> int | None:
    """Return the number of the signal in a `WorkerLostError`; None if it names none."""
    found = _SIGNAL.search(text or "")
    return None if found is None else int(found[1])


def signal_name(number: int) -> str:
    """Return `SIGKILL` for 9."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _loop(task: Task, runs: int, state: ClusterState) -> Finding:
    workers = list(dict.fromkeys(run.worker for run in task.attempts if run.worker is not None))
    name = task.name or "a task"
    started = [
        run.started_at - state.skew(run.worker)
        for run in task.attempts
        if run.started_at is not None
    ]
    why = "it probably kills the process that runs it"
    if any(run.state == REJECTED for run in task.attempts):
        why = "it kills the process that runs it, or raises Reject(requeue=True)"
    return Finding(
        "task-crash-loop",
        "error",
        "task",
        f"{name} was started {runs + 1:,} times on {named(workers)}, and none of the first "
        f"{runs:,} runs had a result: {why}",
        task.id,
        f"Revoke it, and check the memory and the kernel log of {_hosts(workers)}",
        {"task": task.name, "interrupted": runs, "workers": workers},
        since=min(started, default=None),
        grew_at=max(started, default=None),
        common="crash loop",
    )


def _killed(name: str, groups: Sequence[FailureGroup], state: ClusterState, now: float) -> Finding:
    """Return the finding on a task type; an empty name is for several or unknown types."""
    latest = max(groups, key=lambda group: group.last_at or 0.0)
    task = state.tasks.get(latest.example or "")
    number = ended_by(None if task is None else task.exception)
    workers = sorted({worker for group in groups for worker in group.workers})
    count = sum(group.count for group in groups)
    how = "ended" if number is None else f"ended by {signal_name(number)}"
    next_step = f"Check the logs of {named(workers)}"
    rss = _largest_rss(workers, state)
    if number == signal.SIGKILL:
        next_step = (
            f"Probably out of memory: check the kernel log of {_hosts(workers)} and the memory "
            "limit; worker_max_memory_per_child limits a process"
        )
        if rss:
            next_step += f". A main process had {units.size(rss)} when last inspected"
    return Finding(
        "type-kills-processes",
        "error",
        "type" if name else "tasks",
        f"{counted(count, 'run')} ended with WorkerLostError, because the pool process was {how}, "
        f"the latest {units.elapsed(latest.last_at, now)} ago",
        name,
        next_step,
        {
            "count": count,
            "signal": number,
            "workers": workers,
            "last_at": latest.last_at,
            "rss_bytes": rss,
        },
        since=min((one.first_at for one in groups if one.first_at is not None), default=None),
        grew_at=latest.last_at,
        common="pool processes ended",
    )


def _largest_rss(workers: Iterable[str], state: ClusterState) -> int | None:
    """Return the most memory in bytes that a main process had; that of its children is unknown."""
    known = (state.workers.get(name) for name in workers)
    sizes = [one.rusage.rss_bytes for one in known if one is not None and one.rusage is not None]
    return max(sizes, default=0) or None


def _hosts(workers: list[str]) -> str:
    return named(sorted({worker.rpartition("@")[2] for worker in workers}))
