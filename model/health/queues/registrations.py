"""Findings on tasks that are not registered by the workers that receive them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from ...entities.queue import Queue
from ...entities.states import PENDING
from ...ingest.tasks.failure_groups import FailureGroup
from ...state import ClusterState
from ...text import units
from ...text.phrases import counted, named
from ..finding import Finding
from ..newness import NEW

NOT_REGISTERED: Final = "NotRegistered"
"""The exception of a task that a worker received and discarded, because it is not registered."""
MAX_SENT: Final = 500
"""The newest tasks among which those are looked for that wait in a queue."""

_NAME: Final = re.compile(r"NotRegistered\((['\"])(?P<name>.{1,512}?)\1\)?")


def registration_findings(state: ClusterState, now: float) -> Iterator[Finding]:
    """Yield the findings on tasks that wait where no consumer registers them, or were discarded."""
    found = set()
    for group in state.failures:
        if group.error is not None and group.error.rpartition(".")[2] == NOT_REGISTERED:
            name = _discarded_name(group, state)
            at = group.last_at
            if name and at is not None and now - at < NEW and name not in found:
                found.add(name)
                yield _discarded(name, group, state, now)
    for name, queue in _waiting(state):
        consumers = queue.consumers
        if name in found or not consumers or queue.paused:
            continue
        if any(_registers(worker, name, state) is not False for worker in consumers):
            continue
        found.add(name)
        yield _waits(name, queue, consumers, state, now)


def registered_by(name: str, state: ClusterState, now: float) -> dict[str, tuple[str, ...]]:
    """Return the queues of each present worker that registers a task."""
    return {
        worker: tuple(queue.name for queue in state.workers[worker].queues or ())
        for worker in state.present_workers(now)
        if _registers(worker, name, state)
    }


def _registers(worker: str, name: str, state: ClusterState) -> bool | None:
    """Return whether a worker registers a task; None if it has not replied."""
    known = state.workers.get(worker)
    if known is None or known.registered is None:
        return None
    place = bisect_left(known.registered, name)
    return known.registered[place : place + 1] == (name,)


def _waiting(state: ClusterState) -> Iterator[tuple[str, Queue]]:
    """Yield task names with the queue in which a message of each waits.

    They are next in their queue, or were sent recently and not received yet.
    """
    for queue in state.queues.values():
        if queue.waiting:
            for name in queue.next_names:
                yield name, queue
    sent = {name for name, kind in state.types.items() if kind.states.get(PENDING)}
    if not sent:
        return
    for task in islice(reversed(state.tasks.values()), MAX_SENT):
        if task.name in sent and task.state == PENDING:
            found = state.queues.get(task.queue or "")
            if found is not None and found.waiting:
                yield task.name or "", found


def _discarded_name(group: FailureGroup, state: ClusterState) -> str:
    """Return the name of a discarded task: events of it have none, but its exception does."""
    task = state.tasks.get(group.example or "")
    if task is None:
        return ""
    match = _NAME.search(task.exception or "")
    return task.name or (match["name"] if match is not None else "")


def _discarded(name: str, group: FailureGroup, state: ClusterState, now: float) -> Finding:
    workers = sorted(group.workers)
    # A result that was stored before celtop started may not name its worker.
    by = f" by {named(workers)}" if workers else ""
    return Finding(
        "type-unregistered",
        "error",
        "type",
        f"{counted(group.count, 'message')} discarded, the latest "
        f"{units.elapsed(group.last_at, now)} ago: the task is not registered{by}",
        name,
        _remedy(registered_by(name, state, now)),
        {"discarded": group.count, "workers": workers, "last_at": group.last_at},
        since=group.first_at,
        grew_at=group.last_at,
        common="not registered",
    )


def _waits(
    name: str, queue: Queue, consumers: Sequence[str], state: ClusterState, now: float
) -> Finding:
    elsewhere = registered_by(name, state, now)
    evidence = {"queue": queue.name, "consumers": list(consumers), "registered_by": list(elsewhere)}
    return Finding(
        "type-misrouted" if elsewhere else "type-unregistered",
        "error",
        "type",
        f"waits in {queue.name} and will be discarded: not registered by {named(consumers)}",
        name,
        _remedy(elsewhere),
        evidence,
        common="not registered",
    )


def _remedy(elsewhere: dict[str, tuple[str, ...]]) -> str:
    """Return the next step, given the workers that register a task."""
    queues = sorted({queue for consumed in elsewhere.values() for queue in consumed})
    if not queues:
        return "Add its module to imports or include of the app, and restart the workers"
    return f"Route it to {named(queues)}, consumed by {named(list(elsewhere))}, or add its module"
