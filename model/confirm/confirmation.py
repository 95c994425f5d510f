"""The confirmation of an operation, and the lines that all confirmations have in common."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from typing import Final

import msgspec

from ..operations.commands import Operation, WorkerOperation
from ..state import ClusterState
from ..text import units
from ..text.phrases import counted, short_id

MAX_UNCOUNTED_TARGETS: Final = 20
"""With more targets, their number has to be typed."""
MAX_LISTED_TARGETS: Final = 5
"""Targets that are listed; the rest are counted."""

NO_WORKERS: Final = "no workers are known"
UNTIL_RESTART: Final = "Lasts until the worker restarts"


class Confirmation(msgspec.Struct, frozen=True, gc=False):
    """An operation in words, before it is sent. All text may hold names from the cluster: hostile.

    The dialog and the command line show the same confirmation.
    """

    verb: str
    """The label of the button: `Revoke`, `Terminate`, `Purge`."""
    title: str
    """The verb and its object: `Revoke 12 tasks`."""
    targets: tuple[str, ...]
    """The first few, one per line, then `and 7 more`."""
    effects: tuple[str, ...] = ()
    """What will happen, one sentence each."""
    caveats: tuple[str, ...] = ()
    """What will not happen, and what cannot be undone."""
    expected_workers: tuple[str, ...] = ()
    """The workers that are expected to reply."""
    must_type: str | None = None
    """What has to be typed to confirm: a word, a count, or the queue's name; None is `y`."""
    destructive: bool = False
    """Whether work or data is lost: the dialog is red."""
    refusal: str | None = None
    """Why the operation makes no sense and is not offered."""
    warnings: tuple[str, ...] = ()
    """Why it may not have the intended effect although every worker confirms it. Shown even if
    no confirmation is asked for (`--yes`)."""


@singledispatch
def confirm(operation: Operation, state: ClusterState, now: float) -> Confirmation:
    """Return the confirmation of an operation; `now` is our clock, in epoch seconds.

    Each kind of operation registers its own function, in the file of its family.
    """
    raise NotImplementedError(f"no confirmation for {type(operation).__name__}")


def describe(
    operation: Operation,
    targets: Sequence[str],
    effects: Sequence[str],
    caveats: Sequence[str] = (),
    *,
    warnings: Sequence[str] = (),
    refusal: str | None = None,
    must_type: str | None = None,
    destructive: bool = False,
) -> Confirmation:
    """Return a confirmation whose verb and title are those of the operation.

    Without `must_type`, the number of workers or targets has to be typed if there are many.
    """
    phrase = operation.phrase()
    workers = operation.expected_workers
    if isinstance(operation, WorkerOperation) and not workers:
        refusal = NO_WORKERS
    return Confirmation(
        phrase.infinitive,
        f"{phrase.infinitive} {phrase.object}",
        tuple(targets),
        tuple(effects),
        tuple(caveats),
        workers,
        must_type or typed_count(len(workers or operation.targets)),
        destructive,
        refusal,
        tuple(warnings),
    )


def listed(lines: Sequence[str], total: int | None = None) -> tuple[str, ...]:
    """Return the first few lines, and how many more there are of `total`, or of `lines`."""
    more = (len(lines) if total is None else total) - MAX_LISTED_TARGETS
    shown = tuple(lines[:MAX_LISTED_TARGETS])
    return (*shown, f"and {more:,} more") if more > 0 else shown


def typed_count(number: int, word: str | None = None) -> str | None:
    """Return what has to be typed: the number of many targets, otherwise the word."""
    return str(number) if number > MAX_UNCOUNTED_TARGETS else word


def task_line(state: ClusterState, id_: str, *, whole_id: bool = False) -> str:
    """Return a task as `3f2a9c1d geo.resize STARTED on celery@one`."""
    task = state.tasks.get(id_)
    if task is None:
        return f"{id_} (unknown task)"
    worker = f" on {task.worker}" if task.running and task.worker else ""
    shown = id_ if whole_id else short_id(id_)
    return f"{shown} {task.name or units.UNKNOWN} {task.state}{worker}"


def worker_lines(state: ClusterState, names: Sequence[str]) -> tuple[str, ...]:
    """Return the first few workers, each as `celery@one (prefork, 4 slots, 2 running)`."""
    return listed([_worker_line(state, name) for name in names])


def _worker_line(state: ClusterState, name: str) -> str:
    worker = state.workers.get(name)
    if worker is None:
        return f"{name} (unknown worker)"
    facts = [worker.pool] if worker.pool else []
    if worker.concurrency is not None:
        facts.append(counted(worker.concurrency, "slot"))
    facts.append(f"{units.count(worker.running)} running")
    return f"{name} ({', '.join(facts)})"
