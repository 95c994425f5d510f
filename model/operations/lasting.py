"""Operations whose effect lasts until it is undone: what they changed, and how to undo it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias, TypeVar

from ..entities.queue import Queue
from ..entities.worker import UNLIMITED, Limits, Worker, WorkerQueue
from ..text.parse import reported_rate
from ..text.phrases import named
from .commands import (
    AddConsumer,
    CancelConsumer,
    Drain,
    PauseQueue,
    RateLimit,
    ResumeQueue,
    TimeLimit,
)
from .operation import Operation
from .outcome import Outcome

S = TypeVar("S")
V = TypeVar("V")

Workers: TypeAlias = Mapping[str, Worker]


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


def inverse(operation: Operation, workers: Workers) -> tuple[Operation, ...]:
    """Return the operations that undo one, given the workers before it; empty if none do.

    Workers whose previous value is unknown, or that have the new one already, are left out.
    """
    if isinstance(operation, RateLimit):
        task, rate = operation.task, reported_rate(operation.rate)
        rates = _by_value(_limits(operation, workers), lambda before: before.rate)
        return tuple(
            RateLimit(workers=names, task=task, rate=before or "0")
            for before, names in rates.items()
            if before != rate
        )
    if isinstance(operation, TimeLimit):
        times = _by_value(_limits(operation, workers), _times)
        return tuple(
            TimeLimit(workers=names, task=operation.task, soft=soft, hard=hard)
            for (soft, hard), names in times.items()
            if (soft, hard) != (operation.soft, operation.hard)
        )
    if isinstance(operation, CancelConsumer):
        consumed = {name: _consumed(operation, workers, name) for name in operation.workers}
        return tuple(
            AddConsumer(
                workers=names,
                queue=queue.name,
                exchange=queue.exchange,
                exchange_type=queue.exchange_type,
                routing_key=queue.routing_key,
            )
            for queue, names in _by_value(consumed, lambda queue: queue).items()
            if queue is not None
        )
    if isinstance(operation, AddConsumer):
        names = tuple(name for name in operation.workers if _lacks(operation, workers, name))
        return (CancelConsumer(workers=names, queue=operation.queue),) if names else ()
    return ()


def lasting(
    operations: Mapping[int, Outcome],
    inverses: Mapping[int, tuple[Operation, ...]],
    paused: Mapping[str, PauseQueue],
    workers: Workers,
    queues: Mapping[str, Queue] = MappingProxyType({}),
) -> list[Lasting]:
    """Return the changes that are in force, the latest last.

    Args:
        operations: The operations of this session by number, the newest last.
        inverses: What undoes each of them.
        paused: The paused queues; celtop remembers them from one session to the next.
        workers: What the workers report now.
        queues: The queues, with who paused them.
    """
    drains = {
        number: outcome.operation
        for number, outcome in operations.items()
        if isinstance(outcome.operation, Drain) and not outcome.ended
    }
    draining = {worker for drain in drains.values() for worker in drain.workers}
    changes: dict[object, Lasting] = {
        queue: _pause(pause, workers)
        for queue, pause in paused.items()
        if not (draining and _drained(pause, draining, queues.get(queue)))
    }
    for number, outcome in operations.items():
        operation, undo = outcome.operation, inverses.get(number, ())
        if number in drains:
            text = f"{named(drains[number].workers)} draining"
            changes[number] = Lasting(text, text, drain=number)
        elif isinstance(operation, PauseQueue) and operation.queue in changes:
            changes[operation.queue] = changes.pop(
                operation.queue
            )  # it takes the place of its latest pause
        elif undo and _in_force(operation, workers):
            changes[number] = Lasting(*_texts(operation), undo)
    return list(changes.values())


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


def _in_force(operation: Operation, workers: Workers) -> bool:
    """Return whether a worker still has what the operation has set; a restarted one has not."""
    if isinstance(operation, RateLimit):
        rate = reported_rate(operation.rate)
        return any(now.rate == rate for now in _limits(operation, workers).values())
    if isinstance(operation, TimeLimit):
        both = (operation.soft, operation.hard)
        return any(_times(now) == both for now in _limits(operation, workers).values())
    if isinstance(operation, CancelConsumer):
        return any(_lacks(operation, workers, name) for name in operation.workers)
    if isinstance(operation, AddConsumer):
        return any(_consumed(operation, workers, name) for name in operation.workers)
    return False


def _texts(operation: Operation) -> tuple[str, str]:
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
    if isinstance(operation, AddConsumer):
        workers = named(operation.workers)
        return f"{operation.queue} also consumed by {workers}", f"{operation.queue} added"
    return operation.name, operation.name


def _times(limits: Limits) -> tuple[float | None, float | None]:
    return limits.soft, limits.hard


def _limits(operation: RateLimit | TimeLimit, workers: Workers) -> dict[str, Limits]:
    """Return the limits of the operation's workers that have reported theirs."""
    known = (workers[name] for name in operation.workers if name in workers)
    return {
        worker.name: worker.limits.get(operation.task, UNLIMITED)
        for worker in known
        if worker.initial_limits is not None
    }


def _consumed(
    operation: AddConsumer | CancelConsumer, workers: Workers, name: str
) -> WorkerQueue | None:
    queues = workers[name].queues if name in workers else None
    return next((queue for queue in queues or () if queue.name == operation.queue), None)


def _lacks(operation: AddConsumer | CancelConsumer, workers: Workers, name: str) -> bool:
    known = name in workers and workers[name].queues is not None
    return known and _consumed(operation, workers, name) is None


def _by_value(of: Mapping[str, S], value: Callable[[S], V]) -> dict[V, tuple[str, ...]]:
    """Return the names that have each value."""
    found: dict[V, tuple[str, ...]] = {}
    for name, one in of.items():
        found[value(one)] = (*found.get(value(one), ()), name)
    return found
