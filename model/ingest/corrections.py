"""What was believed of tasks and turned out otherwise: counted, and told in the log by groups."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from ..entities.log import EventLog
from ..entities.states import FINISHED, FROM_EVENT
from ..entities.task import Task
from ..entities.totals import Totals
from .worker_store import FINAL_EVENT_DELAY

Correction: TypeAlias = Literal["finished", "lost", "redelivered", "running", "unknown"]
"""Finished without an event, lost with its worker, redelivered, found running again, not known any
more by anyone."""

LOG_INTERVAL: Final = 5.0
"""Seconds between two lines of one kind."""

MAX_NAMED: Final = 3
"""How many tasks a line names."""

MAX_GROUPS: Final = 50
"""How many workers have lines of their own at a time."""

_PHRASES: Final[dict[Correction, tuple[str, str]]] = {
    "finished": ("finished without an event", "result backend"),
    "lost": ("lost with", ""),
    "redelivered": ("delivered again", "said to run before"),
    "running": ("found running again", "said to be lost before"),
    "unknown": ("known by nobody any more", "workers and result backend"),
}


class Corrections:
    """Counts corrections and gathers them for the log."""

    def __init__(self, totals: Totals) -> None:
        self._totals = totals
        self._gathered: dict[tuple[Correction, str], tuple[int, list[str]]] = {}
        self._logged_at: dict[tuple[Correction, str], float] = {}
        self._awaited: dict[str, tuple[float, Task]] = {}

    def count(self, kind: Correction, task: Task, worker: str = "") -> None:
        """Count a task whose picture was wrong; `worker` is the one it was lost with."""
        counts = self._totals.corrections
        counts[kind] = counts.get(kind, 0) + 1
        group = (kind, worker)
        if group not in self._gathered and len(self._gathered) >= MAX_GROUPS:
            group = (kind, "their workers" if worker else "")
        count, named = self._gathered.get(group, (0, []))
        if count < MAX_NAMED:
            named.append(f"{task.name or '?'} {task.id}")
        self._gathered[group] = count + 1, named

    def await_event(self, task: Task, now: float) -> None:
        """Count a task as finished without an event, unless that still comes."""
        self._awaited.setdefault(task.id, (now, task))

    def log_due(self, log: EventLog, now: float) -> bool:
        """Judge whom no event came for, write what is due to the log; return if anything was."""
        due = []
        for id_, (since, _) in self._awaited.items():
            if now - since < FINAL_EVENT_DELAY:
                break
            due.append(id_)
        for id_ in due:
            _, task = self._awaited.pop(id_)
            if task.state in FINISHED and task.state_host is None:
                self.count("finished", task)
        written = False
        for group in list(self._gathered):
            if now - self._logged_at.get(group, float("-inf")) >= LOG_INTERVAL:
                count, named = self._gathered.pop(group)
                self._logged_at[group] = now
                log.add(now, "warning", "tasks", _line(group, count, named))
                written = True
        if len(self._logged_at) > 2 * MAX_GROUPS:
            self._logged_at.clear()
        return written


def expects_event(task: Task) -> bool:
    """Whether events told that a worker has this task, so that the lack of one is news.

    That it was sent says nothing: a client may send events, and the worker none.
    """
    begun = task.received_at is not None or task.started_at is not None
    return task.lost_at is not None or (begun and bool(task.sources & FROM_EVENT))


def _line(group: tuple[Correction, str], count: int, named: list[str]) -> str:
    kind, worker = group
    words, source = _PHRASES[kind]
    tasks = "1 task" if count == 1 else f"{count:,} tasks"
    if worker:
        words += f" {worker}"
    if source:
        words += f" ({source})"
    more = f" and {count - len(named):,} more" if count > len(named) else ""
    return f"{tasks} {words}: {', '.join(named)}{more}"
