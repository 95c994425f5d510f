"""Changes of limits and consumers that are kept for a later celtop, and when they are over."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from .commands import AddConsumer, CancelConsumer
from .inverse import Change, Workers, workers_having
from .operation import Operation

SETTLED_AFTER: Final = 10.0
"""Seconds after the start of a change in which a report of its workers may be from before it."""


class KeptChange(msgspec.Struct, frozen=True, gc=False):
    """A change of limits or consumers, and what undoes it."""

    operation: Change
    inverse: tuple[Operation, ...]
    at: float
    """When the operation began, epoch seconds."""
    by: str = ""
    """The user."""


def ended(
    changes: Sequence[KeptChange], workers: Workers, paused: Collection[str] = ()
) -> list[KeptChange]:
    """Return the changes that all their workers have reported since not to have any more.

    One below a later change of the same limit or queue is not over: undoing that restores it. Nor
    is an added consumer that was cancelled to pause its queue.

    Args:
        changes: The changes, the latest last.
        workers: The workers by name.
        paused: The paused queues.
    """
    over: list[KeptChange] = []
    changed_later: set[tuple[str, str]] = set()
    for change in reversed(changes):
        operation = change.operation
        added = isinstance(operation, AddConsumer) and operation.queue in paused
        if added or not _is_over(change, workers) or _subject(operation) in changed_later:
            changed_later.add(_subject(operation))
        else:
            over.append(change)
    return over


def to_ask(changes: Sequence[KeptChange], workers: Workers) -> dict[str, set[str]]:
    """Return the workers whose last report is older than a change, by inspect command.

    Another celtop has made that change. Workers that have never reported are being asked anyway.
    """
    asked: dict[str, set[str]] = {}
    for change in changes:
        question = _question(change)
        for name in change.operation.workers:
            worker = workers.get(name)
            if worker is None or worker.left_at is not None or worker.lost_at is not None:
                continue
            fact = worker.fact(question)
            if fact.answered_at and max(fact.asked_at or 0.0, fact.answered_at) <= change.at:
                asked.setdefault(question, set()).add(name)
    return asked


def _is_over(change: KeptChange, workers: Workers) -> bool:
    settled_at, question = change.at + SETTLED_AFTER, _question(change)
    reported = all(
        name in workers and (workers[name].fact(question).answered_at or 0.0) > settled_at
        for name in change.operation.workers
    )
    return reported and not workers_having(change.operation, workers)


def _question(change: KeptChange) -> str:
    """Return the inspect command whose replies show the change."""
    return change.operation.inspected_by or ""


def _subject(operation: Change) -> tuple[str, str]:
    """Return the kind and name of what an operation changes."""
    if isinstance(operation, AddConsumer | CancelConsumer):
        return "consumers", operation.queue
    return operation.name, operation.task
