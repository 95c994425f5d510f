"""Counts tasks whose state had to be corrected, and logs them in groups."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from ...entities.cluster.log import EventLog
from ...entities.cluster.totals import Totals
from ...entities.states import FINISHED, FROM_EVENT, REVOKED, TaskState
from ...entities.task import Task
from ...text.phrases import counted
from ..workers.worker_store import FINAL_EVENT_DELAY

Correction: TypeAlias = Literal["finished", "lost", "redelivered", "running", "unknown", "emptied"]
"""Finished without an event, lost with its worker, redelivered, found running again, unknown to
the workers and the result backend, or removed with its queue."""

LOG_INTERVAL: Final = 5.0
"""Seconds between two log entries of one kind."""

MAX_NAMED: Final = 3
"""Tasks named in a log entry."""

MAX_GROUPS: Final = 50
"""Workers with log entries of their own at a time."""

_PHRASES: Final[dict[Correction, str]] = {
    "finished": "finished without an event (according to the result backend)",
    "lost": "lost with",
    "redelivered": "redelivered (previously running)",
    "running": "found running (previously lost)",
    "unknown": "unknown to the workers and the result backend",
    "emptied": "lost: their queue was emptied, and no worker has them",
}


class Corrections:
    """Counts corrections and collects them for the log."""

    def __init__(self, totals: Totals) -> None:
        self._totals = totals
        self._gathered: dict[tuple[Correction, str], tuple[int, list[str]]] = {}
        self._logged_at: dict[tuple[Correction, str], float] = {}
        self._awaited: dict[str, tuple[float, Task]] = {}

    def count(self, kind: Correction, task: Task, worker: str = "") -> None:
        """Count a task whose state was wrong; `worker` is the one that it was lost with."""
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
        """Count a task as finished without an event, unless the event still arrives."""
        self._awaited.setdefault(task.id, (now, task))

    def log_due(self, log: EventLog, now: float) -> bool:
        """Count tasks whose event is overdue, and log what is due; return whether anything was."""
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


def expects_event(task: Task, state: TaskState) -> bool:
    """Return whether the event of a state in the result backend should follow soon.

    Not if no worker's events about this task were received. `task-sent` does not count: the client
    may send events while the worker sends none. Nor if a waiting task was revoked: its worker sends
    the event when the task's turn or ETA comes.
    """
    if state == REVOKED and task.started_at is None:
        return False
    begun = task.received_at is not None or task.started_at is not None
    return task.lost_at is not None or (begun and bool(task.sources & FROM_EVENT))


def _line(group: tuple[Correction, str], count: int, named: list[str]) -> str:
    kind, worker = group
    phrase = f"{_PHRASES[kind]} {worker}" if worker else _PHRASES[kind]
    more = f" and {count - len(named):,} more" if count > len(named) else ""
    return f"{counted(count, 'task')} {phrase}: {', '.join(named)}{more}"
