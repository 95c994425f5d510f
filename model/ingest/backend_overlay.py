"""What a result backend says of a task's state, laid over what events and workers told.

The two are kept apart. A backend is told first as often as last, and dates little: an event that
comes after it must find the task as if the backend had said nothing, or it would be taken for late,
and not be counted. So a claim is lifted off before an event is applied, and laid on again where it
still says more. In whatever order all of it comes, it ends in the same state and counts the same.
"""

from __future__ import annotations

from typing import Final

import msgspec

from ..entities.states import CELERY_STATES, FINISHED, PENDING, RETRY, TaskState
from ..entities.task import Attempt, EventState, Task, TaskExtra, newest_time
from .task_store import TaskStore
from .worker_store import WorkerStore

TIME_ROUNDING: Final = 1.0
"""Seconds that an end may be told too early: MySQL keeps whole seconds."""


_NO_STATE: Final = EventState()


class BackendState(msgspec.Struct, frozen=True, gc=False):
    """A state that a backend has of a task."""

    state: TaskState
    at: float
    """When the task ended, by its worker's clock; of other states when it was read, by ours."""
    result: str | None = None
    exception: str | None = None
    traceback: str | None = None
    attempts: tuple[Attempt, ...] = ()
    """Those before the one that it is about."""
    retries: int = 0
    base: TaskState = PENDING
    """The state beneath, as it was lifted."""


class BackendOverlay:
    """Lays claims on tasks and lifts them off."""

    def __init__(self, tasks: TaskStore, workers: WorkerStore) -> None:
        self._tasks = tasks
        self._workers = workers
        self.event_states: dict[str, EventState] = tasks.event_states
        """What lies beneath, by the id of the task."""

    def apply(self, task: Task, backend: BackendState) -> None:
        """Have a task that no claim is on show what its backend says."""
        base = EventState(
            task.state,
            task.state_at,
            task.state_host,
            task.finished_at,
            task.lost_at,
            task.result,
            task.exception,
            task.traceback,
            task.retries,
        )
        self.event_states[task.id] = _NO_STATE if base == _NO_STATE else base
        if backend.state not in FINISHED:
            # Nor does it prove that the task still runs: the entry stays when its worker dies.
            task.lost_at = None
            self._tasks.move(task, backend.state, backend.at, None)
            task.lost_at = None if task.waiting else base.lost_at
            return
        task.finished_at = backend.at
        task.retries = max(task.retries, backend.retries)
        self._set_texts(task, backend)
        self._tasks.move(task, backend.state, backend.at, None)
        if task.extra is not None and task.extra.backend_state is not None:
            record_disagreement(task, backend.state)
        worker = self._workers.workers.get(task.worker or "")
        if worker is not None:
            self._workers.ended(worker, task.id)

    def remove(self, task: Task) -> BackendState:
        """Take the claim off a task and return it."""
        base = self.event_states.pop(task.id)
        backend = BackendState(
            task.state,
            task.state_at or 0.0,
            task.result,
            task.exception,
            task.traceback,
            task.attempts,
            task.retries,
            base.state,
        )
        lost_at = task.lost_at
        if backend.state in FINISHED:
            task.finished_at, task.retries = base.finished_at, base.retries
            self._set_texts(task, base)
            lost_at = base.lost_at
        task.lost_at = None
        self._tasks.move(task, base.state, base.state_at, base.state_host)
        task.lost_at = lost_at
        return backend

    def reapply(self, task: Task, backend: BackendState) -> None:
        """Lay a claim on again after an event, if it still says more than the events do."""
        if task.state in FINISHED:
            if backend.state in FINISHED:
                record_disagreement(task, backend.state)
            return
        if backend.state in FINISHED:
            begun = newest_time(task)
            holds = begun is None or begun <= backend.at + TIME_ROUNDING
        else:
            holds = (
                task.attempts is backend.attempts
                and task.retries == backend.retries
                and (task.state != RETRY or backend.base == RETRY)
                and task.state in CELERY_STATES
            )
        if holds:
            self.apply(task, backend)

    def _set_texts(self, task: Task, told: EventState | BackendState) -> None:
        self._tasks.set_text(task, "result", told.result)
        self._tasks.set_text(task, "exception", told.exception)
        self._tasks.set_text(task, "traceback", told.traceback)


def record_disagreement(task: Task, state: TaskState) -> None:
    """Note that the backend has another final state than events told; the events' stays."""
    extra = task.extra or TaskExtra()
    differs = state if state != task.state else None
    if extra.backend_state != differs:
        task.extra = msgspec.structs.replace(extra, backend_state=differs)
