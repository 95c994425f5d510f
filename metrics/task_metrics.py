"""Counters and histograms of tasks, counted event by event, also of tasks that are evicted.

The four `flower_*` families count as Flower does (`flower/events.py`, 2.2): every event that is
received, also a repeated one. The `celtop_*` families count each outcome once, as the model does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..model.entities.task import Task
from ..model.ingest.tasks.events.run_events import queue_wait
from ..model.state import ClusterState
from ..model.text.traceback import exception_class
from ..model.wire.events import Event
from .families import (
    OTHER,
    Buckets,
    Family,
    Labels,
    LabelValues,
    Number,
    Series,
    histograms,
    numbers,
)

MAX_WORKERS: Final = 1_000
MAX_TASK_NAMES: Final = 1_000
MAX_QUEUES: Final = 500
MAX_EXCEPTIONS: Final = 200
MAX_EVENT_TYPES: Final = 40
"""Names of each kind that are label values; custom events have types of their own."""
MAX_COUNTERS: Final = 20_000
"""Label sets of one counter."""
MAX_HISTOGRAMS: Final = 1_000
"""Label sets of one histogram, each of which is about twenty series."""

FLOWER_BUCKETS: Final = (
    *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)
"""Upper bounds in seconds of Flower's buckets, the defaults of `prometheus_client`."""
BUCKETS: Final = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
    *(60.0, 300.0, 900.0, 3_600.0, 14_400.0),
)
"""Upper bounds in seconds: background tasks wait and run for hours, too."""

MAX_CELLS: Final = 50_000
"""Combinations of names whose counters are found at once."""

OUTCOMES: Final = (
    *("sent", "received", "started", "succeeded", "failed", "retried", "revoked", "rejected"),
)
"""The counters in `Totals`, each of the event of its name."""


class _EventType:
    """A type of event, and how many of it the model had counted when one last arrived."""

    __slots__ = ("counted", "outcome")

    def __init__(self, outcome: str | None) -> None:
        self.outcome = outcome
        """The counter in `Totals`; None of an event that has none."""
        self.counted = 0


class _Cell:
    """The counters of events of one type, worker, task name and queue."""

    __slots__ = ("duration", "events", "prefetch", "runs_on", "runtime", "sent_to", "tasks", "type")

    def __init__(
        self, type_: _EventType, events: Number, tasks: Number, runs_on: Labels, sent_to: Labels
    ) -> None:
        self.type = type_
        self.events = events
        self.tasks = tasks
        self.runs_on = runs_on
        """Worker and task, as label values."""
        self.sent_to = sent_to
        """Task and queue, as label values."""
        self.prefetch: Number | None = None
        self.runtime: Buckets | None = None
        """By worker, as Flower has it."""
        self.duration: Buckets | None = None
        """The wait of a start, the run time of a success."""


class TaskMetrics:
    """Counts the task events of a cluster from now on."""

    def __init__(self, state: ClusterState) -> None:
        self._state = state
        self._outcomes = {f"task-{name}": _EventType(name) for name in OUTCOMES}
        for type_ in self._outcomes.values():
            self._is_new(type_)
        self.workers = LabelValues(MAX_WORKERS)
        self._names = LabelValues(MAX_TASK_NAMES)
        self._queues = LabelValues(MAX_QUEUES)
        self._types = LabelValues(MAX_EVENT_TYPES)
        self._exceptions = LabelValues(MAX_EXCEPTIONS)
        self._events = numbers(MAX_COUNTERS)
        self._flower_runtime = histograms(MAX_HISTOGRAMS, FLOWER_BUCKETS)
        self._prefetch_time = numbers(MAX_COUNTERS)
        self._tasks = numbers(MAX_COUNTERS)
        self._runtime = histograms(MAX_HISTOGRAMS, BUCKETS)
        self._wait = histograms(MAX_HISTOGRAMS, BUCKETS)
        self._failures = numbers(MAX_COUNTERS)
        self._cells: dict[tuple[str, str, str | None, str | None], _Cell] = {}
        state.call_on_task_event(self._count)

    @property
    def received_by(self) -> Iterator[Labels]:
        """The workers with the names of the tasks that they have received, as label values."""
        for worker, type_, name in self._events.samples():
            if type_ == "task-received":
                yield worker, name

    def name(self, task: Task) -> str:
        """Return the label value of a task's name; empty if it is unknown."""
        return self._names[task.name or ""]

    def forget_workers(self, labels: frozenset[str]) -> None:
        """Remove the series of workers that are gone, by their label values."""
        self._events.forget(0, labels)
        self._flower_runtime.forget(0, labels)
        self._prefetch_time.forget(0, labels)
        for name in [name for name, label in self.workers.items() if label in labels]:
            del self.workers[name]
        self._cells.clear()

    def _count(self, event: Event, task: Task, now: float) -> None:
        cell = self._cells.get((event.hostname, event.type, task.name, task.queue))
        if cell is None:
            cell = self._add_cell(event, task)
        cell.events.value += 1
        if event.runtime:
            if cell.runtime is None:
                cell.runtime = self._flower_runtime.at(cell.runs_on)
            cell.runtime.observe(event.runtime)
        type_ = cell.type
        outcome = type_.outcome
        if outcome is None:
            return
        is_new = self._is_new(type_)
        if is_new:
            cell.tasks.value += 1
        if outcome == "started":
            self._note_prefetch_time(cell, task)
            if is_new:
                worker = self._state.workers[event.hostname]
                waited = queue_wait(task, worker, self._state.skews, now)
                self._observe(cell, self._wait, waited)
        elif outcome == "succeeded":
            self._note_prefetch_time(cell, task)
            if is_new:
                ran = task.runtime if task.runtime is not None else task.elapsed(now)
                self._observe(cell, self._runtime, ran)
        elif outcome == "failed":
            self._note_prefetch_time(cell, task)
            if is_new:
                exception = exception_class(task.exception or "") or "unknown"
                self._failures.at((cell.sent_to[0], self._exceptions[exception])).value += 1

    def _observe(self, cell: _Cell, series: Series[Buckets], seconds: float | None) -> None:
        if seconds is not None:
            if cell.duration is None:
                cell.duration = series.at(cell.sent_to)
            cell.duration.observe(seconds)

    def _is_new(self, type_: _EventType) -> bool:
        """Return whether the model has counted the event: not if it is late or repeated."""
        total: int = getattr(self._state.totals, type_.outcome or "")
        known, type_.counted = type_.counted, total
        return total != known

    def _add_cell(self, event: Event, task: Task) -> _Cell:
        # Each client process has a name of its own.
        is_worker = event.hostname in self._state.workers
        worker = self.workers[event.hostname] if is_worker else OTHER
        name, queue = self._names[task.name or ""], self._queues[task.queue or ""]
        type_ = self._outcomes.get(event.type) or _EventType(None)
        cell = _Cell(
            type_,
            self._events.at((worker, self._types[event.type], name)),
            self._tasks.at((name, queue, type_.outcome)) if type_.outcome else Number(),
            (worker, name),
            (name, queue),
        )
        if len(self._cells) >= MAX_CELLS:
            self._cells.clear()
        self._cells[event.hostname, event.type, task.name, task.queue] = cell
        return cell

    def _note_prefetch_time(self, cell: _Cell, task: Task) -> None:
        """Note how long a task has waited in its worker, until it ends, as Flower does."""
        received_at, started_at = task.received_at, task.started_at
        if task.eta_at is not None or received_at is None or started_at is None:
            return
        waited = started_at - received_at if cell.type.outcome == "started" else 0.0
        if cell.prefetch is None:
            cell.prefetch = self._prefetch_time.at(cell.runs_on)
        cell.prefetch.value = waited if waited > 0.0 else 0.0

    def families(self) -> Iterator[Family]:
        """Yield the families as they are now."""
        yield Family(
            "flower_events", "counter", "Number of events", ("worker", "type", "task"),
            self._events.samples(),
        )  # fmt: skip
        yield Family(
            "flower_task_runtime_seconds", "histogram", "Task runtime", ("worker", "task"),
            self._flower_runtime.samples(),
        )  # fmt: skip
        yield Family(
            "flower_task_prefetch_time_seconds",
            "gauge",
            "The time the task spent waiting at the celery worker to be executed.",
            ("worker", "task"),
            self._prefetch_time.samples(),
        )
        yield Family(
            "celtop_tasks",
            "counter",
            "Tasks sent, received, started, succeeded, failed, retried, revoked and rejected.",
            ("task", "queue", "event"),
            self._tasks.samples(),
        )
        yield Family(
            "celtop_task_runtime_seconds",
            "histogram",
            "Run time of tasks that succeeded.",
            ("task", "queue"),
            self._runtime.samples(),
        )
        yield Family(
            "celtop_task_queue_wait_seconds",
            "histogram",
            "Time from when a task could have started (sent, or its ETA) to its start.",
            ("task", "queue"),
            self._wait.samples(),
        )
        yield Family(
            "celtop_task_failures",
            "counter",
            "Failed tasks by the class of their exception.",
            ("task", "exception"),
            self._failures.samples(),
        )
