"""The load of queues on their workers: busy slots, reserved tasks, and run times.

Derived from the workers and the latest tasks about once a second, and never per event.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from itertools import islice
from typing import Final, NamedTuple

from ...entities.queue import Queue
from ...entities.task import Task
from ...entities.task_type import TaskType
from ...entities.worker import Worker
from ..workers.worker_store import WorkerStore

RUNTIME_INTERVAL: Final = 5.0
"""Seconds after which the run times are derived again."""
MAX_SAMPLED: Final = 2_000
"""Latest tasks whose run times count."""
MIN_SAMPLED: Final = 3
"""Tasks of a queue that have to be among them."""
MAX_ATTRIBUTED: Final = 20_000
"""Reserved tasks of workers with several queues that are attributed to one of them."""


class _Work(NamedTuple):
    """The load of one worker."""

    version: int
    """The worker's version that this is known of."""
    busy: int | None
    slots: int | None
    reserved: Counter[str] | None
    """Tasks that it has received but not started, and that are due, by queue."""
    is_shared: bool
    """Whether it consumes several queues."""


class QueueLoads:
    """Keeps slots, backlog and run times of the queues."""

    def __init__(
        self,
        tasks: dict[str, Task],
        types: Mapping[str, TaskType],
        workers: WorkerStore,
        queues: Mapping[str, Queue],
    ) -> None:
        self._tasks = tasks
        self._types = types
        self._workers = workers
        self._queues = queues
        self._second = 0
        self._runtimes_at = float("-inf")
        self._known: dict[str, _Work] = {}
        self._left = 0

    def update(self, now: float) -> bool:
        """Update all queues, once a second; return whether any changed."""
        if int(now) == self._second:
            return False
        self._second = int(now)
        if not 0 <= now - self._runtimes_at < RUNTIME_INTERVAL:
            self._runtimes_at = now
            self._update_runtimes()
            self._known.clear()  # the queue of a task may have become known
        work = self._work()
        slots: dict[tuple[str, ...] | None, tuple[int | None, int | None, bool | None]] = {}
        changed = False
        for queue in self._queues.values():
            names = queue.consumers
            if names not in slots:
                slots[names] = _slots(names, work)
            before = queue.slots_busy, queue.slots_total, queue.slots_shared, queue.reserved
            after = (*slots[names], _reserved(queue, names, work))
            if after != before:
                queue.slots_busy, queue.slots_total, queue.slots_shared, queue.reserved = after
                queue.version += 1
                changed = True
        return changed

    def _work(self) -> dict[str, _Work]:
        """Return what is known about each worker that is not offline."""
        self._left = MAX_ATTRIBUTED
        found: dict[str, _Work] = {}
        for worker in self._workers.workers.values():
            if self._workers.status(worker.name) != "offline":
                known = self._known.get(worker.name)
                if known is None or known.version != worker.version:
                    known = self._work_of(worker)
                found[worker.name] = known
        self._known = found
        return found

    def _work_of(self, worker: Worker) -> _Work:
        queues = worker.queues or ()
        reserved: Counter[str] | None = None
        count = len(worker.reserved_ids or ()) + len(worker.limited_ids)
        if worker.reserved_ids is None:
            pass
        elif len(queues) == 1 or not count:
            reserved = Counter({one.name: len(_waiting(worker)) for one in queues})
        elif count <= self._left:
            self._left -= count
            reserved = self._attributed(worker)
        return _Work(worker.version, worker.running, worker.slots, reserved, len(queues) > 1)

    def _attributed(self, worker: Worker) -> Counter[str] | None:
        """Return a worker's reserved tasks by queue; None if one's queue is unknown."""
        found: Counter[str] = Counter()
        for id_ in _waiting(worker):
            task = self._tasks.get(id_)
            if task is None or task.queue is None:
                return None
            found[task.queue] += 1
        return found

    def _update_runtimes(self) -> None:
        """Derive the mean run time of each queue's tasks from the latest ones."""
        counts: Counter[str] = Counter()
        totals: dict[str, float] = defaultdict(float)
        for id_ in islice(reversed(self._tasks), MAX_SAMPLED):
            task = self._tasks[id_]
            kind = self._types.get(task.name or "")
            if task.queue is None or kind is None:
                continue
            runtime = kind.runtime.mean if task.runtime is None else task.runtime
            if runtime is not None:
                counts[task.queue] += 1
                totals[task.queue] += runtime
        for name, count in counts.items():
            queue = self._queues.get(name)
            if queue is not None and count >= MIN_SAMPLED:
                queue.runtime = totals[name] / count


def _waiting(worker: Worker) -> Collection[str]:
    """Return the tasks that wait in a worker for a free slot or for their rate limit."""
    reserved = worker.reserved_ids or {}
    return reserved.keys() | worker.limited_ids.keys() if worker.limited_ids else reserved


def _slots(
    names: tuple[str, ...] | None, work: Mapping[str, _Work]
) -> tuple[int | None, int | None, bool | None]:
    """Return the busy slots of some workers, all of their slots, and whether they are shared."""
    if names is None:
        return None, None, None
    found = [work.get(name) for name in names]
    if not all(found):
        return None, None, None
    busy = [one.busy for one in found if one is not None]
    total = [one.slots for one in found if one is not None]
    return _sum(busy), _sum(total), any(one.is_shared for one in found if one is not None)


def _reserved(queue: Queue, names: tuple[str, ...] | None, work: Mapping[str, _Work]) -> int | None:
    """Return the tasks of a queue that its consumers have received but not started."""
    if names is None:
        return None
    total = 0
    for name in names:
        one = work.get(name)
        if one is None or one.reserved is None:
            return None
        total += one.reserved[queue.name]
    return total


def _sum(numbers: list[int | None]) -> int | None:
    return None if None in numbers else sum(number for number in numbers if number is not None)
