"""Keeps the attempts of a task apart.

Celery has one record for all attempts of a task. Here the current attempt is the task itself and
the earlier ones are in `Task.attempts`. Most of this module assigns late events to the attempt
that they belong to.
"""

from __future__ import annotations

import re
import sys
from typing import Final

import msgspec

from ....entities.states import IGNORED, REJECTED, RETRY, STARTED, TaskState
from ....entities.task import Attempt, Task, text_size
from ....wire.events import Event
from ..store.task_store import TaskStore

MAX_ATTEMPTS: Final = 50
"""Attempts kept per task; older ones are dropped."""
NO_EXCEPTION: Final = "retried without an exception"
"""Stands for the exception of `self.retry()` outside of an `except` block, which has none."""
_RETRY_PREFIX: Final = "Retry(Retry(...), "
_RETRY_SUFFIX: Final = re.compile(r", (?:None|[\d.]+|datetime\.datetime\(.*\))\)\Z")


def exception_of(event: Event) -> tuple[str | None, str | None]:
    """Return the exception and the traceback that the app raised.

    The exception of a hard time limit is only in the traceback, and thread and greenlet pools wrap
    that of a retry: `Retry(Retry(...), ValueError(1), 5)`. A retry without one has the text `None`.
    """
    exception, traceback = event.exception, event.traceback
    if exception and exception.startswith(_RETRY_PREFIX):
        exception = _RETRY_SUFFIX.sub("", exception.removeprefix(_RETRY_PREFIX)) or exception
    if exception == "None" and event.type == "task-retried":
        exception = NO_EXCEPTION
    if traceback and (not exception or exception.startswith("ExceptionWithTraceback(")):
        exception = traceback.rstrip().rpartition("\n")[2].strip() or exception
    return exception, traceback


class Attempts:
    """Keeps and completes earlier attempts, and counts their texts."""

    def __init__(self, tasks: TaskStore) -> None:
        self._tasks = tasks

    def keep_replaced(self, task: Task) -> None:
        """Store the current run of a task that replaced itself, and reset it for the next one."""
        self.keep_present(task, task.retries, IGNORED)
        task.lost_at = None
        task.set_extra(replaced=True)

    def keep_present(self, task: Task, number: int, state: TaskState | None = None) -> None:
        """Store the current attempt, by default with its state, and reset the task."""
        if state is None and task.started_at is not None and _was_interrupted(task):
            self._tasks.keep_interrupted(task)
        kept = Attempt(
            max(0, number),
            state or task.state,
            task.worker,
            task.received_at,
            task.started_at,
            task.finished_at,
            task.exception,
            task.traceback,
        )
        self._append(task, kept)
        task.received_at = task.started_at = task.finished_at = task.runtime = None
        task.exception = task.traceback = task.progress = task.eta_at = None
        if task.extra is not None and task.extra.acknowledged is not None:
            task.set_extra(acknowledged=None)
        self._tasks.texts.set(task, "result", None)

    def received(self, task: Task, at: float, retries: int) -> None:
        """Apply a late time of receipt to the current or an earlier attempt."""
        if retries < task.retries:
            task.attempts = tuple(
                msgspec.structs.replace(attempt, received_at=at)
                if attempt.number == retries and attempt.received_at is None
                else attempt
                for attempt in task.attempts
            )
            return
        if retries > task.retries and task.started_at is not None and task.started_at < at:
            # The known start was that of the previous attempt.
            known = (task.worker, task.received_at, task.started_at)
            self._append(task, Attempt(retries - 1, STARTED, *known))
            task.received_at = task.started_at = None
        task.retries = retries
        if task.received_at is None:
            task.received_at = at

    def started(self, task: Task, at: float, host: str) -> None:
        """Apply a late or repeated start."""
        if task.received_at is None or at >= task.received_at:
            return
        last = task.attempts[-1] if task.attempts else None
        if last is None:
            self._append(task, Attempt(max(0, task.retries - 1), STARTED, host, started_at=at))
        elif last.started_at is None and last.worker in (None, host):
            self._replace_last(task, msgspec.structs.replace(last, started_at=at, worker=host))

    def started_late(self, task: Task, at: float) -> None:
        """Apply the start of the previous attempt, which came after the next receipt."""
        last = msgspec.structs.replace(task.attempts[-1], state=STARTED, started_at=at)
        self._replace_last(task, last)

    def ended(self, task: Task, event: Event, host: str, state: TaskState) -> bool:
        """Apply a late end; return False if it does not fit the last attempt."""
        last = task.attempts[-1] if task.attempts else None
        if last is None or last.finished_at is not None or last.worker != host:
            return False
        self._close(task, last, event, state)
        return True

    def retried(self, task: Task, event: Event, host: str) -> None:
        """Apply the reason of the retry to the previous attempt."""
        last = task.attempts[-1] if task.attempts else None
        if last is None or last.finished_at is not None:
            last = Attempt(max(0, task.retries - 1), worker=host)
            self._append(task, last)
        self._close(task, last, event, RETRY)

    def _close(self, task: Task, last: Attempt, event: Event, state: TaskState) -> None:
        exception, traceback = exception_of(event)
        traceback = None if traceback is None else sys.intern(traceback)
        self._tasks.texts.count(
            _texts(exception, traceback) - _texts(last.exception, last.traceback)
        )
        closed = msgspec.structs.replace(
            last,
            state=state,
            finished_at=event.timestamp,
            exception=exception,
            traceback=traceback,
        )
        self._replace_last(task, closed)

    def _append(self, task: Task, attempt: Attempt) -> None:
        for dropped in task.attempts[: 1 - MAX_ATTEMPTS]:
            self._tasks.texts.count(-_texts(dropped.exception, dropped.traceback))
        task.attempts = (*task.attempts[1 - MAX_ATTEMPTS :], attempt)

    def _replace_last(self, task: Task, attempt: Attempt) -> None:
        task.attempts = (*task.attempts[:-1], attempt)


def _was_interrupted(task: Task) -> bool:
    """Return whether a run that is followed by another one had no result.

    Its worker was lost; or a pool process was, and the worker returned the message to its queue
    (`task_reject_on_worker_lost`).
    """
    if task.state == REJECTED:
        return True
    redelivered = task.extra is not None and bool(task.extra.redelivered)
    return not task.finished and (task.lost_at is not None or redelivered)


def _texts(*texts: str | None) -> int:
    return sum(text_size(text) for text in texts if text is not None)
