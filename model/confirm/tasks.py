"""Confirmations of revoking and terminating tasks.

The facts are Celery's (`celery/worker/control.py`, `celery/worker/state.py`): a worker keeps the
revoked ids in memory and skips a revoked task when it reaches it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from ..entities.task import Task
from ..operations.commands import MAX_REVOKED_IDS, SIGNALS, Revoke, RevokeStamped, Signal
from ..state import ClusterState
from ..text.phrases import counted, named, short_id
from .confirmation import (
    MAX_LISTED_TARGETS,
    NO_WORKERS,
    Confirmation,
    confirm,
    describe,
    listed,
    task_line,
    typed_count,
)
from .targets import can_terminate, submitted_to_threads

SKIP_ONE: Final = (
    "workers discard it when they receive it; until then its message stays in the queue"
)
SKIP_MANY: Final = (
    "workers discard them when they receive them; until then the messages stay in the queue"
)
SKIP_UNSTARTED: Final = (
    "Workers discard unstarted tasks when they receive them; until then their messages stay queued"
)
TERMINATE: Final = "to stop them, use terminate (K, --terminate)"
MEMORY: Final = (
    f"A worker keeps {MAX_REVOKED_IDS:,} revoked ids for 3 hours; they are lost if all workers "
    "restart without --statedb"
)
NEXT_TASK: Final = (
    "The signal is sent to the pool process; if it runs another task by then, that task is stopped"
)


@confirm.register
def revoke(operation: Revoke, state: ClusterState, now: float) -> Confirmation:
    """Confirm revoking tasks by id."""
    ids = operation.ids
    number = len(ids)
    known = [task for id_ in ids if (task := state.tasks.get(id_)) is not None]
    running = [task for task in known if task.running]
    finished = sum(task.finished and not task.revoked_unconfirmed for task in known)
    skip = SKIP_ONE if number == 1 else SKIP_MANY
    effects: list[str] = []
    caveats: list[str] = []
    if operation.terminate:
        effects, caveats = _terminating(operation.signal, operation.workers, running, state)
        if len(running) + finished < number:
            effects.append(SKIP_UNSTARTED if number > 1 else f"If it has not started, {skip}")
    else:
        effects.append(f"{skip[0].upper()}{skip[1:]}")
        started = (
            f"{_subject(len(running), number)} running and will not stop"
            if running
            else "Tasks that have started by then will not stop"
        )
        caveats.append(f"{started}; {TERMINATE}")
    if finished:
        caveats.append(f"{_subject(finished, number)} already finished and will not change")
    warnings = []
    if late := submitted_to_threads(state, known):
        warnings.append(
            f"{_subject(len(late), number)} already in a thread pool, which does not check for "
            "revoked tasks, and will run"
        )
    signal = f" with {operation.signal}" if operation.terminate else ""
    described = describe(
        operation,
        listed([task_line(state, id_) for id_ in ids[:MAX_LISTED_TARGETS]], number),
        effects,
        [*caveats, MEMORY],
        warnings=warnings,
        refusal=_refusal(operation, running, finished, state),
        must_type=typed_count(number),
        destructive=operation.terminate,
    )
    return msgspec.structs.replace(described, title=f"{described.title}{signal}")


@confirm.register
def revoke_stamped(operation: RevokeStamped, state: ClusterState, now: float) -> Confirmation:
    """Confirm revoking tasks by stamp."""
    effects = ["Workers skip tasks with the stamp when they reach them, including tasks sent later"]
    caveats = [
        "The number of tasks is unknown: events contain no stamps",
        "Workers keep the stamps until they restart; this cannot be undone",
    ]
    if operation.terminate:
        ended, kept = _terminating(operation.signal, operation.workers, (), state)
        effects, caveats = [*effects, *ended], [*kept, *caveats]
    else:
        caveats.insert(0, "Running tasks are not stopped")
    refusal = None
    if not operation.targets:
        refusal = "a stamp needs a header and at least one value"
    elif not operation.workers:
        refusal = NO_WORKERS
    return describe(
        operation,
        listed(operation.targets),
        effects,
        caveats,
        refusal=refusal,
        must_type=typed_count(len(operation.targets), "terminate" if operation.terminate else None),
        destructive=operation.terminate,
    )


def _refusal(
    operation: Revoke, running: Sequence[Task], finished: int, state: ClusterState
) -> str | None:
    number = len(operation.ids)
    if not number:
        return "no task is selected"
    if finished == number:
        if number > 1:
            return f"all {number:,} have already finished"
        id_ = operation.ids[0]
        task = state.tasks.get(id_)
        name = task.name if task is not None and task.name else "task"
        return f"{name} {short_id(id_)} has already finished"
    if number > MAX_REVOKED_IDS:
        return (
            f"a worker keeps at most {MAX_REVOKED_IDS:,} revoked ids, and {number:,} are selected; "
            "narrow the selection, or purge the queue"
        )
    if not operation.workers:
        return NO_WORKERS
    hosts = {task.worker for task in running}
    unable = [name for name in hosts if can_terminate(_pool(state, name)) is False]
    if operation.terminate and len(running) + finished == number and len(unable) == len(hosts):
        return (
            f"{named(sorted(map(str, unable)))} cannot terminate running tasks: only prefork, "
            "gevent and eventlet pools can"
        )
    return None


def _terminating(
    signal: Signal, workers: Sequence[str], running: Sequence[Task], state: ClusterState
) -> tuple[list[str], list[str]]:
    """Return the effects and caveats of terminating tasks, by the pools of their workers."""
    hosts = Counter(task.worker for task in running if task.worker)
    pools: dict[str | None, list[str]] = {}
    for name in hosts or workers:
        pools.setdefault(_pool(state, name), []).append(name)
    effects = []
    can = sum(can_terminate(_pool(state, task.worker)) is not False for task in running)
    if can:
        effects.append(f"{counted(can, 'running task')} will be terminated")
    caveats = []
    for pool, names in pools.items():
        who = named(names)
        if pool == "prefork":
            effects.append(f"{who} (prefork): {signal} to the task's process; {SIGNALS[signal]}")
            caveats.append(NEXT_TASK)
        elif pool in ("gevent", "eventlet"):
            effects.append(f"{who} ({pool}): the task's greenlet is killed; the signal is ignored")
        elif pool == "threads":
            count = sum(hosts[name] for name in names)
            tasks = f"; {counted(count, 'task')} there will keep running" if count else ""
            caveats.append(f"{who} (threads) cannot terminate a task that runs in a thread{tasks}")
        elif pool == "solo":
            caveats.append(f"{who} (solo) reads the command only when its task has finished")
        else:
            known = "pool unknown" if pool is None else f"pool {pool}"
            caveats.append(f"{who} ({known}): it is unknown whether this pool can terminate tasks")
    return effects, caveats


def _pool(state: ClusterState, name: str | None) -> str | None:
    worker = state.workers.get(name) if name is not None else None
    return None if worker is None else worker.pool


def _subject(number: int, total: int) -> str:
    """Return the subject of a sentence about some of the tasks, with its verb."""
    if total == 1:
        return "It is"
    return f"{number:,} of them {'is' if number == 1 else 'are'}"
