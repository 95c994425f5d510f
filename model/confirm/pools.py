"""Confirmations of resizing and restarting pools.

Which pool supports what is Celery's (`celery/concurrency/`): threads and solo have no `grow`; only
prefork restarts, the others reply as if they had.
"""

from __future__ import annotations

from typing import Final

from ..entities.worker import Worker
from ..operations.commands import Autoscale, PoolGrow, PoolRestart, PoolShrink
from ..state import ClusterState
from ..text import units
from ..text.phrases import named, verb
from .confirmation import UNTIL_RESTART, Confirmation, confirm, describe, listed, worker_lines

FIXED_POOLS: Final = frozenset({"threads", "solo"})
"""Pools that keep the size they started with."""


def slots(worker: Worker | None) -> int | None:
    """Return how many tasks a worker can run at once now; None if unknown.

    `max-concurrency` keeps its initial value; the list of processes is up to date.
    """
    if worker is None:
        return None
    if worker.pool == "prefork" and worker.processes:
        return len(worker.processes)
    return worker.concurrency


def autoscaling(worker: Worker | None) -> bool:
    """Return whether a worker is known to resize its pool by itself."""
    return worker is not None and bool((worker.stats or {}).get("autoscaler"))


def resized(worker: Worker | None, by: int) -> str:
    """Return the size of a pool now and then: `2 -> 4`, or `stays 2` for a fixed pool."""
    size = slots(worker)
    if worker is not None and (worker.pool in FIXED_POOLS or autoscaling(worker)):
        return f"stays {units.count(size)}"
    after = units.UNKNOWN if size is None else units.count(max(0, size + by))
    return f"{units.count(size)} -> {after}"


@confirm.register
def resize(operation: PoolGrow | PoolShrink, state: ClusterState, now: float) -> Confirmation:
    """Confirm growing or shrinking pools."""
    by = operation.by if isinstance(operation, PoolGrow) else -operation.by
    fixed, scaling, emptied, lines = [], [], [], []
    for name in operation.workers:
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
    effects = ["Only idle processes are removed; busy ones stay"] if by < 0 else []
    caveats = []
    if fixed:
        caveats.append(f"{named(fixed)} will refuse: threads and solo pools have a fixed size")
    if scaling:
        caveats.append(f"{named(scaling)} will refuse: autoscale is on; set its limits instead")
    refusal = None
    if by == 0:
        refusal = "the size would not change"
    elif emptied:
        refusal = f"no process would be left on {named(emptied)}; pause or shut down instead"
    elif len(fixed) + len(scaling) == len(operation.workers):
        refusal = "; ".join(caveats)
    return describe(operation, listed(lines), [*effects, UNTIL_RESTART], caveats, refusal=refusal)


@confirm.register
def restart(operation: PoolRestart, state: ClusterState, now: float) -> Confirmation:
    """Confirm restarting pools."""
    known = [state.workers[name] for name in operation.workers if name in state.workers]
    off = [
        worker.name
        for worker in known
        if worker.conf is not None and not worker.conf.get("worker_pool_restarts")
    ]
    other = [worker.name for worker in known if worker.pool not in (None, "prefork")]
    caveats = ["Code is not reloaded; that takes a restart of the worker"]
    if off:
        caveats.append(f"{named(off)} will refuse: worker_pool_restarts is off")
    if other:
        caveats.append(f"{named(other)}: only prefork pools restart; others reply as if they had")
    refusal = None
    if len(off) == len(operation.workers):
        refusal = f"worker_pool_restarts is off in the configuration of {named(off)}"
    elif len(other) == len(operation.workers):
        refusal = "only prefork pools restart"
    effects = ["Each process is replaced after its current task; the pool's settings stay"]
    lines = worker_lines(state, operation.workers)
    return describe(operation, lines, effects, caveats, refusal=refusal)


@confirm.register
def autoscale(operation: Autoscale, state: ClusterState, now: float) -> Confirmation:
    """Confirm setting autoscale limits."""
    lines, fixed = [], []
    for name in operation.workers:
        worker = state.workers.get(name)
        stats = None if worker is None else worker.stats
        if stats is not None and not stats.get("autoscaler"):
            fixed.append(name)
        lines.append(f"{name}: {_limits(stats)} -> {operation.least:,}-{operation.most:,}")
    refusal = None
    if not 0 <= operation.least <= operation.most:
        refusal = "the minimum must not be greater than the maximum"
    elif len(fixed) == len(operation.workers):
        refusal = f"{verb(fixed, 'was', 'were')} started without --autoscale"
    return describe(
        operation,
        listed(lines),
        ["Pools grow and shrink within these limits, depending on the load", UNTIL_RESTART],
        [f"{named(fixed)} will refuse: started without --autoscale"] if fixed else [],
        refusal=refusal,
    )


def _limits(stats: dict[str, object] | None) -> str:
    autoscaler = (stats or {}).get("autoscaler")
    if not isinstance(autoscaler, dict):
        return units.UNKNOWN if stats is None else "fixed"
    return f"{autoscaler.get('min', units.UNKNOWN)}-{autoscaler.get('max', units.UNKNOWN)}"
