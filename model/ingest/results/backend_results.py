"""Applies entries of the result backend to the model.

An entry may be outdated when it is applied: it can only move a task forward, and a final state from
events stays. Anything beyond the events is shown as an overlay (`backend_overlay`), so that later
events count as usual.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from ...entities.result import ResultMeta
from ...entities.states import (
    CELERY_STATES,
    FAILURE,
    FINISHED,
    FROM_BACKEND,
    FROM_EVENT,
    FROM_INSPECT,
    PENDING,
    RECEIVED,
    REPORTS_RETRIES,
    RETRY,
    REVOKED,
    STARTED,
    SUCCESS,
    WAITING,
    precedence,
)
from ...entities.task import Progress, Task, newest_time
from ...observations import ResultsRead
from ...text.coerce import MAX_NAME_LENGTH, MAX_TIMESTAMP, to_text, truncate
from ..redaction import Redaction
from ..tasks.corrections import expects_event
from ..tasks.events.task_events import MAX_STATE_LENGTH
from ..tasks.progress import ProgressReader
from ..tasks.progress_rate import ProgressRates
from ..tasks.store.task_store import TaskStore
from ..workers.worker_store import WorkerStore
from .backend_overlay import TIME_ROUNDING, BackendOverlay, BackendState, record_disagreement

NEXT_ATTEMPT_AFTER: Final = 1.0
"""Seconds after the end of an attempt from which on an entry belongs to the next one; before that,
it may still be the previous attempt's."""


@dataclass(frozen=True, slots=True)
class BackendResults:
    """Applies entries of the result backend to the stores."""

    _tasks: TaskStore
    _workers: WorkerStore
    _overlay: BackendOverlay
    _progress_rates: ProgressRates
    _reader: ProgressReader
    _redaction: Redaction

    def apply(self, seen: ResultsRead) -> None:
        """Apply the entries of one read or push."""
        held = self._tasks.tasks
        for meta in seen.metas:
            if not meta.status or not 0 < len(meta.id) <= MAX_NAME_LENGTH:
                continue
            task = held.get(meta.id)
            if task is None:
                task = (
                    self._tasks.add_from_history(
                        meta.id, meta.done_at, wanted=seen.source == "search"
                    )
                    if seen.source in ("history", "search") and meta.ready
                    else self._tasks.add(meta.id)
                )
                if task is None:
                    continue
            self._fill_in(task, meta)
            if meta.ready:
                self._finish(task, meta, seen)
                if seen.source == "history" and task.arrival < 0 and task.sources == 0:
                    self._tasks.types.count_runtime(task, loaded=True)
            elif task.state not in FINISHED:
                self._advance(task, meta, seen)
            task.sources |= FROM_BACKEND
            if meta.retries is not None:
                task.sources |= REPORTS_RETRIES
            self._tasks.touch(task)

    def _fill_in(self, task: Task, meta: ResultMeta) -> None:
        """Fill in missing fields; most entries have only the state."""
        tasks = self._tasks
        if task.name is None and meta.name:
            tasks.set_name(task, to_text(meta.name, MAX_NAME_LENGTH) or "")
        if (meta.args is not None or meta.kwargs is not None) and (
            task.args is None or task.kwargs is None
        ):
            masked = self._redaction.text_or_none
            tasks.texts.fill_arguments(
                task, masked(self._argument(meta.args)), masked(self._argument(meta.kwargs))
            )
        if task.queue is None and meta.queue:
            task.queue = _name(meta.queue)
        if task.worker is None and meta.worker:
            task.worker = _name(meta.worker)
        if meta.created_at is not None or meta.periodic_task_name is not None:
            periodic = meta.periodic_task_name
            task.set_extra(
                created_at=meta.created_at, periodic_task_name=_name(periodic) if periodic else None
            )
        group_id = meta.group_id[:MAX_NAME_LENGTH] if meta.group_id else None
        tasks.relations.fill(task, meta.root_id, meta.parent_id, group_id)
        for child_id in meta.children:
            child = tasks.tasks.get(child_id)
            if child is not None and child.parent_id is None:
                tasks.relations.set_family(child, None, task.id)
                tasks.touch(child)

    def _finish(self, task: Task, meta: ResultMeta, seen: ResultsRead) -> None:
        before = self._overlay.remove(task) if task.id in self._overlay.event_states else None
        backend = self._final_state(task, meta, seen)
        # Some workers overwrite a final state, but never SUCCESS, and never a revocation that took
        # effect with a failure.
        if before is not None and (
            backend is None
            or (before.state in FINISHED and precedence(before.state) <= precedence(backend.state))
        ):
            backend = before
        elif backend is not None and expects_event(task, backend.state):
            self._tasks.corrections.await_event(task, seen.at)
        if backend is not None:
            self._overlay.apply(task, backend)

    def _final_state(self, task: Task, meta: ResultMeta, seen: ResultsRead) -> BackendState | None:
        """Return the final state in an entry, or None if it is outdated or not reliable yet."""
        state = sys.intern(meta.status or "")
        if task.state in FINISHED:
            record_disagreement(task, state)
            return None
        at, begun = meta.done_at, newest_time(task)
        if at is not None and begun is not None and begun > at + TIME_ROUNDING:
            return None  # it has started again since
        if state == REVOKED and task.running:
            # Workers 5.6.2 and 5.6.3 write this for tasks that keep running; events follow.
            record_disagreement(task, REVOKED)
            return None
        return BackendState(
            state,
            seen.at + self._workers.skew(task.worker) if at is None else min(at, MAX_TIMESTAMP),
            self._repr(meta.result) if state == SUCCESS else None,
            self._text(meta.exception) if state == FAILURE else None,
            self._text(meta.traceback) if state == FAILURE else None,
            retries=meta.retries or 0,
            started_at=self._started_at(meta, at),
        )

    def _started_at(self, meta: ResultMeta, ended_at: float | None) -> float | None:
        """Return when a task started that has ended; None for the start of an earlier run."""
        at = meta.started_at
        return at if at is None or ended_at is None or at <= ended_at + TIME_ROUNDING else None

    def _advance(self, task: Task, meta: ResultMeta, seen: ResultsRead) -> None:
        """Apply the state and progress of a task that has not ended."""
        status, pushed = meta.status or "", seen.source == "push"
        if status == PENDING or (task.state == RETRY and not self._next_attempt(task, seen.at)):
            return
        progress = None
        if status not in CELERY_STATES:
            meta_shown = self._redaction.value(meta.result)
            progress = self._reader.read_custom_state(task.name, meta_shown, seen.at, "backend")
        elif status == STARTED and isinstance(meta.result, Mapping):
            host = meta.result.get("hostname")
            if task.worker is None and isinstance(host, str) and host:
                task.worker = _name(host)
            meta_shown = self._redaction.value(meta.result)
            progress = self._reader.read(task.name, meta_shown, seen.at, "backend")
        if pushed and task.lost_at is not None and status not in WAITING:
            self._tasks.mark_running(task)
        self._show_state(task, meta, seen.at, pushed)
        if progress is not None:
            self._set_progress(task, progress, seen.at)

    def _awaits_eta(self, task: Task, at: float) -> bool:
        """Return whether a worker has received a task whose ETA is after `at` (local clock)."""
        eta_at = (task.eta_at or 0.0) - self._workers.skew(task.worker)
        return task.state == RECEIVED and task.started_at is None and eta_at > at

    def _show_state(self, task: Task, meta: ResultMeta, at: float, pushed: bool) -> None:
        status = sys.intern(to_text(meta.status, MAX_STATE_LENGTH) or "")
        if status == task.state:
            return
        if status in (STARTED, RECEIVED):
            further = task.state == PENDING or (status == STARTED and task.state in WAITING)
            # The entry of a run that the task replaced stays until the next run starts.
            replaced = task.extra is not None and task.extra.replaced and task.started_at is None
            further = further and (pushed or not replaced)
        elif status == RETRY:
            # It may be the previous attempt's: without `track_started`, the entry of a running task
            # is the one that its last attempt wrote when it ended.
            seen = task.sources & (FROM_EVENT | FROM_INSPECT)
            further = (
                task.state == PENDING
                or not seen
                or task.lost_at is not None
                or self._awaits_eta(task, at)
            )
        else:
            further = True
        if not further:
            return
        if task.id in self._overlay.event_states:
            self._overlay.remove(task)
        shown = BackendState(
            status,
            at,
            exception=self._text(meta.exception) if status == RETRY else None,
            traceback=self._text(meta.traceback) if status == RETRY else None,
            started_at=meta.started_at if status == STARTED else None,
        )
        self._overlay.apply(task, shown)

    def _next_attempt(self, task: Task, at: float) -> bool:
        """Return whether an entry of a task that awaits its next attempt belongs to that one."""
        if task.id in self._overlay.event_states:
            return True
        ended = (task.state_at or 0.0) - self._workers.skew(task.state_host)
        return at > ended + NEXT_ATTEMPT_AFTER

    def _set_progress(self, task: Task, progress: Progress, at: float) -> None:
        known = task.progress
        if known is not None and known.source == "backend" and at < known.at:
            return
        if known is not None and msgspec.structs.replace(progress, at=known.at) == known:
            return  # polled again, but unchanged
        task.progress = progress
        self._progress_rates.add(task, progress.fraction, at)

    def _text(self, text: str | None) -> str | None:
        return self._redaction.text_or_none(to_text(text))

    def _argument(self, value: object) -> str | None:
        """Return exact arguments in the form of events, others as the repr in the backend."""
        if isinstance(value, str):
            return to_text(value)
        return self._repr(tuple(value) if isinstance(value, list) else value)

    def _repr(self, value: object) -> str | None:
        try:
            return None if value is None else truncate(repr(self._redaction.value(value)))
        except RecursionError:
            return "?"


def _name(text: str) -> str:
    return sys.intern(to_text(text, MAX_NAME_LENGTH) or "")
