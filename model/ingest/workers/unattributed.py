"""Which queue the tasks of workers came from, where events do not tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ...entities.task import Task
from ...entities.worker import Worker, WorkerQueue

MAX_UNATTRIBUTED: Final = 1_000
"""Tasks from an unknown queue that are kept for each worker, until their task-sent event; also
those from a queue that it is not known to consume, until it reports its queues."""
MAX_ALL_UNATTRIBUTED: Final = 50_000
"""Those of all workers together: with more than 50 workers, each keeps its share of them."""
REPORT_DELAY: Final = 1.0
"""Seconds that a report of the consumed queues may have been in transit."""


class UnattributedTasks:
    """The tasks that workers received from an unknown queue, or from one they do not consume."""

    def __init__(self, workers: Mapping[str, Worker]) -> None:
        self._workers = workers

    def received(self, worker: Worker, task_id: str, now: float) -> None:
        """Record that a worker received a task from an unknown queue."""
        self._keep_newest(worker.unattributed, task_id, now)

    def received_from(self, worker: Worker, task: Task, now: float) -> None:
        """Record a task of a queue that its worker did not consume by its last report before."""
        if worker.queues is None or any(one.name == task.queue for one in worker.queues):
            return
        reported_at = worker.fact("active_queues").answered_at
        received_at = (task.received_at or 0.0) - (worker.clock_skew or 0.0)
        if reported_at is not None and received_at > reported_at + REPORT_DELAY:
            self._keep_newest(worker.rerouted, task.id, now)

    def take(self, name: str | None, task_id: str) -> float | None:
        """Remove a task whose queue is now known; return when it was received, if it was there."""
        worker = self._workers.get(name or "")
        return None if worker is None else worker.unattributed.pop(task_id, None)

    def reroute(
        self, worker: Worker, queues: Sequence[WorkerQueue], before: float, held: Mapping[str, Task]
    ) -> Iterator[Task]:
        """Attribute tasks to the only queue of a worker that still does not consume theirs.

        Args:
            worker: The worker.
            queues: The queues that it reports now.
            before: Tasks noted later are left for the next report, by the local clock.
            held: The tasks by id.

        Yields:
            The tasks that were changed.
        """
        names = {queue.name for queue in queues}
        for id_, noted_at in list(worker.rerouted.items()):
            if noted_at > before:
                continue
            del worker.rerouted[id_]
            task = held.get(id_)
            if task is None or task.worker != worker.name or task.queue in names:
                continue
            if len(queues) == 1:
                task.queue = queues[0].name
                yield task

    def _keep_newest(self, tasks: dict[str, float], task_id: str, now: float) -> None:
        workers = len(self._workers)
        tasks.pop(task_id, None)
        while tasks and (
            len(tasks) >= MAX_UNATTRIBUTED or len(tasks) * workers >= MAX_ALL_UNATTRIBUTED
        ):
            del tasks[next(iter(tasks))]
        tasks[task_id] = now
