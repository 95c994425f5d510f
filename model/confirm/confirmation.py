"""The question itself, and the phrases that all questions are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from ..text import units

if TYPE_CHECKING:
    from ..state import ClusterState

TYPED_FROM: Final = 20
"""Beyond so many targets, their count is to be typed."""
NAMED: Final = 5
"""Targets that are named; the rest are counted."""
NAMED_IN_LINE: Final = 3
"""Workers or queues that are named within a sentence; the rest are counted."""
SHORT_ID: Final = 8

NOBODY: Final = "no worker is known: nobody would hear it"


class Confirmation(msgspec.Struct, frozen=True, gc=False):
    """An act in words, before it is done. All of it may hold names from the cluster: hostile."""

    verb: str
    """What the button says: `Revoke`, `Terminate`, `Purge`."""
    title: str
    """The verb with what it is about: `Revoke 12 tasks`."""
    targets: tuple[str, ...]
    """The first few, one to a line, then `and 7 more`; hostile text."""
    will: tuple[str, ...] = ()
    """What is going to happen, a sentence each."""
    will_not: tuple[str, ...] = ()
    """What is not, though one might think so; what cannot be undone."""
    answering: tuple[str, ...] = ()
    """The workers that are to answer."""
    typed: str | None = None
    """What has to be typed before it is done: a word, the count, the queue's name; None is `y`."""
    grave: bool = False
    """Whether work or data is lost: the dialog is red."""
    refusal: str | None = None
    """Why it makes no sense, and is not offered at all."""


def counted(number: int, noun: str) -> str:
    """Return `1 task` or `1,204 tasks`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def verb(names: Sequence[str], one: str, many: str) -> str:
    """Return names with their verb: `a stops`, `a and b stop`."""
    return f"{named(names)} {one if len(names) == 1 else many}"


def named(names: Sequence[str]) -> str:
    """Return `a`, `a and b`, `a, b and c` or `a, b, c and 7 more`; `nobody` for none."""
    if not names:
        return "nobody"
    shown = list(names[:NAMED_IN_LINE])
    if len(names) > NAMED_IN_LINE:
        shown.append(f"{len(names) - NAMED_IN_LINE:,} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def tallied(things: Iterable[str]) -> str:
    """Return `3 in geo, 1 in mail` as `3 geo, 1 mail`: each thing with its count, most first."""
    found = Counter(things).most_common()
    shown = [f"{number:,} {thing}" for thing, number in found[:NAMED_IN_LINE]]
    if len(found) > NAMED_IN_LINE:
        shown.append(f"{sum(number for _, number in found[NAMED_IN_LINE:]):,} other")
    return ", ".join(shown)


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
    return f"{id_[:SHORT_ID]} {task.name or units.UNKNOWN} {task.state}{at}"


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
