"""Which tasks of a selection an act can be done to, and why not to the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from ..entities.states import FINISHED, RECEIVED
from ..entities.task import Task
from ..workflow.members import Members

if TYPE_CHECKING:
    from ..state import ClusterState

ENDING_POOLS: Final = frozenset({"prefork", "gevent", "eventlet"})
"""Pools that can end a task that runs. (Those of threads raise NotImplementedError; solo listens to
nobody until its task has ended.)"""

POWERLESS_POOLS: Final = frozenset({"threads", "solo"})

NO_NAME: Final = "its name is not known"


class Selection(NamedTuple):
    """A selection, sorted."""

    kept: tuple[Task, ...]
    skipped: tuple[tuple[Task, str], ...]
    """With the reason, in words."""


def revocable(tasks: Iterable[Task]) -> Selection:
    """Return the tasks that have yet to start."""
    return _sorted(tasks, _why_not_revoked)


def terminable(state: ClusterState, tasks: Iterable[Task]) -> Selection:
    """Return the tasks that run, or wait, where nothing known keeps them from being ended."""
    return _sorted(tasks, lambda task: _why_not_terminated(state, task))


def retriable(tasks: Iterable[Task]) -> Selection:
    """Return the tasks of which it makes sense to ask what was sent: any that is known by name."""
    return _sorted(tasks, lambda task: NO_NAME if task.name is None else None)


def handed_over(state: ClusterState, tasks: Iterable[Task]) -> tuple[Task, ...]:
    """Return those that revoking comes too late for, though they have not started.

    A pool of threads takes all that its worker has received, and asks no more whether a task is
    revoked (`uses_semaphore` is prefork's alone); one with an ETA stays with the worker.
    """
    return tuple(task for task in tasks if _handed_over(state, task))


def unfinished(tasks: Iterable[Task]) -> Selection:
    """Return the tasks that have not ended: what a workflow's revocation is about."""
    return _sorted(tasks, _why_ended)


def workflow(state: ClusterState, task: Task) -> tuple[Task, ...]:
    """Return all held members of a task's workflow, itself among them, by arrival.

    What was sent again of it is no part of it.
    """
    start = task.id if task.id in state.tasks else task.root_id or task.id
    members = Members(state, start, retries=False).tasks
    return tuple((members | {task.id: task}).values())


def ids(tasks: Sequence[Task]) -> tuple[str, ...]:
    """Return the ids of tasks: what a command freezes."""
    return tuple(task.id for task in tasks)


def known_queues(state: ClusterState) -> tuple[str, ...]:
    """Return the names of all queues that were ever heard of, sorted."""
    consumed = (queue.name for worker in state.workers.values() for queue in worker.queues or ())
    return tuple(sorted({*state.queues, *consumed}))


def task_names(state: ClusterState) -> tuple[str, ...]:
    """Return the task names that workers have registered, and those that were seen, sorted."""
    return tuple(sorted({*registered(state), *state.types}))


def registered(state: ClusterState) -> frozenset[str]:
    """Return the task names that any worker has registered."""
    return frozenset(name for worker in state.workers.values() for name in worker.registered or ())


def deserted(state: ClusterState, queues: Iterable[str]) -> tuple[str, ...]:
    """Return the queues that nobody is known to consume, sorted."""
    consumed = {queue.name for one in state.workers.values() for queue in one.queues or ()}
    known = state.queues
    return tuple(
        sorted(
            name
            for name in set(queues) - consumed
            if name not in known or not (known[name].consumers or known[name].consumer_count)
        )
    )


def can_terminate(pool: str | None) -> bool | None:
    """Tell whether a pool can end a task that runs; None where it is not known."""
    if pool in ENDING_POOLS:
        return True
    return False if pool in POWERLESS_POOLS else None


def _sorted(tasks: Iterable[Task], why_not: Callable[[Task], str | None]) -> Selection:
    kept: list[Task] = []
    skipped: list[tuple[Task, str]] = []
    for task in tasks:
        reason = why_not(task)
        if reason is None:
            kept.append(task)
        else:
            skipped.append((task, reason))
    return Selection(tuple(kept), tuple(skipped))


def _handed_over(state: ClusterState, task: Task) -> bool:
    worker = state.workers.get(task.worker) if task.worker is not None else None
    received = task.state == RECEIVED and task.eta_at is None
    return received and worker is not None and worker.pool == "threads"


def _why_ended(task: Task) -> str | None:
    ended = task.state in FINISHED and not task.revoked_unconfirmed
    return f"has ended: {task.state}" if ended else None


def _why_not_revoked(task: Task) -> str | None:
    if task.running:
        return "runs: only terminating ends it"
    return _why_ended(task)


def _why_not_terminated(state: ClusterState, task: Task) -> str | None:
    ended = _why_ended(task)
    if ended is not None or not task.running or task.worker is None:
        return ended
    worker = state.workers.get(task.worker)
    if worker is None or can_terminate(worker.pool) is not False:
        return None
    return f"runs in {worker.name}, whose pool ({worker.pool}) cannot end a task"
