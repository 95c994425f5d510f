"""The tasks of a selection that an operation applies to, and why it does not to the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from ..entities.states import FINISHED, RECEIVED
from ..entities.task import Task, newest_time
from ..operations.commands import Operation, Revoke
from ..operations.outcome import KnownTargets
from ..state import ClusterState
from ..workflow.members import Members

TERMINATING_POOLS: Final = frozenset({"prefork", "gevent", "eventlet"})
"""Pools that can terminate a running task."""

OTHER_POOLS: Final = frozenset({"threads", "solo"})
"""Pools that cannot: threads raise NotImplementedError, and solo reads no command while its task is
running."""


class Selection(NamedTuple):
    """A selection, split by whether an operation applies."""

    kept: tuple[Task, ...]
    skipped: tuple[tuple[Task, str], ...]
    """Each with the reason, in words."""


def revocable(tasks: Iterable[Task]) -> Selection:
    """Select the tasks that have not started."""
    return _split(tasks, _why_not_revoked)


def terminable(state: ClusterState, tasks: Iterable[Task]) -> Selection:
    """Select the unfinished tasks, unless their worker is known to be unable to terminate them."""
    return _split(tasks, lambda task: _why_not_terminated(state, task))


def every(state: ClusterState, tasks: Iterable[Task]) -> Selection:
    """Select all tasks: for an operation that decides about each when it is started."""
    return Selection(tuple(tasks), ())


def known_targets(state: ClusterState, operation: Operation) -> KnownTargets:
    """Return what is known about the targets of an operation when it starts."""
    finished, running, begun_at = {}, {}, {}
    for id_ in operation.ids if isinstance(operation, Revoke) else ():
        task = state.tasks.get(id_)
        if task is None:
            continue
        if task.finished:
            if not task.revoked_unconfirmed:
                finished[id_] = task.state
            continue
        if task.running and task.worker is not None:
            running[id_] = task.worker
        begun_at[id_] = max(task.sent_at or 0.0, newest_time(task) or 0.0)
    workers = (state.workers.get(name) for name in operation.expected_workers)
    shared = {one.name: len(one.pids) for one in workers if one is not None and one.shares_name}
    return KnownTargets(finished, running, begun_at, shared)


def submitted_to_threads(state: ClusterState, tasks: Iterable[Task]) -> tuple[Task, ...]:
    """Return the tasks that have not started, but are too late to revoke.

    A thread pool is given all tasks that its worker has received and does not check again whether
    they are revoked (only prefork has `uses_semaphore`); tasks with an ETA stay with the worker.
    """
    threads = {worker.name for worker in state.workers.values() if worker.pool == "threads"}
    return tuple(
        task
        for task in tasks
        if task.state == RECEIVED and task.eta_at is None and task.worker in threads
    )


def workflow(state: ClusterState, task: Task) -> tuple[Task, ...]:
    """Return all known members of a task's workflow in order of arrival, including the task.

    Retries that celtop has sent are not members.
    """
    start = task.id if task.id in state.tasks else task.root_id or task.id
    members = Members(state, start, retries=False).tasks
    return tuple((members | {task.id: task}).values())


def ids(tasks: Sequence[Task]) -> tuple[str, ...]:
    """Return the ids of tasks."""
    return tuple(task.id for task in tasks)


def known_queues(state: ClusterState) -> tuple[str, ...]:
    """Return the names of all known queues, sorted."""
    consumed = (queue.name for worker in state.workers.values() for queue in worker.queues or ())
    return tuple(sorted({*state.queues, *consumed}))


def task_names(state: ClusterState) -> tuple[str, ...]:
    """Return all task names that are registered or have been seen, sorted."""
    return tuple(sorted({*registered(state), *state.types}))


def registered(state: ClusterState) -> frozenset[str]:
    """Return the task names that any worker has registered."""
    # In C: 1,000 workers with 200 tasks each would take 40 ms in a loop, at each typed key.
    return frozenset[str]().union(*(one.registered or () for one in state.workers.values()))


def without_consumers(state: ClusterState, queues: Iterable[str]) -> tuple[str, ...]:
    """Return the queues that certainly have no consumers, sorted."""
    return tuple(sorted(name for name in set(queues) if state.consumers(name) == ()))


def with_unknown_consumers(state: ClusterState, queues: Iterable[str]) -> tuple[str, ...]:
    """Return the queues of which it is unknown whether they have any consumers, sorted."""
    return tuple(
        sorted(
            name
            for name in set(queues)
            if state.consumers(name) is None
            and not ((queue := state.queues.get(name)) and queue.has_consumers)
        )
    )


def can_terminate(pool: str | None) -> bool | None:
    """Return whether a pool can terminate a running task; None if unknown."""
    if pool in TERMINATING_POOLS:
        return True
    return False if pool in OTHER_POOLS else None


def _split(tasks: Iterable[Task], why_not: Callable[[Task], str | None]) -> Selection:
    reasons = [(task, why_not(task)) for task in tasks]
    return Selection(
        tuple(task for task, reason in reasons if reason is None),
        tuple((task, reason) for task, reason in reasons if reason is not None),
    )


def _why_finished(task: Task) -> str | None:
    ended = task.state in FINISHED and not task.revoked_unconfirmed
    return f"already finished ({task.state})" if ended else None


def _why_not_revoked(task: Task) -> str | None:
    if task.running:
        return "running; only terminating stops it"
    return _why_finished(task)


def _why_not_terminated(state: ClusterState, task: Task) -> str | None:
    ended = _why_finished(task)
    if ended is not None or not task.running or task.worker is None:
        return ended
    worker = state.workers.get(task.worker)
    if worker is None or can_terminate(worker.pool) is not False:
        return None
    return f"running on {worker.name}, whose pool ({worker.pool}) cannot terminate tasks"
