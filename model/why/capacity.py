"""The slots of a queue's consumers, and how soon a waiting message gets one."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..entities.queue import Queue
from ..entities.worker import Worker
from ..state import ClusterState


class Capacity(msgspec.Struct, frozen=True):
    """The slots of the workers that consume a queue."""

    workers: tuple[Worker, ...]
    """Its present consumers."""
    busy: int = 0
    slots: int = 0
    reserved: int = 0
    """Tasks that they have received but not started, from any queue."""
    unknown: tuple[str, ...] = ()
    """Consumers whose slots or running tasks are unknown: the numbers above lack them."""
    at: float | None = None
    """When the oldest of the replies was received."""

    @property
    def free(self) -> int:
        """Slots that are certainly free."""
        return max(0, self.slots - self.busy)

    @property
    def is_full(self) -> bool:
        """Whether certainly all slots are busy."""
        return bool(self.slots) and not self.unknown and not self.free


def capacity(queue: Queue, state: ClusterState, now: float) -> Capacity:
    """Return the slots of a queue's present consumers."""
    present = state.present_workers(now)
    workers = tuple(state.workers[name] for name in queue.known_consumers if name in present)
    counted = [one for one in workers if one.slots is not None and one.running is not None]
    answers = [one.fact("active").answered_at or one.last_seen_at for one in counted]
    return Capacity(
        workers,
        sum(one.running or 0 for one in counted),
        sum(one.slots or 0 for one in counted),
        sum(len(one.reserved_ids or ()) for one in workers),
        tuple(one.name for one in workers if one not in counted),
        min(filter(None, answers), default=None),
    )


def starts_in(
    before: int, queue: Queue, places: Capacity, names: Sequence[str | None], state: ClusterState
) -> float | None:
    """Return about how many seconds a message with so many before it waits; None if unknown.

    By the mean run time of earlier tasks; without any, by the rate at which messages are received.

    Args:
        before: The messages before it.
        queue: Its queue.
        places: The slots of the queue's consumers.
        names: The task names whose run times count.
        state: The model.
    """
    if places.unknown or not places.slots:
        return None
    ahead = before + places.reserved
    if ahead < places.free:
        return 0.0
    types = [state.types[name] for name in set(names) if name is not None and name in state.types]
    runs = sum(one.runtime.count for one in types)
    if runs:
        mean = sum(one.runtime.total for one in types) / runs
        return (ahead + 1 - places.free) * mean / places.slots
    # While all slots are busy, messages may still be received into the prefetch.
    return None if places.is_full or not queue.out_per_s else (before + 1) / queue.out_per_s
