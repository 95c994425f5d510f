"""How many slots of a queue's consumers were busy, from the last hour's series."""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan
from typing import Final

from ...entities.queue import Queue
from ...entities.series.time_series import STEP
from ...entities.worker import Worker
from ...state import ClusterState

MIN_KNOWN: Final = 0.7
"""The part of a time for which values must be known to conclude anything from them."""
FULL: Final = 0.9
"""The part of a time for which all processes must be busy; tasks end and start meanwhile."""


def consumers_of(queue: Queue, state: ClusterState) -> tuple[Worker, ...]:
    """Return a queue's consumers; none of them if not all are known."""
    names = queue.consumers or ()
    workers = tuple(state.workers[name] for name in names if name in state.workers)
    return workers if len(workers) == len(names) else ()


def are_full(workers: Iterable[Worker], state: ClusterState, seconds: float) -> bool:
    """Return whether all workers were busy with all their processes for some time."""
    steps = steps_in(seconds)
    for worker in workers:
        values = _busy_shares(worker, state, steps)
        if sum(share >= 1.0 for share in values) < max(FULL * len(values), MIN_KNOWN * steps):
            return False
    return True


def was_free(worker: Worker, state: ClusterState, seconds: float) -> bool:
    """Return whether a worker had a process without a task for some time, and has room now."""
    held = len(worker.active_ids) + len(worker.reserved_ids or ()) + len(worker.limited_ids)
    if worker.reserved_ids is None or (worker.prefetch and held >= worker.prefetch):
        return False
    steps = steps_in(seconds)
    values = _busy_shares(worker, state, steps)
    return len(values) >= MIN_KNOWN * steps and all(share < 1.0 for share in values)


def steps_in(seconds: float) -> int:
    """Return the number of steps of the series in some seconds, at least one."""
    return max(1, round(seconds / STEP))


def _busy_shares(worker: Worker, state: ClusterState, steps: int) -> list[float]:
    """Return which part of its processes ran a task in each of the last steps, where known."""
    series = state.series.workers.series(worker.name)
    if series is None:
        return []
    newest = state.series.newest
    busy, slots = series.window("busy", newest, steps), series.window("slots", newest, steps)
    return [
        running / size
        for running, size in zip(busy, slots, strict=True)
        if not isnan(running) and size > 0
    ]
