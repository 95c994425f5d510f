"""What a result backend holds of tasks, taken over into the model.

An entry is a look at a moment that has passed: it moves a task forward at most, and what events
told of an end stays. What it says beyond them is laid on as a claim (`claims`), so that events that
come after it count as ever.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import msgspec

from ..entities.result import ResultMeta
from ..entities.states import (
    CELERY_STATES,
    FAILURE,
    FINISHED,
    FROM_BACKEND,
    FROM_EVENT,
    FROM_INSPECT,
    PENDING,
    RECEIVED,
    RETRY,
    REVOKED,
    STARTED,
    SUCCESS,
    WAITING,
    precedence,
)
from ..entities.task import Progress, Task, newest_time
from ..observations import ResultsRead
from ..text.coerce import MAX_NAME_LENGTH, MAX_TIMESTAMP, to_text, truncate
from .backend_overlay import TIME_ROUNDING, BackendOverlay, BackendState, record_disagreement
from .corrections import expects_event
from .operation_log import fill_arguments
from .pace import ProgressRates
from .progress import ProgressReader
from .redaction import Redaction
from .task_events import MAX_STATE_LENGTH
from .task_store import TaskStore
from .worker_store import WorkerStore

NEXT_ATTEMPT_AFTER = 1.0
"""Seconds after the end of an attempt from which on an entry is about the next: the entry of the
attempt before may have been read just before the next one's."""


class BackendResults:
    """Applies entries of a result backend to the stores."""

    def __init__(
        self,
        tasks: TaskStore,
        workers: WorkerStore,
        overlay: BackendOverlay,
        progress_rates: ProgressRates,
        reader: ProgressReader,
        redaction: Redaction,
    ) -> None:
        self._tasks = tasks
        self._workers = workers
        self._overlay = overlay
        self._event_states = overlay.event_states
        self._progress_rates = progress_rates
        self._reader = reader
        self._redaction = redaction

    def apply(self, seen: ResultsRead) -> None:
        """Take over what was read at one moment."""
        held = self._tasks.tasks
        for meta in seen.metas:
            if not meta.status or not 0 < len(meta.id) <= MAX_NAME_LENGTH:
                continue
            task = held.get(meta.id)
            if task is None:
                task = (
                    self._tasks.add_from_history(meta.id)
                    if seen.source == "history" and meta.ready
                    else self._tasks.add(meta.id)
                )
                if task is None:
                    continue
            self._fill_in(task, meta)
            if meta.ready:
                self._finish(task, meta, seen)
            elif task.state not in FINISHED:
                self._advance(task, meta, seen)
            task.sources |= FROM_BACKEND
            self._tasks.touch(task)

    def _fill_in(self, task: Task, meta: ResultMeta) -> None:
        """Fill in what is missing and what this entry has; most have only the state."""
        tasks = self._tasks
        if task.name is None and meta.name:
            tasks.set_name(task, to_text(meta.name, MAX_NAME_LENGTH) or "")
        if (meta.args is not None or meta.kwargs is not None) and (
            task.args is None or task.kwargs is None
        ):
            args, kwargs = self._argument(meta.args), self._argument(meta.kwargs)
            fill_arguments(tasks, task, args, kwargs, self._redaction)
        if task.queue is None and meta.queue:
            task.queue = _name(meta.queue)
        if task.worker is None and meta.worker:
            task.worker = _name(meta.worker)
        if task.group_id is None and meta.group_id:
            tasks.set_group(task, meta.group_id[:MAX_NAME_LENGTH])
        if meta.root_id or meta.parent_id:
            if (
                meta.root_id == task.id
                and task.root_id is task.parent_id is None
                and not meta.parent_id
            ):
                task.root_id = task.id
            else:
                tasks.set_family(
                    task,
                    meta.root_id if task.root_id is None else None,
                    meta.parent_id if task.parent_id is None else None,
                )
        for child_id in meta.children:
            child = tasks.tasks.get(child_id)
            if child is not None and child.parent_id is None:
                tasks.set_family(child, None, task.id)
                tasks.touch(child)

    def _finish(self, task: Task, meta: ResultMeta, seen: ResultsRead) -> None:
        before = self._overlay.remove(task) if task.id in self._event_states else None
        backend = self._end(task, meta, seen)
        # Not every worker leaves an end alone, but SUCCESS all do, and none writes a failure over
        # a revocation that came to pass.
        if before is not None and (
            backend is None
            or (before.state in FINISHED and precedence(before.state) <= precedence(backend.state))
        ):
            backend = before
        elif backend is not None and expects_event(task):
            self._tasks.corrections.await_event(task, seen.at)
        if backend is not None:
            self._overlay.apply(task, backend)

    def _end(self, task: Task, meta: ResultMeta, seen: ResultsRead) -> BackendState | None:
        """Return what an entry says of a task's end, or None if that no longer or not yet holds."""
        state = sys.intern(meta.status or "")
        if task.state in FINISHED:
            record_disagreement(task, state)
            return None
        at, begun = meta.done_at, newest_time(task)
        if at is not None and begun is not None and begun > at + TIME_ROUNDING:
            return None  # it began again since
        if state == REVOKED and task.running:
            # Workers 5.6.2 and 5.6.3 write so of what they run on with. If it ends, they say so.
            record_disagreement(task, REVOKED)
            return None
        return BackendState(
            state,
            seen.at if at is None else min(at, MAX_TIMESTAMP),
            self._written(meta.result) if state == SUCCESS else None,
            self._cut(meta.exception) if state == FAILURE else None,
            self._cut(meta.traceback) if state == FAILURE else None,
            retries=meta.retries or 0,
        )

    def _advance(self, task: Task, meta: ResultMeta, seen: ResultsRead) -> None:
        """Take over the state of a task that has not ended, and how far it has come."""
        status, pushed = meta.status or "", seen.source == "push"
        if status == PENDING or (task.state == RETRY and not self._next_attempt(task, seen.at)):
            return
        told = None
        if status not in CELERY_STATES:
            meta_shown = self._redaction.value(meta.result)
            told = self._reader.shown(task.name, meta_shown, seen.at, "backend")
        elif status == STARTED and isinstance(meta.result, Mapping):
            host = meta.result.get("hostname")
            if task.worker is None and isinstance(host, str) and host:
                task.worker = _name(host)
            meta_shown = self._redaction.value(meta.result)
            told = self._reader.read(task.name, meta_shown, seen.at, "backend")
        if pushed and task.lost_at is not None and status not in WAITING:
            self._tasks.mark_running(task)
        self._overlay_state(task, status, seen.at)
        if told is not None:
            self._progress(task, told, seen.at)

    def _overlay_state(self, task: Task, status: str, at: float) -> None:
        status = sys.intern(to_text(status, MAX_STATE_LENGTH) or "")
        if status == task.state:
            return
        if status in (STARTED, RECEIVED):
            further = task.state == PENDING or (status == STARTED and task.state in WAITING)
        elif status == RETRY:
            # Of a task that runs it may tell of the attempt before: without track_started the
            # entry of one that runs is that of the last one's end.
            told = task.sources & (FROM_EVENT | FROM_INSPECT)
            further = task.state == PENDING or not told or task.lost_at is not None
        else:
            further = True
        if not further:
            return
        if task.id in self._event_states:
            self._overlay.remove(task)
        self._overlay.apply(task, BackendState(status, at))

    def _next_attempt(self, task: Task, at: float) -> bool:
        """Whether an entry of a task that waits for its next attempt is about that one."""
        if task.id in self._event_states:
            return True
        ended = (task.state_at or 0.0) - self._workers.skew(task.state_host)
        return at > ended + NEXT_ATTEMPT_AFTER

    def _progress(self, task: Task, told: Progress, at: float) -> None:
        known = task.progress
        if known is not None and known.source == "backend" and at < known.at:
            return
        if known is not None and msgspec.structs.replace(told, at=known.at) == known:
            return  # asked again, not told again
        task.progress = told
        self._progress_rates.note(task, told.fraction, at)

    def _cut(self, text: str | None) -> str | None:
        return self._redaction.maybe(to_text(text))

    def _argument(self, value: object) -> str | None:
        """Return exact arguments as events have them; of others the repr that the backend has."""
        if isinstance(value, str):
            return to_text(value)
        return self._written(tuple(value) if isinstance(value, list) else value)

    def _written(self, value: object) -> str | None:
        try:
            return None if value is None else truncate(repr(self._redaction.value(value)))
        except RecursionError:
            return "?"


def _name(text: str) -> str:
    return sys.intern(to_text(text, MAX_NAME_LENGTH) or "")
