"""All metrics of one cluster: what is counted from its events, and what the model holds."""

from __future__ import annotations

from typing import Final

from ..model.state import ClusterState
from .families import Family, Labels, LabelValues
from .gauges import (
    FindingCounts,
    broker_families,
    is_gone,
    queue_families,
    schedule_families,
    worker_families,
)
from .task_metrics import MAX_QUEUES, TaskMetrics

MAX_ENTRIES: Final = 500
"""Entries of beat's schedule that have series."""


class ClusterMetrics:
    """The metrics of a cluster; all methods belong to the thread that updates the model.

    Args:
        state: The model.
        cluster: The value of the label `cluster`; empty for metrics without this label.
    """

    def __init__(self, state: ClusterState, cluster: str = "") -> None:
        self.cluster = cluster
        self.state = state
        self._tasks = TaskMetrics(state)
        self._queues = LabelValues(MAX_QUEUES)
        self._entries = LabelValues(MAX_ENTRIES)
        self._findings = FindingCounts()

    def families(self, now: float) -> list[Family]:
        """Return the metrics at `now` (epoch seconds); they do not change later."""
        self._forget_workers(now)
        state = self.state
        found = [
            *self._tasks.families(),
            self._prefetched(now),
            *worker_families(state, self._tasks.workers, now),
            *queue_families(state, self._queues, now),
            *schedule_families(state, self._entries, now),
            self._findings.family(state, now),
            *broker_families(state),
        ]
        if not self.cluster:
            return found
        name = (LabelValues(1)[self.cluster],)
        return [
            family._replace(
                label_names=("cluster", *family.label_names),
                samples={name + labels: value for labels, value in family.samples.items()},
            )
            for family in found
        ]

    def _prefetched(self, now: float) -> Family:
        """Return how many tasks of each name wait in each worker, from what the workers hold.

        Flower counts events up and down instead, so that lost events add up.
        """
        labels, listening = self._tasks.workers, self.state.broker.listening(now)
        known = [
            (labels[worker.name], worker.reserved_ids)
            for worker in self.state.workers.values()
            if worker.reserved_ids is not None and worker.status(listening) != "offline"
        ]
        names = {label for label, _ in known}
        received = (pair for pair in self._tasks.received_by if pair[0] in names)
        counts: dict[Labels, float] = dict.fromkeys(received, 0.0)
        for label, ids in known:
            for id_ in ids:
                task = self.state.tasks.get(id_)
                if task is not None and task.eta_at is None:
                    pair = label, self._tasks.name(task)
                    counts[pair] = counts.get(pair, 0.0) + 1.0
        return Family(
            "flower_worker_prefetched_tasks",
            "gauge",
            "Number of tasks of given type prefetched at a worker",
            ("worker", "task"),
            counts,
        )

    def _forget_workers(self, now: float) -> None:
        """Forget the series of workers that have been offline for long."""
        labels, workers = self._tasks.workers, self.state.workers
        gone = {labels[name] for name in labels if is_gone(workers.get(name), now)}
        kept = {labels[name] for name in labels if not is_gone(workers.get(name), now)}
        if gone - kept:
            self._tasks.forget_workers(frozenset(gone - kept))
