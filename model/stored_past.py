"""The state at a minute that only the history has, for a screen that is frozen.

The history has what was sampled, a minute each: queues, workers and rates. The states of tasks are
not stored; those of tasks in memory are taken back by their own times, as in `past`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from .entities.cluster.log import EventLog
from .entities.queue import Queue
from .entities.series.time_series import STEP, TimeSeries
from .entities.worker import Worker
from .ingest.series_recorder import (
    CLUSTER_VALUES,
    QUEUE_VALUES,
    RATES,
    TYPE_VALUES,
    WORKER_VALUES,
    SeriesRecorder,
    Subject,
    Subjects,
)
from .ingest.tasks.failure_groups import FailureGroup, FailureGroups
from .past import state_at
from .state import ClusterState

MINUTE: Final = 60
SubjectKind: TypeAlias = Literal["cluster", "queue", "worker", "type"]


class Stored(NamedTuple):
    """The values of one subject in a minute."""

    kind: SubjectKind
    name: str
    values: Mapping[str, float]
    """Means, and exact counts of the minute as `n_succeeded`, ..."""


def end_of_minute(at: float) -> float:
    """Return the last second of the minute of an epoch time."""
    return at // MINUTE * MINUTE + MINUTE - 1.0


def stored_state(
    frozen: ClusterState,
    at: float,
    stored: Iterable[Stored],
    failures: Iterable[FailureGroup],
    log: EventLog,
) -> ClusterState:
    """Return a copy of a frozen state as it was at an epoch time, which can only be read.

    Args:
        frozen: The state.
        at: The end of a minute, epoch seconds.
        stored: What the history has of the minute.
        failures: The groups of failures in the hour before.
        log: The lines before.
    """
    kept = copy.copy(frozen)
    kept.series = _series(frozen.series, at, stored)
    kept.queues = {name: Queue(name) for name in kept.series.queues} | frozen.queues
    kept.workers = {name: Worker(name) for name in kept.series.workers} | frozen.workers
    past = state_at(kept, at)
    for worker in past.workers.values():  # copies
        _forget_unstored(worker)
    past.queues = {name: past.queues[name] for name in kept.series.queues}
    past.series = frozen.series.until(at)
    past.failures = FailureGroups.of_groups(failures)
    past.log = log
    return past


def _forget_unstored(worker: Worker) -> None:
    """Leave how many tasks a worker ran, without those that it runs or holds today."""
    worker.active_ids, worker.reserved_ids, worker.scheduled_ids = {}, None, None
    worker.facts = {name: fact for name, fact in worker.facts.items() if name != "active"}
    worker.processed = worker.uptime = None


def _series(series: SeriesRecorder, at: float, stored: Iterable[Stored]) -> SeriesRecorder:
    """Return series that have the minute only."""
    minute = copy.copy(series)
    minute.cluster = TimeSeries(CLUSTER_VALUES)
    minute.queues, minute.workers = Subjects(QUEUE_VALUES), Subjects(WORKER_VALUES)
    minute.types = Subjects(TYPE_VALUES)
    subjects: dict[str, Subjects[Any]] = {
        "queue": minute.queues, "worker": minute.workers, "type": minute.types
    }  # fmt: skip
    for kind, name, values in stored:
        if kind == "cluster":
            _record(minute.cluster, at, _rates(values))
        else:
            subject = subjects[kind][name] = Subject(subjects[kind].names)
            _record(subject.series, at, values)
    return minute


def _record(series: TimeSeries, at: float, values: Mapping[str, float]) -> None:
    last = int(at // STEP)
    for step in range(last - MINUTE // STEP + 1, last + 1):
        series.record(step, values)


def _rates(values: Mapping[str, float]) -> Mapping[str, float]:
    """Return the values of the cluster with rates by the exact counts."""
    counted = {name: values[f"n_{name}"] / MINUTE for name in RATES if f"n_{name}" in values}
    return {**values, **counted}
