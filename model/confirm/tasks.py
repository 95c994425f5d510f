"""Asking before tasks are revoked or terminated.

The facts are Celery's (`celery/worker/control.py`, `celery/worker/state.py`): a worker keeps the
revoked ids in memory and skips each task as its turn comes.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from ..operations.commands import SIGNALS, Revoke, RevokeStamped, Signal
from ..text.phrases import counted, named
from .confirmation import NAMED, NOBODY, Confirmation, listed, task_line, typed_count
from .targets import can_terminate, handed_over

if TYPE_CHECKING:
    from ..entities.task import Task
    from ..state import ClusterState

REMEMBERED: Final = 50_000
"""Ids that a worker remembers (CELERY_WORKER_REVOKES_MAX); more would push the first ones out."""

SKIPPED: Final = (
    "Workers skip them when their turn comes; the messages stay in the queue until then"
)
SKIPPED_ONE: Final = (
    "Workers skip it when its turn comes; the message stays in the queue until then"
)
MEMORY: Final = "Workers remember 50,000 ids for 3 hours; a restart without --statedb forgets them"
LATE: Final = "in a pool of threads already, which asks no more: that runs all the same"
NEXT_TASK: Final = (
    "A signal goes to the pool process: if that has taken the next task by then, the next one dies"
)


def revoke(command: Revoke, state: ClusterState, now: float) -> Confirmation:
    """Ask before tasks are revoked, and ended where `terminate` says so."""
    ids = command.ids
    tasks = [state.tasks.get(id_) for id_ in ids]
    known = [task for task in tasks if task is not None]
    running = [task for task in known if task.running]
    ended = sum(task.finished and not task.revoked_unconfirmed for task in known)
    verb = "Terminate" if command.terminate else "Revoke"
    with_signal = f" with {command.signal}" if command.terminate else ""
    effects, caveats = (
        _terminating(command.signal, command.workers, running, state)
        if command.terminate
        else ([], [])
    )
    if not command.terminate:
        effects.append(SKIPPED_ONE if len(ids) == 1 else SKIPPED)
    elif len(running) + ended < len(ids):
        waiting = "If it has not started, " if len(ids) == 1 else "Of what has not started, "
        skipped = SKIPPED_ONE if len(ids) == 1 else SKIPPED
        effects.append(waiting + skipped[0].lower() + skipped[1:])
    if running and not command.terminate:
        caveats.append(
            f"{_of_them(len(running), len(ids))} running and will not be touched: terminating "
            "(K, --terminate) does that"
        )
    elif not command.terminate:
        caveats.append(
            "Tasks that run by then are not touched: terminating (K, --terminate) does that"
        )
    if ended:
        caveats.append(f"{_of_them(ended, len(ids))} over already: nothing happens there")
    if late := handed_over(state, known):
        caveats.append(f"{_of_them(len(late), len(ids))} {LATE}")
    caveats.append(MEMORY)
    return Confirmation(
        verb,
        f"{verb} {counted(len(ids), 'task')}{with_signal}",
        listed([task_line(state, id_) for id_ in ids[:NAMED]], len(ids)),
        tuple(effects),
        tuple(caveats),
        command.workers,
        typed_count(len(ids), "terminate" if command.terminate else None),
        command.terminate,
        _refusal(command, running, ended, state),
    )


def revoke_stamped(command: RevokeStamped, state: ClusterState, now: float) -> Confirmation:
    """Ask before whatever carries a stamp is revoked."""
    stamps = [f"{command.header}={value}" for value in command.values]
    verb = "Terminate" if command.terminate else "Revoke"
    effects = [
        "Workers skip whatever carries the stamp when its turn comes, also what is sent later"
    ]
    caveats = [
        "Nobody can tell beforehand how many tasks that are: events do not tell stamps",
        "Workers remember stamps until they restart; there is no taking back",
    ]
    if command.terminate:
        ending, kept = _terminating(command.signal, command.workers, (), state)
        effects, caveats = [*effects, *ending], [*kept, *caveats]
    else:
        caveats.insert(0, "Tasks that run are not touched")
    refusal = None
    if not command.header or not command.values:
        refusal = "a stamp has a header and at least one value"
    elif not command.workers:
        refusal = NOBODY
    return Confirmation(
        verb,
        f"{verb} whatever is stamped {named(stamps)}" if stamps else verb,
        listed(stamps),
        tuple(effects),
        tuple(caveats),
        command.workers,
        typed_count(len(stamps), "terminate" if command.terminate else None),
        command.terminate,
        refusal,
    )


def _refusal(command: Revoke, running: list[Task], ended: int, state: ClusterState) -> str | None:
    ids = command.ids
    if not ids:
        return "no task is selected"
    if ended == len(ids):
        return "it has ended already" if ended == 1 else f"all {ended:,} have ended already"
    if len(ids) > REMEMBERED:
        return (
            f"{len(ids):,} are more than the {REMEMBERED:,} ids that a worker remembers: the first "
            "would be forgotten. Narrow the selection, or purge the queue"
        )
    if not command.workers:
        return NOBODY
    hosts = {task.worker for task in running}
    powerless = [name for name in hosts if can_terminate(_pool(state, name)) is False]
    if command.terminate and len(running) + ended == len(ids) and len(powerless) == len(hosts):
        return (
            f"{named(sorted(map(str, powerless)))} cannot end a task that runs: only prefork, "
            "gevent and eventlet pools can"
        )
    return None


def _terminating(
    signal: Signal,
    workers: tuple[str, ...],
    running: list[Task] | tuple[()],
    state: ClusterState,
) -> tuple[list[str], list[str]]:
    """Return what ending tasks does and does not do, by the pools of those who would do it."""
    hosts = Counter(task.worker for task in running if task.worker)
    pools: dict[str | None, list[str]] = {}
    for name in hosts or workers:
        pools.setdefault(_pool(state, name), []).append(name)
    effects = []
    can = [task for task in running if can_terminate(_pool(state, task.worker)) is not False]
    if can:
        ends = "runs now and is to end" if len(can) == 1 else "run now and are to end"
        effects.append(f"{counted(len(can), 'task')} {ends}")
    caveats = []
    for pool, names in pools.items():
        who = named(names)
        if pool == "prefork":
            effects.append(f"{who} (prefork): {signal} to the task's process: {SIGNALS[signal]}")
            caveats.append(NEXT_TASK)
        elif pool in ("gevent", "eventlet"):
            effects.append(f"{who} ({pool}): the task's greenlet is killed; the signal is ignored")
        elif pool == "threads":
            there = sum(hosts[name] for name in names)
            what = f": {counted(there, 'task')} there will go on" if there else ""
            caveats.append(f"{who} (threads) cannot end what runs in a thread{what}")
        elif pool == "solo":
            caveats.append(f"{who} (solo) hears nothing before its task has ended by itself")
        else:
            known = "pool not known" if pool is None else f"pool {pool}"
            caveats.append(f"{who} ({known}): whether it can end a task will be seen")
    return effects, caveats


def _pool(state: ClusterState, name: str | None) -> str | None:
    worker = state.workers.get(name) if name is not None else None
    return None if worker is None else worker.pool


def _of_them(number: int, total: int) -> str:
    if total == 1:
        return "It is"
    return f"{number:,} of them {'is' if number == 1 else 'are'}"
