"""Shows the result backend's state of a task on top of the state from events and workers.

The two are kept apart. The backend may be ahead of the events or behind, and it records few times:
if an event found the backend's state in the task, it would be considered late and not be counted.
So the backend's state is removed before an event is applied, and reapplied if it is still ahead. In
any order of arrival, the result and the counts are the same.
"""

from __future__ import annotations

from typing import Final

import msgspec

from ...entities.states import CELERY_STATES, FINISHED, PENDING, RETRY, TaskState
from ...entities.task import Attempt, EventState, Task, newest_time
from ..tasks.store.task_store import TaskStore
from ..workers.worker_store import WorkerStore

TIME_ROUNDING: Final = 1.0
"""Seconds by which a stored end time may be too early: MySQL keeps whole seconds."""


_NO_EVENTS: Final = EventState()


class BackendState(msgspec.Struct, frozen=True, gc=False):
    """A task's state in the result backend."""

    state: TaskState
    at: float
    """When the task ended, by its worker's clock; for other states, the local time of reading."""
    result: str | None = None
    exception: str | None = None
    traceback: str | None = None
    attempts: tuple[Attempt, ...] = ()
    """The earlier attempts at the time."""
    retries: int = 0
    event_state: TaskState = PENDING
    """The events' state when this one was removed."""
    started_at: float | None = None
    """When it started, if the backend records it."""


class BackendOverlay:
    """Applies backend states to tasks and removes them again."""

    def __init__(self, tasks: TaskStore, workers: WorkerStore) -> None:
        self._tasks = tasks
        self._workers = workers
        self.event_states: dict[str, EventState] = tasks.event_states
        """The events' states, by the id of the task."""

    def apply(self, task: Task, backend: BackendState) -> None:
        """Show the backend's state of a task that shows the events' state."""
        events = EventState(
            task.state,
            task.state_at,
            task.state_host,
            task.started_at,
            task.finished_at,
            task.lost_at,
            task.result,
            task.exception,
            task.traceback,
            task.retries,
        )
        self.event_states[task.id] = _NO_EVENTS if events == _NO_EVENTS else events
        if task.started_at is None:
            task.started_at = backend.started_at
        if backend.state not in FINISHED:
            # It does not prove that the task is running: the entry stays if its worker dies.
            task.lost_at = None
            if backend.state == RETRY and backend.exception is not None:
                self._set_texts(task, backend)
            self._tasks.move(task, backend.state, backend.at, None)
            task.lost_at = None if task.waiting else events.lost_at
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
        """Restore the events' state of a task and return the backend's state."""
        events = self.event_states.pop(task.id)
        backend = BackendState(
            task.state,
            task.state_at or 0.0,
            task.result,
            task.exception,
            task.traceback,
            task.attempts,
            task.retries,
            events.state,
            task.started_at,
        )
        task.started_at = events.started_at
        lost_at = task.lost_at
        if backend.state in FINISHED:
            task.finished_at, task.retries = events.finished_at, events.retries
            self._set_texts(task, events)
            lost_at = events.lost_at
        elif backend.state == RETRY:
            self._set_texts(task, events)
        task.lost_at = None
        self._tasks.move(task, events.state, events.state_at, events.state_host)
        task.lost_at = lost_at
        return backend

    def reapply(self, task: Task, backend: BackendState) -> None:
        """Show the backend's state again after an event, if it is still ahead of the events."""
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
                and (task.state != RETRY or backend.event_state == RETRY)
                and task.state in CELERY_STATES
            )
        if holds:
            self.apply(task, backend)

    def _set_texts(self, task: Task, state: EventState | BackendState) -> None:
        self._tasks.texts.set(task, "result", state.result)
        self._tasks.texts.set(task, "exception", state.exception)
        self._tasks.texts.set(task, "traceback", state.traceback)


def record_disagreement(task: Task, state: TaskState) -> None:
    """Record that the backend's final state differs from the events'; the events' state stays."""
    differs = state if state != task.state else None
    if differs != (None if task.extra is None else task.extra.backend_state):
        task.set_extra(backend_state=differs)
