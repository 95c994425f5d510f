"""The question itself, and the phrases that all questions are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from ..text import units
from ..text.phrases import SHORT_ID_LENGTH, counted

if TYPE_CHECKING:
    from ..state import ClusterState

TYPED_FROM: Final = 20
"""Beyond so many targets, their count is to be typed."""
NAMED: Final = 5
"""Targets that are named; the rest are counted."""

NOBODY: Final = "no worker is known: nobody would hear it"


class Confirmation(msgspec.Struct, frozen=True, gc=False):
    """An act in words, before it is done. All of it may hold names from the cluster: hostile."""

    verb: str
    """What the button says: `Revoke`, `Terminate`, `Purge`."""
    title: str
    """The verb with what it is about: `Revoke 12 tasks`."""
    targets: tuple[str, ...]
    """The first few, one to a line, then `and 7 more`; hostile text."""
    effects: tuple[str, ...] = ()
    """What is going to happen, a sentence each."""
    caveats: tuple[str, ...] = ()
    """What is not, though one might think so; what cannot be undone."""
    expected_workers: tuple[str, ...] = ()
    """The workers that are to answer."""
    must_type: str | None = None
    """What has to be typed before it is done: a word, the count, the queue's name; None is `y`."""
    destructive: bool = False
    """Whether work or data is lost: the dialog is red."""
    refusal: str | None = None
    """Why it makes no sense, and is not offered at all."""


def listed(lines: Sequence[str], total: int | None = None) -> tuple[str, ...]:
    """Return the first few lines, and how many more there are.

    Args:
        lines: At least as many as are named, if there are.
        total: How many there are in all; None is `lines`.
    """
    more = (len(lines) if total is None else total) - NAMED
    shown = tuple(lines[:NAMED])
    return (*shown, f"and {more:,} more") if more > 0 else shown


def typed_count(number: int, word: str | None = None) -> str | None:
    """Return what is to be typed: the count of many targets, else the word, None for neither."""
    return str(number) if number > TYPED_FROM else word


def task_line(state: ClusterState, id_: str) -> str:
    """Return a task as `3f2a9c1d geo.resize STARTED on celery@one`."""
    task = state.tasks.get(id_)
    if task is None:
        return f"{id_} (nothing is known of it here)"
    at = f" on {task.worker}" if task.running and task.worker else ""
    return f"{id_[:SHORT_ID_LENGTH]} {task.name or units.UNKNOWN} {task.state}{at}"


def worker_line(state: ClusterState, name: str) -> str:
    """Return a worker as `celery@one (prefork, 4 slots, 2 running)`."""
    worker = state.workers.get(name)
    if worker is None:
        return f"{name} (nothing is known of it here)"
    told = [worker.pool] if worker.pool else []
    if worker.concurrency is not None:
        told.append(counted(worker.concurrency, "slot"))
    told.append(f"{len(worker.active_ids):,} running")
    return f"{name} ({', '.join(told)})"
