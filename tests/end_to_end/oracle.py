"""A cluster whose true state is known from the servers, the workers and their logs."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Generic, TypeVar

from celery import Celery
from celtop.export.snapshot.records import (
    Note,
    QueueRecord,
    Snapshot,
    TaskRecord,
    WorkerRecord,
)
from celtop.tests.servers import CeleryWorker

T = TypeVar("T")

TOLERANCE: Final = 10.0
"""Seconds for which a shown value may contradict the cluster."""
ENDINGS: Final = {"succeeded": "SUCCESS", "raised": "FAILURE"}
_ENDED: Final = re.compile(r"Task [\w.]+\[([\w-]+)\] (succeeded|raised)")


class History(Generic[T]):
    """The true values of one thing, with the times at which they were seen."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, T]] = deque(maxlen=400)

    def add(self, at: float, value: T) -> None:
        """Record a value."""
        self._seen.append((at, value))

    def within(self, start: float, end: float) -> list[T]:
        """Return the values that were true at some time between two times."""
        seen = list(self._seen)
        before = [value for at, value in seen if at <= start][-1:]
        return before + [value for at, value in seen if start < at <= end]


@dataclass
class Truth:
    """What is true, as read by clients that share nothing with celtop."""

    app: Celery
    count: Callable[[str], int]
    """Counts the messages waiting in a queue."""
    queues: tuple[str, ...]
    workers: dict[str, CeleryWorker] = field(default_factory=dict)
    depths: dict[str, History[int]] = field(default_factory=dict)
    active: dict[str, History[frozenset[str]]] = field(default_factory=dict)
    reserved: dict[str, History[frozenset[str]]] = field(default_factory=dict)
    consumed: dict[str, History[frozenset[str]]] = field(default_factory=dict)
    alive: dict[str, History[bool]] = field(default_factory=dict)
    ended: dict[str, tuple[float, str]] = field(default_factory=dict)
    """The time and the state at the end of each task, by the workers' logs."""
    _read: dict[Path, int] = field(default_factory=dict)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Start to observe."""
        for observe in (self._observe_depths, self._observe_workers):
            threading.Thread(target=self._repeat, args=(observe,), daemon=True).start()

    def stop(self) -> None:
        """Stop to observe."""
        self._stopping.set()

    def _repeat(self, observe: Callable[[], None]) -> None:
        while not self._stopping.wait(0.5):
            try:
                observe()
            except Exception:  # a broker that the test breaks breaks its clients as well
                time.sleep(0.5)

    def _observe_depths(self) -> None:
        now = time.time()
        for name, worker in self.workers.copy().items():
            self.alive.setdefault(name, History()).add(now, worker.child.alive)
            self._read_log(worker.child.log, now)
        for queue in self.queues:
            self.depths.setdefault(queue, History()).add(time.time(), self.count(queue))

    def _observe_workers(self) -> None:
        names = [name for name, worker in self.workers.copy().items() if worker.child.alive]
        inspect = self.app.control.inspect(names, timeout=3.0, limit=len(names))
        for held, histories in (
            (inspect.active(), self.active),
            (inspect.reserved(), self.reserved),
        ):
            for name, tasks in (held or {}).items():
                ids = frozenset(one["id"] for one in tasks)
                histories.setdefault(name, History()).add(time.time(), ids)
        for name, queues in (inspect.active_queues() or {}).items():
            consumed = frozenset(one["name"] for one in queues)
            self.consumed.setdefault(name, History()).add(time.time(), consumed)

    def _read_log(self, path: Path, now: float) -> None:
        with path.open("rb") as log:
            log.seek(self._read.get(path, 0))
            text = log.read()
        self._read[path] = self._read.get(path, 0) + len(text)
        for match in _ENDED.finditer(text.decode(errors="replace")):
            self.ended.setdefault(match[1], (now, ENDINGS[match[2]]))


class Oracle:
    """Collects the values of a snapshot that have been untrue for too long."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.rounds = 0
        self.statuses: set[str] = set()
        """The states of the broker that were shown."""
        self.checked = 0
        """Values compared."""
        self.contradictions: dict[str, str] = {}
        self._since: dict[str, tuple[float, int]] = {}

    def check(self, taken: Snapshot, now: float) -> None:
        """Compare every number of a snapshot with the truth of the last seconds."""
        self.rounds += 1
        found = dict(self._compare(taken, now))
        for subject in self._since.keys() - found.keys():
            del self._since[subject]
        for subject, text in found.items():
            since, rounds = self._since.setdefault(subject, (now, self.rounds))
            # A process that did not get the time to look has not contradicted anything.
            if now - since > TOLERANCE and self.rounds - rounds > TOLERANCE / 2:
                self.contradictions.setdefault(subject, f"{text} (at {taken.taken_at})")

    def _compare(self, taken: Snapshot, now: float) -> Iterable[tuple[str, str]]:
        status = taken.broker.status
        self.statuses.add(status)
        for queue in taken.queues:
            yield from self._queue(queue, taken, now)
        for worker in taken.workers:
            yield from self._worker(worker, taken, now, numbers=status == "live")
        for task in taken.tasks:
            yield from self._task(task, now, ended=status == "live")

    def _queue(self, queue: QueueRecord, taken: Snapshot, now: float) -> Iterable[tuple[str, str]]:
        history = self.truth.depths.get(queue.name)
        if history is None:
            return
        subject = f"queue {queue.name}"
        if queue.waiting is None:
            yield from self._unexplained(f"{subject} waiting", subject, taken)
        else:
            age = taken_age(queue.measured_at, now)
            yield from self._between(
                f"{subject} waiting", queue.waiting, history.within(now - age - 2, now), age
            )
        if queue.consumers is None:
            yield from self._unexplained(f"{subject} consumers", subject, taken)
            return
        for worker, consumed in self.truth.consumed.items():
            if taken.broker.status != "live":
                continue
            true = {queue.name in names for names in consumed.within(now - TOLERANCE, now)}
            self.checked += 1
            if true and (worker in queue.consumers) not in true and self._is_alive(worker, now):
                yield f"{subject} consumers", f"{queue.consumers}, but {worker} consumes: {true}"

    def _worker(
        self, worker: WorkerRecord, taken: Snapshot, now: float, numbers: bool
    ) -> Iterable[tuple[str, str]]:
        alive = self.truth.alive.get(worker.name)
        if alive is None:
            return
        subject = f"worker {worker.name}"
        true = set(alive.within(now - TOLERANCE, now))
        self.checked += 1
        if true == {True} and worker.status == "offline":
            yield f"{subject} status", "offline, but its process runs"
        if true == {False} and worker.status == "online":
            yield f"{subject} status", "online, but its process is dead"
        if not numbers or not self._is_alive(worker.name, now):
            return
        age = worker.heartbeat_age_s or 0.0
        for what, shown, histories in (
            ("active", worker.active, self.truth.active),
            ("reserved", worker.reserved, self.truth.reserved),
        ):
            if shown is None:
                yield from self._unexplained(f"{subject} {what}", subject, taken)
            elif age < TOLERANCE and worker.name in histories:
                seen = histories[worker.name].within(now - TOLERANCE, now)
                yield from self._between(f"{subject} {what}", shown, list(map(len, seen)), age)

    def _task(self, task: TaskRecord, now: float, ended: bool) -> Iterable[tuple[str, str]]:
        end = self.truth.ended.get(task.id)
        self.checked += 1
        if end is not None and now - end[0] > TOLERANCE:
            if ended and task.state != end[1]:
                yield f"task {task.id}", f"{task.state}, but its end was {end[1]}"
            return
        orphaned = self.truth.depths.get(task.queue or "")
        if task.state == "PENDING" and orphaned and not task.lost_at:
            depths = orphaned.within(now - TOLERANCE, now)
            if depths and not any(depths) and task.worker is None:
                yield f"task {task.id}", f"PENDING in {task.queue}, which is empty"
        running = [
            name
            for name, history in self.truth.active.items()
            if self._is_alive(name, now)
            and (seen := history.within(now - TOLERANCE, now))
            and all(task.id in ids for ids in seen)
        ]
        if running and (task.lost_at or task.state in ENDINGS.values()):
            what = "lost" if task.lost_at else task.state
            yield f"task {task.id}", f"{what}, but {running[0]} runs it"

    def _between(
        self, subject: str, shown: int, true: list[int], age: float
    ) -> Iterable[tuple[str, str]]:
        self.checked += 1
        if true and not min(true) <= shown <= max(true):
            yield (
                subject,
                f"{shown} (measured {age:.0f} s ago), but it was {min(true)} to {max(true)}",
            )

    def _unexplained(self, subject: str, about: str, taken: Snapshot) -> Iterable[tuple[str, str]]:
        self.checked += 1
        field = subject.rpartition(" ")[2]
        if not any(_explains(note, about, field) for note in taken.notes):
            subjects = sorted({note.subject for note in taken.notes})
            yield subject, f"null without a note; notes are about {subjects}"

    def _is_alive(self, worker: str, now: float) -> bool:
        return all(self.truth.alive[worker].within(now - TOLERANCE - 5, now))


def _explains(note: Note, about: str, field: str) -> bool:
    kind, _, name = about.partition(" ")
    plural, _, names = note.subject.partition(" ")
    shared = plural == f"{kind}s" and (not names or name in names or " more" in names)
    if not shared and note.subject not in (about, "broker"):
        return False
    return field in note.text or " unknown: " not in note.text


def taken_age(at: str | None, now: float) -> float:
    """Return the age in seconds of a time in a snapshot."""
    from datetime import datetime

    return 0.0 if at is None else max(0.0, now - datetime.fromisoformat(at).timestamp())


def at_times(script: Mapping[float, Callable[[], object]], started: float) -> Callable[[], None]:
    """Return a function that runs each action of a script once its second has come."""
    pending = sorted(script.items())

    def run() -> None:
        while pending and time.monotonic() - started >= pending[0][0]:
            pending.pop(0)[1]()

    return run
