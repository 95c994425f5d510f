"""Records the last hour of the cluster, its queues, workers and task types as time series.

Nothing is counted per event: each step takes the differences of counters that the model has anyway.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar

from ..entities.cluster.totals import Totals
from ..entities.queue import Queue
from ..entities.series.distribution import Buckets, add_buckets, new_buckets, quantile_of
from ..entities.series.time_series import STEP, Marks, TimeSeries, step_of
from ..entities.task_type import TaskType
from ..entities.worker import Worker
from .workers.worker_store import WorkerStore

B = TypeVar("B")
Values: TypeAlias = dict[str, float | None]

MAX_SUBJECTS: Final = 250
"""Queues, workers and task types each that are recorded; a new one takes the place of one that has
had nothing to show for `IDLE_STEPS`."""
IDLE_STEPS: Final = 120

MAX_DEPTH_AGE: Final = 90.0
"""Seconds for which a measured depth is taken to hold: queues that no screen shows are measured
every 30 seconds or more."""

RATES: Final = ("succeeded", "failed", "retried", "revoked", "received")
"""Counters of `Totals`, recorded per second."""
CLUSTER_VALUES: Final = (
    *(*RATES, "waiting", "runnable"),
    *("busy", "slots", "online", "wait_p95", "runtime_p95"),
)
"""Tasks per second; messages waiting in all measured queues, and the longest `runnable` of them;
tasks that workers run, and could run; online workers; seconds."""
QUEUE_VALUES: Final = ("waiting", "in_per_s", "out_per_s", "oldest", "runnable")
"""Messages; tasks per second; ages in seconds of the oldest message and of the first that may run,
at least where they are not known exactly."""
WORKER_VALUES: Final = ("busy", "slots", "per_s", "rss", "load")
"""Running tasks, size of the pool, tasks per second, peak memory of the main process in bytes, and
the host's load over one minute."""
TYPE_RATES: Final = ("succeeded", "failed", "retried")
TYPE_VALUES: Final = (*TYPE_RATES, "runtime_p50", "runtime_p95", "wait_p95")
"""Tasks per second, and seconds."""

MEDIAN: Final = 0.5
HIGH: Final = 0.95


class TypeCounts(NamedTuple):
    """The counts of a task type at one time."""

    counts: tuple[int, ...]
    """Tasks succeeded, failed and retried; run times and waits."""
    runtimes: Buckets
    waits: Buckets


NOTHING_COUNTED: Final = TypeCounts((0, 0, 0, 0, 0), {}, {})


class Subject(Generic[B]):
    """A recorded queue, worker or task type.

    `before` is what its counters were at the last step; None if there was none.
    """

    __slots__ = ("active_at", "before", "series")

    def __init__(self, names: tuple[str, ...]) -> None:
        self.series = TimeSeries(names)
        self.active_at = 0
        self.before: B | None = None


class Subjects(dict[str, Subject[B]]):
    """The recorded queues, workers or task types by name."""

    def __init__(self, names: tuple[str, ...], initially: B | None = None) -> None:
        super().__init__()
        self.names = names
        self.initially = initially
        """The counters of a subject that is new to the model."""

    def series(self, name: str) -> TimeSeries | None:
        """Return the series of a subject; None if it is not recorded."""
        subject = self.get(name)
        return None if subject is None else subject.series

    def has_room(self, name: str) -> bool:
        """Return whether a subject is recorded, or would be if it came now."""
        return name in self or len(self) < MAX_SUBJECTS

    def admit(self, present: Iterable[tuple[str, bool]], step: int) -> None:
        """Begin to record subjects that have come.

        Args:
            present: The names, and whether they have anything to show in this step.
            step: The number of the step.
        """
        idle: list[str] | None = None
        for name, active in present:
            subject = self.get(name)
            if subject is None and len(self) < MAX_SUBJECTS:
                subject = self[name] = Subject(self.names)
                subject.before = self.initially
            elif subject is None and active:
                idle = self._idle(step) if idle is None else idle
                if not idle:
                    return
                del self[idle.pop()]
                subject = self[name] = Subject(self.names)
            if subject is not None and active:
                subject.active_at = step

    def _idle(self, step: int) -> list[str]:
        """Return the names of those without anything to show, the longest idle last."""
        idle = [name for name, one in self.items() if one.active_at < step - IDLE_STEPS]
        return sorted(idle, key=lambda name: -self[name].active_at)


class SeriesRecorder:
    """The last hour as time series; `record` is to be called every second."""

    def __init__(
        self,
        totals: Totals,
        queues: Mapping[str, Queue],
        workers: WorkerStore,
        types: Mapping[str, TaskType],
    ) -> None:
        self.cluster = TimeSeries(CLUSTER_VALUES)
        self.queues: Subjects[None] = Subjects(QUEUE_VALUES)
        self.workers: Subjects[tuple[int, bool]] = Subjects(WORKER_VALUES)
        self.types: Subjects[TypeCounts] = Subjects(TYPE_VALUES, NOTHING_COUNTED)
        self.marks: Marks = workers.marks
        self._totals = totals
        self._live_queues = queues
        self._live_workers = workers
        self._live_types = types
        self._step = 0
        self._recorded_at = 0.0
        self._before: dict[str, int] | None = None

    @property
    def newest(self) -> int:
        """The number of the last recorded step; it differs whenever the series do."""
        return self._step

    @property
    def end(self) -> float:
        """The epoch seconds at which the last recorded step ends."""
        return float((self._step + 1) * STEP)

    def sampled_at(self, at: float) -> float:
        """Return the epoch time of the samples that hold at `at`: the current step has none yet."""
        return float(self._step * STEP) if step_of(at) == self._step + 1 else at

    def until(self, at: float) -> SeriesRecorder:
        """Return the same series up to an earlier epoch time."""
        earlier = copy.copy(self)
        earlier._step = min(self._step, step_of(at))
        return earlier

    @property
    def recorded_seconds(self) -> int:
        """How much time has been recorded, in seconds."""
        first = self.cluster.first
        return 0 if first is None else (self._step - first + 1) * STEP

    def record(self, now: float, *, connected: bool, reachable: bool = True) -> bool:
        """Record the step that has ended, once; return whether it was recorded now.

        Args:
            now: Epoch seconds.
            connected: Whether events can be received; otherwise what they count is unknown.
            reachable: Whether queues can be measured; otherwise no earlier depth is taken to hold.
        """
        step = step_of(now) - 1
        if step == self._step:
            return False
        if step < self._step:
            self._clear()  # the clock was set back
        elapsed = now - self._recorded_at
        # After a pause of the process, what was counted belongs to no step.
        usable = connected and self._step > 0 and step - self._step <= 2
        self._step, self._recorded_at = step, now
        span = elapsed if usable else None
        values = self._record_types(step, span)
        values |= self._record_workers(step, span)
        values |= self._record_queues(step, now - MAX_DEPTH_AGE if reachable else float("inf"))
        self.cluster.record(step, values | self._rates(span))
        return True

    def _clear(self) -> None:
        self.cluster = TimeSeries(CLUSTER_VALUES)
        for subjects in (self.queues, self.workers, self.types):
            subjects.clear()
        self._step, self._before = 0, None

    def _rates(self, span: float | None) -> Values:
        """Return what the cluster did per second; `span` is None if it is unknown."""
        counts = {name: int(getattr(self._totals, name)) for name in RATES}
        before, self._before = self._before, counts
        if span is None or before is None:
            return {}
        new = {name: counts[name] - before[name] for name in RATES}
        if not any(new.values()) and not self._live_workers.observed:
            return {}  # no line at 0 suggests that no task runs
        return {name: count / span for name, count in new.items()}

    def _record_queues(self, step: int, since: float) -> Values:
        """Record the queues that were measured since then; return what they have together."""
        total: float | None = None
        longest: float | None = None
        present: list[tuple[str, bool]] = []
        for name, queue in self._live_queues.items():
            waiting = _depth(queue, since)
            if waiting is not None:
                total = waiting + (total or 0.0)
            present.append((name, bool(waiting or queue.out_per_s)))
        self.queues.admit(present, step)
        for name, subject in self.queues.items():
            values: Values = {}
            found = self._live_queues.get(name)
            if found is not None and (waiting := _depth(found, since)) is not None:
                values = {
                    "waiting": waiting,
                    "in_per_s": found.in_per_s,
                    "out_per_s": found.out_per_s,
                    "oldest": _age(found, found.oldest_age, found.oldest_age_at_least),
                    "runnable": 0.0
                    if found.due_at is not None
                    else _age(found, found.runnable_age, found.runnable_age_at_least),
                }
                if (age := values["runnable"]) is not None:
                    longest = age if longest is None else max(age, longest)
            subject.series.record(step, values)
        return {"waiting": total, "runnable": longest}

    def _record_workers(self, step: int, span: float | None) -> Values:
        """Record the workers, and return what those that are not offline run together."""
        live = self._live_workers
        present = [one for one in live.workers.values() if live.status(one.name) != "offline"]
        self.workers.admit(((worker.name, True) for worker in present), step)
        for name, subject in self.workers.items():
            worker = live.workers.get(name)
            values: Values = {}
            before, subject.before = subject.before, None if worker is None else _finished(worker)
            if worker is not None and span is not None and live.status(name) != "offline":
                values = {
                    "busy": worker.running,
                    "slots": worker.slots,
                    "rss": worker.rusage.rss_bytes if worker.rusage is not None else None,
                    "load": worker.load[0] if worker.load else None,
                }
                if subject.before is not None and before is not None:
                    (done, counted), (earlier, as_before) = subject.before, before
                    # It counts from 0 again after a restart.
                    if counted == as_before and done >= earlier:
                        values["per_s"] = (done - earlier) / span
            subject.series.record(step, values)
        if span is None:
            return {}
        return {
            "busy": _sum(worker.running for worker in present),
            "slots": _sum(worker.slots for worker in present),
            "online": sum(live.status(worker.name) == "online" for worker in present),
        }

    def _record_types(self, step: int, span: float | None) -> Values:
        """Record the task types, and return the percentiles of all of them together."""
        since = step * STEP
        types = self._live_types.values()
        self.types.admit(((kind.name, (kind.last_at or 0.0) >= since) for kind in types), step)
        runtimes: Buckets = {}
        waits: Buckets = {}
        for name, subject in self.types.items():
            kind, before = self._live_types.get(name), subject.before
            values: Values = {}
            if kind is None:
                subject.before = None
            elif before is not None and before.counts == _counts(kind):
                values = {} if span is None else dict.fromkeys(TYPE_RATES, 0.0)
            else:
                reported = new_buckets(kind.runtime.buckets(), kind.loaded_runtime.buckets())
                subject.before = TypeCounts(_counts(kind), reported, kind.wait.buckets())
                if before is not None and span is not None:
                    ran = new_buckets(subject.before.runtimes, before.runtimes)
                    waited = new_buckets(subject.before.waits, before.waits)
                    add_buckets(runtimes, ran)
                    add_buckets(waits, waited)
                    values = {
                        name: max(0, count - earlier) / span
                        for name, count, earlier in zip(
                            TYPE_RATES, subject.before.counts, before.counts, strict=False
                        )
                    }
                    values["runtime_p50"] = quantile_of(ran, MEDIAN)
                    values["runtime_p95"] = quantile_of(ran, HIGH)
                    values["wait_p95"] = quantile_of(waited, HIGH)
            subject.series.record(step, values)
        return {"runtime_p95": quantile_of(runtimes, HIGH), "wait_p95": quantile_of(waits, HIGH)}


def _counts(kind: TaskType) -> tuple[int, ...]:
    return (kind.succeeded, kind.failed, kind.retried, kind.runtime.count, kind.wait.count)


def _finished(worker: Worker) -> tuple[int, bool] | None:
    """Return how many attempts a worker has finished, and whether its events have counted them.

    Its heartbeats count them too, but come at another pace than the steps.
    """
    if worker.events_enabled:
        return worker.ended, True
    return None if worker.processed is None else (worker.processed, False)


def _depth(queue: Queue, since: float) -> int | None:
    """Return how many messages wait in a queue, unless that was measured before then."""
    at = queue.measured_at
    return queue.waiting if at is not None and at >= since else None


def _age(queue: Queue, exact: float | None, at_least: float | None) -> float | None:
    """Return an age or its minimum; 0 if no message is waiting."""
    if not queue.waiting:
        return 0.0
    return at_least if exact is None else exact


def _sum(numbers: Iterable[int | None]) -> float | None:
    """Return the sum of the known numbers; None if none is known."""
    known = [number for number in numbers if number is not None]
    return float(sum(known)) if known else None
