"""Asking before pools are resized or restarted.

What each pool can is Celery's (`celery/concurrency/`): threads and solo have no `grow`; only that
of prefork restarts, the others answer that they did.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from ..operations.commands import Autoscale, PoolGrow, PoolRestart, PoolShrink, WorkerOperation
from ..text import units
from ..text.phrases import counted, named, verb
from .confirmation import NOBODY, Confirmation, listed, typed_count, worker_line

if TYPE_CHECKING:
    from ..entities.worker import Worker
    from ..state import ClusterState

FIXED_POOLS: Final = frozenset({"threads", "solo"})
"""Pools that keep the size they started with."""


def slots(worker: Worker | None) -> int | None:
    """Return how many tasks a worker can run at once now; None where it is not known.

    `max-concurrency` stays what it was at the start; the list of processes follows.
    """
    if worker is None:
        return None
    if worker.pool == "prefork" and worker.processes:
        return len(worker.processes)
    return worker.concurrency


def autoscaling(worker: Worker | None) -> bool:
    """Whether a worker is known to change its pool's size by itself."""
    return worker is not None and bool((worker.stats or {}).get("autoscaler"))


def resized(worker: Worker | None, by: int) -> str:
    """Return what the size of a pool is and comes to: `2 -> 4`; of one that keeps it, only that."""
    size = slots(worker)
    if worker is not None and (worker.pool in FIXED_POOLS or autoscaling(worker)):
        return f"stays {units.count(size)}"
    after = units.UNKNOWN if size is None else units.count(max(0, size + by))
    return f"{units.count(size)} -> {after}"


def grow(command: PoolGrow, state: ClusterState, now: float) -> Confirmation:
    """Ask before pools grow."""
    return _resize(command, command.by, state)


def shrink(command: PoolShrink, state: ClusterState, now: float) -> Confirmation:
    """Ask before pools shrink."""
    return _resize(command, -command.by, state)


def _resize(command: WorkerOperation, by: int, state: ClusterState) -> Confirmation:
    act = "Grow" if by > 0 else "Shrink"
    fixed, scaling, emptied, lines = [], [], [], []
    for name in command.workers:
        worker = state.workers.get(name)
        size = slots(worker)
        if worker is not None and worker.pool in FIXED_POOLS:
            fixed.append(name)
        elif autoscaling(worker):
            scaling.append(name)
        elif size is not None and size + by < 1:
            emptied.append(name)
        pool = f" ({worker.pool})" if worker is not None and worker.pool else ""
        lines.append(f"{name}{pool}: {resized(worker, by)}")
    effects = ["It holds until the worker restarts"]
    if by < 0:
        effects.insert(0, "Only idle processes end; what is at work is left alone")
    caveats = []
    if fixed:
        caveats.append(f"{named(fixed)} cannot: pools of threads and solo keep their size")
    if scaling:
        caveats.append(f"{named(scaling)} will refuse: autoscale is on, set its limits instead")
    refusal = _nobody(command)
    if refusal is None and abs(by) == 0:
        refusal = "by nothing: there is nothing to do"
    elif emptied:
        refusal = f"nothing would be left of the pool of {named(emptied)}: pause or shut down"
    elif refusal is None and len(fixed) + len(scaling) == len(command.workers):
        refusal = "; ".join(caveats)
    return Confirmation(
        act,
        f"{act} {_pools(command)} by {abs(by):,}",
        listed(lines),
        tuple(effects),
        tuple(caveats),
        command.workers,
        typed_count(len(command.workers)),
        refusal=refusal,
    )


def restart(command: PoolRestart, state: ClusterState, now: float) -> Confirmation:
    """Ask before pools restart."""
    known = [state.workers[name] for name in command.workers if name in state.workers]
    off = [
        worker.name
        for worker in known
        if worker.conf is not None and not worker.conf.get("worker_pool_restarts")
    ]
    other = [worker.name for worker in known if worker.pool not in (None, "prefork")]
    caveats = ["Code is not loaded anew: only a restart of the worker does that"]
    if off:
        caveats.append(f"{named(off)} will refuse: worker_pool_restarts is off there")
    if other:
        caveats.append(f"{named(other)}: only prefork restarts, other pools just say so")
    refusal = _nobody(command)
    if refusal is None and len(off) == len(command.workers):
        refusal = f"worker_pool_restarts is off in the configuration of {named(off)}"
    elif refusal is None and len(other) == len(command.workers):
        refusal = "only pools of processes (prefork) restart"
    return Confirmation(
        "Restart",
        f"Restart {_pools(command)}",
        _lines(command.workers, state),
        ("Each process is replaced after the task that it runs; settings of the pool stay",),
        tuple(caveats),
        command.workers,
        typed_count(len(command.workers)),
        refusal=refusal,
    )


def autoscale(command: Autoscale, state: ClusterState, now: float) -> Confirmation:
    """Ask before the limits of self-sizing pools are set."""
    lines, fixed = [], []
    after = f"{command.least:,} to {command.most:,}"
    for name in command.workers:
        worker = state.workers.get(name)
        told = None if worker is None else worker.stats
        if told is not None and not told.get("autoscaler"):
            fixed.append(name)
        lines.append(f"{name}: {_range(told)} -> {after}")
    caveats = [f"{named(fixed)} will refuse: started without --autoscale"] if fixed else []
    refusal = _nobody(command)
    if refusal is None and not 0 <= command.least <= command.most:
        refusal = f"from {command.least:,} to {command.most:,} is no range"
    elif refusal is None and len(fixed) == len(command.workers):
        refusal = f"{verb(fixed, 'was', 'were')} started without --autoscale"
    return Confirmation(
        "Autoscale",
        f"Autoscale {_pools(command)} from {after}",
        listed(lines),
        ("Pools grow and shrink between these as there is work, until the worker restarts",),
        tuple(caveats),
        command.workers,
        typed_count(len(command.workers)),
        refusal=refusal,
    )


def _range(stats: dict[str, object] | None) -> str:
    told = (stats or {}).get("autoscaler")
    if not isinstance(told, dict):
        return units.UNKNOWN if stats is None else "fixed"
    return f"{told.get('min', units.UNKNOWN)} to {told.get('max', units.UNKNOWN)}"


def _lines(names: Iterable[str], state: ClusterState) -> tuple[str, ...]:
    return listed([worker_line(state, name) for name in names])


def _pools(command: WorkerOperation) -> str:
    if len(command.workers) == 1:
        return f"the pool of {command.workers[0]}"
    return counted(len(command.workers), "pool")


def _nobody(command: WorkerOperation) -> str | None:
    return None if command.workers else NOBODY
