"""What undoes a change of limits or consumers, and the workers that still have it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias, TypeVar

from msgspec.structs import replace

from ..entities.worker import UNLIMITED, Limits, Worker, WorkerQueue
from ..text.parse import reported_rate
from .commands import AddConsumer, CancelConsumer, RateLimit, TimeLimit, WorkerOperation
from .operation import Operation

S = TypeVar("S")
V = TypeVar("V")

Workers: TypeAlias = Mapping[str, Worker]
Change: TypeAlias = AddConsumer | CancelConsumer | RateLimit | TimeLimit
CHANGES: Final = (AddConsumer, CancelConsumer, RateLimit, TimeLimit)
"""The operations that `inverse` can undo."""


def inverse(
    operation: Operation, workers: Workers, earlier: Iterable[tuple[Operation, ...]] = ()
) -> tuple[Operation, ...]:
    """Return the operations that undo one; empty if none do, or if it undoes another one.

    Workers whose previous value is unknown, or that have the new one already, are left out.

    Args:
        operation: The operation.
        workers: The workers before it.
        earlier: What undoes each earlier operation.
    """
    if any(left_to_undo(each, operation) != each for each in earlier):
        return ()
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


def left_to_undo(inverse: tuple[Operation, ...], undone: Operation) -> tuple[Operation, ...]:
    """Return what is left of an inverse after an operation; all if that is no part of it."""
    if not isinstance(undone, WorkerOperation):
        return inverse
    done, left = set(undone.workers), []
    for one in inverse:
        if (
            isinstance(one, WorkerOperation)
            and done.issubset(one.workers)
            and replace(one, workers=undone.workers) == undone
        ):
            left += _on(one, [name for name in one.workers if name not in done])
        else:
            left.append(one)
    return tuple(left)


def only_on(inverse: Iterable[Operation], workers: Iterable[str]) -> tuple[Operation, ...]:
    """Return the operations of an inverse on some of its workers."""
    kept = frozenset(workers)
    return tuple(
        part
        for one in inverse
        if isinstance(one, WorkerOperation)
        for part in _on(one, [name for name in one.workers if name in kept])
    )


def workers_having(operation: Operation, workers: Workers) -> tuple[str, ...]:
    """Return the workers that still have what an operation has set; a restarted one has not."""
    if isinstance(operation, RateLimit):
        rate = reported_rate(operation.rate)
        limits = _limits(operation, workers).items()
        return tuple(name for name, now in limits if now.rate == rate)
    if isinstance(operation, TimeLimit):
        both = (operation.soft, operation.hard)
        limits = _limits(operation, workers).items()
        return tuple(name for name, now in limits if _times(now) == both)
    if isinstance(operation, CancelConsumer):
        return tuple(name for name in operation.workers if _lacks(operation, workers, name))
    if isinstance(operation, AddConsumer):
        return tuple(name for name in operation.workers if _consumed(operation, workers, name))
    return ()


def _on(operation: WorkerOperation, workers: list[str]) -> list[Operation]:
    """Return an operation on other workers; nothing without any."""
    return [replace(operation, workers=tuple(workers))] if workers else []


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
