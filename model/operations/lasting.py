"""Operations whose effect lasts until it is undone: what they changed, and how to undo it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from msgspec.structs import replace

from ..entities.queue import Queue
from ..text.parse import reported_rate
from ..text.phrases import named
from .commands import (
    CancelConsumer,
    Drain,
    PauseQueue,
    RateLimit,
    ResumeQueue,
    TimeLimit,
)
from .inverse import CHANGES, Change, Workers, only_on, workers_having
from .kept_change import KeptChange
from .operation import Operation
from .outcome import Outcome


@dataclass(frozen=True, slots=True)
class Lasting:
    """A change that is in force, and the operations that undo it."""

    text: str
    """The change in full: `billing limited to 10/m`."""
    badge: str
    """The change in a few words: `billing limited`."""
    inverse: tuple[Operation, ...] = ()
    queue: str | None = None
    """The queue that is paused."""
    drain: int | None = None
    """The number of a running drain, which is undone by cancelling it."""


def lasting(
    operations: Mapping[int, Outcome],
    kept: Sequence[KeptChange],
    paused: Mapping[str, PauseQueue],
    workers: Workers,
    queues: Mapping[str, Queue] = MappingProxyType({}),
) -> list[Lasting]:
    """Return the changes that are in force, the latest last.

    Args:
        operations: The operations of this session by number, the newest last.
        kept: The changes of limits and consumers that celtop remembers, also from this session.
        paused: The paused queues, which it remembers, too.
        workers: What the workers report now.
        queues: The queues, with who paused them.
    """
    drains = {
        number: outcome.operation
        for number, outcome in operations.items()
        if isinstance(outcome.operation, Drain) and not outcome.ended
    }
    draining = {worker for drain in drains.values() for worker in drain.workers}
    found: list[tuple[float, Lasting]] = [
        (_paused_at(queue, operations, queues), _pause(pause, workers))
        for queue, pause in paused.items()
        if not (draining and _drained(pause, draining, queues.get(queue)))
    ]
    for change in _changes(operations, kept):
        having = workers_having(change.operation, workers)
        if undo := only_on(change.inverse, having):
            texts = _texts(replace(change.operation, workers=having))
            found.append((change.at, Lasting(*texts, undo)))
    for number, drain in drains.items():
        text = f"{named(drain.workers)} draining"
        found.append((operations[number].began_at, Lasting(text, text, drain=number)))
    return [change for _, change in sorted(found, key=lambda each: each[0])]


def _changes(operations: Mapping[int, Outcome], kept: Sequence[KeptChange]) -> Iterator[KeptChange]:
    """Yield the changes of limits and consumers: those kept, and those of this session."""
    own = {
        (outcome.began_at, outcome.operation): KeptChange(
            outcome.operation, outcome.inverse, outcome.began_at
        )
        for outcome in operations.values()
        if outcome.inverse and isinstance(outcome.operation, CHANGES)
    }
    yield from (change for change in kept if (change.at, change.operation) not in own)
    yield from own.values()


def _paused_at(queue: str, operations: Mapping[int, Outcome], queues: Mapping[str, Queue]) -> float:
    """Return when a queue was last paused, epoch seconds; 0 if that is unknown."""
    pause = queues[queue].pause if queue in queues else None
    here = (
        outcome.began_at
        for outcome in operations.values()
        if isinstance(outcome.operation, PauseQueue) and outcome.operation.queue == queue
    )
    return max((pause and pause.at) or 0.0, *here, 0.0)


def _pause(pause: PauseQueue, workers: Workers) -> Lasting:
    """Return a paused queue as a change in force, with its workers if others consume the queue."""
    resume = ResumeQueue(queue=pause.queue, consumers=pause.consumers)
    text = f"{pause.queue} paused"
    paused = {one.worker for one in pause.consumers}
    others = (worker for name, worker in workers.items() if name not in paused)
    if paused and any(
        queue.name == pause.queue for worker in others for queue in worker.queues or ()
    ):
        text += f" on {named(sorted(paused))}"
    return Lasting(text, text, (resume,), queue=pause.queue)


def _drained(pause: PauseQueue, draining: Collection[str], queue: Queue | None) -> bool:
    """Return whether a queue is paused only because the workers that consumed it are drained."""
    by_hand = queue is not None and queue.pause is not None and not queue.pause.drained
    return not by_hand and all(one.worker in draining for one in pause.consumers)


def _texts(operation: Change) -> tuple[str, str]:
    """Return the change that an operation made, in full and in a few words."""
    if isinstance(operation, RateLimit):
        rate = reported_rate(operation.rate)
        limited = f"{operation.task} {'limited' if rate else 'unlimited'}"
        return (f"{limited} to {rate}" if rate else limited), limited
    if isinstance(operation, TimeLimit):
        limited = f"{operation.task} time limits"
        return f"{limited} {operation.limits}", limited
    if isinstance(operation, CancelConsumer):
        workers = named(operation.workers)
        return f"{operation.queue} not consumed by {workers}", f"{operation.queue} cancelled"
    workers = named(operation.workers)
    return f"{operation.queue} also consumed by {workers}", f"{operation.queue} added"
