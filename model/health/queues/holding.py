"""Findings on messages that workers hold back: prefetched, scheduled or limited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final

from ...entities.queue import Queue
from ...entities.worker import Worker
from ...state import ClusterState
from ...text.phrases import counted, named, verb
from ..finding import Finding
from .slots import consumers_of, was_free

MIN_HOARDED: Final = 10
"""Reserved tasks below which a worker does not hoard."""
HOARD_RATIO: Final = 2.0
"""Reserved tasks for each process above which it does, while other workers are free."""
FREE_SECONDS: Final = 30.0
"""Seconds for which the other workers were free."""
EXCESS: Final = 10
"""Reserved tasks beyond the prefetch count that may be in transit."""
MAX_SAMPLED: Final = 200
"""Reserved or limited tasks that are looked at."""
MIN_LIMITED: Final = 10
"""Tasks held back by a rate limit that are worth a finding."""


def holding_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield the findings on workers that hold back messages, and on queues that wait for that."""
    present = [state.workers[name] for name in state.present_workers(now)]
    for worker in present:
        reserved = len(worker.reserved_ids or ())
        if reserved < MIN_HOARDED:
            continue
        finding = _beyond_prefetch(worker, reserved) or _hoarded(worker, reserved, present, state)
        if finding is not None:
            yield finding
    yield from _limited(present, state)
    for queue in state.queues.values():
        if queue.waiting:
            yield from _blocked_by_eta(queue, state)


def _beyond_prefetch(worker: Worker, reserved: int) -> Finding | None:
    """Return a finding on a worker that received more than its prefetch count allows.

    Workers on RabbitMQ were seen to do so after long runs.
    """
    if not worker.prefetch or reserved <= worker.prefetch + EXCESS:
        return None
    return Finding(
        "worker-beyond-prefetch",
        "warning",
        "worker",
        f"{counted(reserved, 'task')} reserved, though it prefetches at most "
        f"{worker.prefetch:,}: its queues look emptier than they are",
        worker.name,
        "Restart it; the messages return to their queues",
        {"reserved": reserved, "prefetch": worker.prefetch},
        common="more reserved than prefetched",
    )


def _hoarded(
    worker: Worker, reserved: int, present: list[Worker], state: ClusterState
) -> Finding | None:
    """Return a finding on reserved tasks that other workers of the queue could run at once."""
    slots = worker.slots or 0
    if not slots or reserved < HOARD_RATIO * slots or (worker.running or 0) < slots:
        return None
    queues = {queue.name for queue in worker.queues or ()}
    shared = [
        other
        for other in present
        if other is not worker
        and not other.reserved_ids
        and queues.intersection(queue.name for queue in other.queues or ())
        and was_free(other, state, FREE_SECONDS)
    ]
    if not shared:
        return None
    theirs = {queue.name for other in shared for queue in other.queues or ()} & queues
    sample = [state.tasks.get(id_) for id_ in islice(worker.reserved_ids or (), MAX_SAMPLED)]
    if not any(task is not None and (task.queue in theirs) for task in sample):
        return None
    # The option of the command line is not among the settings.
    multiplier = round(worker.prefetch / slots) if worker.prefetch else None
    now_is = f" (it is {multiplier})" if multiplier else ""
    names = [other.name for other in shared]
    return Finding(
        "worker-hoards",
        "warning",
        "worker",
        f"{counted(reserved, 'task')} reserved behind {counted(slots, 'busy process')}, while "
        f"{verb(names, 'has', 'have')} free ones",
        worker.name,
        f"Lower worker_prefetch_multiplier{now_is}; 1 suits long tasks",
        {"reserved": reserved, "slots": slots, "free_workers": names, "multiplier": multiplier},
        common="hoarding tasks",
    )


def _limited(present: list[Worker], state: ClusterState) -> Iterator[Finding]:
    """Yield a finding for each task type of which a rate limit holds back many tasks.

    Tasks that wait for their limit take up the prefetch count. If they take all of it, the worker
    receives nothing else: a warning if messages wait in its queues.
    """
    counts: Counter[tuple[str, str]] = Counter()
    workers: dict[str, set[str]] = {}
    blocked: dict[str, set[str]] = {}
    for worker in present:
        for id_ in worker.limited_ids:
            task = state.tasks.get(id_)
            if task is not None and task.name is not None and task.held_by is not None:
                counts[task.name, task.held_by] += 1
                workers.setdefault(task.name, set()).add(worker.name)
                blocked.setdefault(task.name, set()).update(_filled_by_limits(worker, state))
    for (name, limit), count in counts.items():
        on, queues = sorted(workers[name]), sorted(blocked[name])
        if count < MIN_LIMITED and not queues:
            continue
        text = f"{counted(count, 'task')} held back by the rate limit {limit} on {named(on)}"
        step = "Raise the limit (celtop control rate-limit) if they should run sooner"
        if queues:
            waiting = sum(state.queues[queue].waiting or 0 for queue in queues)
            text += f"; its prefetch is full, and {counted(waiting, 'message')} in {named(queues)} "
            text += "cannot be received"
            step = (
                "Raise the limit (celtop control rate-limit), or send these tasks to a queue of "
                "their own"
            )
        yield Finding(
            "type-rate-limited",
            "warning" if queues else "info",
            "type",
            text,
            name,
            step,
            {"held": count, "rate_limit": limit, "workers": on, "blocked_queues": queues},
            common="held back by rate limits",
        )


def _filled_by_limits(worker: Worker, state: ClusterState) -> list[str]:
    """Return the queues whose messages an idle worker cannot receive because of rate limits."""
    held = len(worker.limited_ids) + len(worker.reserved_ids or ())
    if not worker.prefetch or held < worker.prefetch or (worker.running or 0) > 0:
        return []
    queues = (state.queues.get(queue.name) for queue in worker.queues or ())
    return [queue.name for queue in queues if queue is not None and queue.waiting]


def _blocked_by_eta(queue: Queue, state: ClusterState) -> Iterator[Finding]:
    """Yield a finding if the consumers' whole prefetch is taken by tasks that wait for their ETA.

    On quorum queues, and with `worker_eta_task_limit`, these tasks do not raise the prefetch count.
    Elsewhere they do, but a worker's own count is known later than its tasks: while messages are
    taken, the prefetch is not full.
    """
    workers = consumers_of(queue, state)
    if not workers or queue.out_per_s:
        return
    scheduled = 0
    for worker in workers:
        eta = len(worker.scheduled_ids or ())
        if not worker.prefetch or eta < worker.prefetch or (worker.running or 0) > 0:
            return
        scheduled += eta
    yield Finding(
        "queue-blocked-by-eta",
        "error",
        "queue",
        f"{counted(queue.waiting or 0, 'message')} waiting; the prefetch of its consumers is taken "
        f"by {counted(scheduled, 'task')} that wait for their ETA",
        queue.name,
        "Raise worker_prefetch_multiplier, or send tasks with an ETA to a queue of their own",
        {
            "waiting": queue.waiting,
            "scheduled": scheduled,
            "consumers": [worker.name for worker in workers],
        },
        common="blocked by tasks with an ETA",
    )
