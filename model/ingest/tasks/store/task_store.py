"""The held tasks: created, counted and bounded.

State and name of a task are changed only here, which keeps the counters exact. A full store evicts
a block of tasks together, in the order of `Retention`. Too much text is first made shorter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ....entities.cluster.totals import Totals
from ....entities.limits.keep import KEEP
from ....entities.states import CELERY_STATES, FROM_EVENT, PENDING, RECEIVED, STARTED, TaskState
from ....entities.task import EventState, Loss, Task, TaskExtra
from ....text.coerce import MAX_TIMESTAMP
from ..corrections import Corrections
from .retention import Retention
from .task_relations import TaskRelations
from .task_texts import TaskTexts
from .task_types import TaskTypes, change_count

MAX_TASKS: Final = 100_000
MAX_TEXT_BYTES: Final = 256 << 20

MAX_STATES: Final = 50
"""States counted by name, Celery's included; further custom ones count as `OTHER_STATE`."""
OTHER_STATE: Final = "OTHER"

MAX_ROUTES: Final = 10_000
"""Combinations of client, exchange and routing key that share one `TaskExtra`."""

MAX_INTERRUPTED: Final = 1_000
"""Tasks with an interrupted run that are kept by id; the oldest are dropped first."""

EVICTION_DIVISOR: Final = 100
"""Eviction frees this fraction of the store: 100 is one hundredth. Evicted tasks use memory until
the views have removed them."""

COMPACTION_DIVISOR: Final = 2
"""The store is compacted when this fraction of it has been evicted: 2 is one half."""

_LAST_MICROSECOND: Final = round(MAX_TIMESTAMP * 1e6)
_COUNTER_BITS: Final = 64


class TaskStore:
    """Tasks by id in order of arrival, and task types by name."""

    def __init__(
        self,
        totals: Totals,
        max_tasks: int = MAX_TASKS,
        max_text_bytes: int = MAX_TEXT_BYTES,
        keep: Mapping[str, int] = KEEP,
    ) -> None:
        self.tasks: dict[str, Task] = {}
        self.types = TaskTypes()
        self.changed: dict[str, Task] = {}
        """Tasks that are new or changed since the last `take_changes`."""
        self.max_tasks = max(1, max_tasks)
        self.max_text_bytes = max(0, max_text_bytes)
        self.event_states: dict[str, EventState] = {}
        """The events' states of the tasks that show the backend's state (`BackendOverlay`)."""
        self.interrupted: dict[str, None] = {}
        """Ids of the latest tasks that ran again although a run of theirs had no end."""
        self.texts = TaskTexts(totals)
        self.corrections = Corrections(totals)
        self.relations = TaskRelations(self.tasks)
        self.retention = Retention(self.types, keep, self.max_tasks)
        self.kept_since = self.retention.since
        self._retain = self.retention.add
        self._totals = totals
        self._by_state = totals.by_state
        self._evicted: list[Task] = []
        self._gaps = 0
        """Tasks that were removed from `tasks` since it was last compacted."""
        self._arrivals = 0
        self._taken_arrivals = 0
        self._from_history = 0
        self._new_from_history: set[str] = set()
        """Ids of tasks from history that were added since the last `take_changes`."""
        self._routes: dict[tuple[str, str | None, str | None], TaskExtra] = {}

    def add(self, id_: str) -> Task:
        """Create and return a task of which only the id is known."""
        self._arrivals += 1
        task = self._hold(id_, self._arrivals)
        self._retain(task)
        return task

    def add_received(
        self, id_: str, name: str, host: str, at: float, args: str | None, kwargs: str | None
    ) -> Task:
        """Create and return a task that the worker `host` received at `at`, by its clock.

        The caller counts it.
        """
        self._arrivals = arrival = self._arrivals + 1
        task = Task(
            *(id_, arrival, 1, name, RECEIVED, at, host, host), received_at=at, sources=FROM_EVENT
        )
        self.texts.set_arguments(task, args, kwargs)
        self.tasks[id_] = self.changed[id_] = task
        self._retain(task)
        return task

    @property
    def newest_arrival(self) -> int:
        """The arrival number of the newest task."""
        return self._arrivals

    def _hold(self, id_: str, arrival: int) -> Task:
        task = self.tasks[id_] = Task(id_, arrival)
        change_count(self._by_state, PENDING, 1)
        return task

    def move(self, task: Task, state: TaskState, at: float | None, host: str | None) -> None:
        """Move a task into a state that began at `at`, by the clock of `host`."""
        task.state_at = at
        task.state_host = host
        if task.lost_at is not None:
            if state in (RECEIVED, STARTED):
                if task.loss == "worker":
                    self.mark_redelivered(task)
                else:
                    self.corrections.count("running", task)
            task.lost_at = None
        old = task.state
        if state == old:
            return
        if state not in self._by_state and self._has_too_many_states(state):
            state = OTHER_STATE
            if state == old:
                return
        task.state = state
        _recount(self._by_state, old, state)
        if task.name is not None:
            kind = self.types[task.name]
            kind.version += 1
            _recount(kind.states, old, state)

    def add_from_history(self, id_: str, at: float | None, *, wanted: bool = False) -> Task | None:
        """Create a task that was read from the result backend or the history.

        Such tasks never evict others and are the first to be evicted, unless they are `wanted`
        because they match a filter. Their arrival numbers are negative, in order of `at`.

        Args:
            id_: The task.
            at: When it is known to have begun or ended, in epoch seconds; None if unknown.
            wanted: Whether it may evict others.

        Returns:
            The task; None if the store is full.
        """
        full = len(self.tasks) >= self.max_tasks or self._totals.text_bytes >= self.max_text_bytes
        if full and not wanted:
            return None
        self._from_history += 1
        microseconds = round(min(max(at or 0.0, 0.0), MAX_TIMESTAMP) * 1e6) - _LAST_MICROSECOND
        # Unique, and of equal times the first one read is the newest.
        task = self._hold(id_, (microseconds << _COUNTER_BITS) - self._from_history)
        self._new_from_history.add(id_)
        if wanted:
            self._retain(task)
        else:
            self.retention.add_from_history(task)
        return task

    def _has_too_many_states(self, state: TaskState) -> bool:
        return state not in CELERY_STATES and len(self._by_state) >= MAX_STATES

    def mark_lost_with_worker(self, id_: str, worker: str, now: float, loss: Loss) -> None:
        """Mark a task as lost because a worker no longer runs it, unless it is known otherwise."""
        task = self.tasks.get(id_)
        if task is not None and task.running and task.worker == worker:
            self.mark_lost(task, now, loss)

    def mark_lost(self, task: Task, now: float, loss: Loss) -> None:
        """Mark a task as lost; the loss of its worker is the final reason."""
        if task.loss in (loss, "worker"):
            return
        task.lost_at = now if task.lost_at is None else task.lost_at
        task.set_extra(loss=loss)
        if loss == "worker":
            self.corrections.count("lost", task, task.worker or "an unknown worker")
        elif loss in ("unknown", "emptied"):
            self.corrections.count(loss, task)
        self.touch(task)

    def mark_redelivered(self, task: Task) -> None:
        """Mark a task as redelivered by the broker while it was considered running."""
        self.corrections.count("redelivered", task)
        task.set_extra(redelivered=True)

    def keep_interrupted(self, task: Task) -> None:
        """Record that a run of a task had no end, and that its message is there again."""
        self.interrupted.pop(task.id, None)
        self.interrupted[task.id] = None
        if len(self.interrupted) > MAX_INTERRUPTED:
            del self.interrupted[next(iter(self.interrupted))]

    def mark_running(self, task: Task) -> None:
        """Mark a task as running, even if it was considered lost."""
        if task.lost_at is not None:
            task.lost_at = None
            self.corrections.count("running", task)

    def set_acknowledged(self, task: Task, acknowledged: bool) -> None:
        """Record whether the message of a running task is acknowledged, as for all of its type."""
        task.set_extra(acknowledged=acknowledged)
        if task.name is not None:
            self.types[task.name].acks_late = not acknowledged

    def set_name(self, task: Task, name: str) -> None:
        """Set or change a task's name."""
        if task.name == name:
            return
        renamed = task.name is not None
        if task.name is not None:
            self.types.leave(task.name, task.state)
        task.name = self.types.join(name, task.state)
        reported = self.event_states.get(task.id, task) if self.event_states else task
        if not renamed and reported.state_host is not None:
            # Its end, if that was the event, could not be counted without the name.
            self.types[name].count_outcome(reported, task.runtime)

    def link_retry(self, task: Task, original_id: str) -> None:
        """Link a task that celtop sent again with its original."""
        original = self.tasks.get(original_id)
        if original is not None:
            original_id = original.id
            original.set_extra(retried_as=task.id)
            self.touch(original)
        task.set_extra(retry_of=original_id)

    def touch(self, task: Task) -> None:
        """Mark a task as changed, so that views redraw it."""
        task.version += 1
        self.changed[task.id] = task

    def set_route(
        self, task: Task, client: str, exchange: str | None, routing_key: str | None
    ) -> None:
        """Set the client, exchange and routing key of a task."""
        if task.extra is not None:
            task.set_extra(client=client, exchange=exchange, routing_key=routing_key)
            return
        key = (client, exchange, routing_key)
        extra = self._routes.get(key)
        if extra is None:
            if len(self._routes) >= MAX_ROUTES:
                self._routes.clear()
            extra = self._routes[key] = TaskExtra(*key)
        task.extra = extra

    def take_changes(self) -> tuple[dict[str, Task], list[Task]]:
        """Return the changed and the evicted tasks since the last call."""
        changed, evicted = self.changed.copy(), self._evicted
        self.changed.clear()
        self._evicted = []
        self._taken_arrivals = self._arrivals
        self._new_from_history.clear()
        return changed, evicted

    def evict(self) -> None:
        """Evict a block of tasks if there are too many, or too much text."""
        totals, tasks = self._totals, self.tasks
        max_tasks, max_text = self.max_tasks, self.max_text_bytes
        if len(tasks) <= max_tasks and totals.text_bytes <= max_text:
            return
        self.retention.changed(self.changed.keys())
        if len(tasks) > max_tasks:
            max_tasks -= max_tasks // EVICTION_DIVISOR
        if totals.text_bytes > max_text:
            max_text -= max_text // EVICTION_DIVISOR
            for task in self.texts.shorten(max_text):
                self.touch(task)
        self._forget(self.retention.take(len(tasks) - max_tasks))
        while totals.text_bytes > max_text:
            self._forget([self.retention.take_for_text()])
        if self._gaps > self.max_tasks // COMPACTION_DIVISOR:
            self._gaps = 0
            _compact(tasks)

    def _forget(self, evicted: Sequence[Task]) -> None:
        """Remove tasks; those with the same name and state are uncounted together."""
        tasks, changed, event_states = self.tasks, self.changed, self.event_states
        from_history = self._new_from_history
        taken, gone, text_bytes = self._taken_arrivals, self._evicted, 0
        counts: dict[tuple[str | None, TaskState], int] = {}
        for task in evicted:
            id_ = task.id
            del tasks[id_]
            changed.pop(id_, None)
            if event_states:
                event_states.pop(id_, None)
            if task.arrival <= taken and id_ not in from_history:
                gone.append(task)
            text_bytes += task.text_bytes
            key = task.name, task.state
            counts[key] = counts.get(key, 0) + 1
        self._gaps += len(evicted)
        self._totals.evicted += len(evicted)
        self._totals.text_bytes -= text_bytes
        for (name, state), count in counts.items():
            change_count(self._by_state, state, -count)
            if name is not None:
                self.types.leave(name, state, count)
        self.relations.remove(evicted)
        self.texts.forget(evicted)


def _recount(counts: dict[str, int], old: str, new: str) -> None:
    """Count one less under a key, and one more under another one."""
    change_count(counts, old, -1)
    change_count(counts, new, 1)


def _compact(tasks: dict[str, Task]) -> None:
    """Remove the gaps that removed tasks left, before the dict doubles in size because of them."""
    held = dict(tasks)
    tasks.clear()
    tasks.update(held)
