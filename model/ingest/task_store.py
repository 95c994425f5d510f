"""The held tasks: created, counted and bounded.

State, name and texts of a task are changed only here, which keeps the counters exact. A full store
evicts a block of tasks at once, finished ones before others and the oldest first, so that one pass
over the tasks makes room for thousands of new ones.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final, Literal

from ..entities.states import FINISHED, FROM_BACKEND, PENDING, RECEIVED, STARTED, TaskState
from ..entities.task import EventState, Loss, Task, TaskExtra, text_size
from ..entities.task_type import TaskType
from ..entities.totals import Totals
from ..wire.events import MAX_FIELDS
from .corrections import Corrections
from .task_relations import TaskRelations

MAX_TASKS: Final = 100_000
MAX_TEXT_BYTES: Final = 256 << 20
MAX_TYPES: Final = 5_000

MAX_ROUTES: Final = 10_000
"""Combinations of client, exchange and routing key that share one `TaskExtra`."""

EVICTION_DIVISOR: Final = 20
"""Eviction frees this fraction of the store: 20 is one twentieth."""

MAX_INTERNED_LENGTH: Final = 4
"""Characters of a text, such as `()` or `None`, that all tasks share."""

TextField = Literal["args", "kwargs", "result", "exception", "traceback"]


class TaskStore:
    """Tasks by id in order of arrival, and task types by name."""

    def __init__(
        self, totals: Totals, max_tasks: int = MAX_TASKS, max_text_bytes: int = MAX_TEXT_BYTES
    ) -> None:
        self.tasks: dict[str, Task] = {}
        self.types: dict[str, TaskType] = {}
        self.changed: dict[str, Task] = {}
        """Tasks that are new or changed since the last `take_changes`."""
        self.max_tasks = max(1, max_tasks)
        self.max_text_bytes = max(0, max_text_bytes)
        self.event_states: dict[str, EventState] = {}
        """The events' states of the tasks that show the backend's state (`BackendOverlay`)."""
        self.corrections = Corrections(totals)
        self.relations = TaskRelations(self.tasks)
        self._only_backend: dict[str, None] = {}
        self._totals = totals
        self._by_state = totals.by_state
        self._evicted: list[Task] = []
        self._arrivals = 0
        self._taken_arrivals = 0
        self._history_arrivals = 0
        self._taken_history_arrivals = 0
        self._types_allowed = MAX_TYPES
        self._routes: dict[tuple[str, str | None, str | None], TaskExtra] = {}

    def add(self, id_: str) -> Task:
        """Create and return a task of which only the id is known."""
        self._arrivals += 1
        return self._hold(id_, self._arrivals)

    def _hold(self, id_: str, arrival: int) -> Task:
        task = self.tasks[id_] = Task(id_, arrival)
        by_state = self._by_state
        by_state[PENDING] = by_state.get(PENDING, 0) + 1
        return task

    def move(self, task: Task, state: TaskState, at: float | None, host: str | None) -> None:
        """Move a task into a state that began at `at`, by the clock of `host`."""
        task.state_at = at
        task.state_host = host
        if task.lost_at is not None:
            if state == RECEIVED or (state == STARTED and task.loss == "worker"):
                self.mark_redelivered(task)
            elif state == STARTED:
                self.corrections.count("running", task)
            task.lost_at = None
        old = task.state
        if state == old:
            return
        task.state = state
        _recount(self._by_state, old, state)
        if task.name is not None:
            kind = self.types[task.name]
            kind.version += 1
            _recount(kind.states, old, state)

    def add_from_history(self, id_: str) -> Task | None:
        """Create a task known only from the result backend; return None if the store is full.

        Such tasks never evict others and are the first to be evicted. They are added newest first
        and get descending arrival numbers, before all tasks so far.
        """
        if len(self.tasks) >= self.max_tasks or self._totals.text_bytes >= self.max_text_bytes:
            return None
        self._only_backend[id_] = None
        self._history_arrivals -= 1
        return self._hold(id_, self._history_arrivals)

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
            self.corrections.count("lost", task, task.worker or "")
        elif loss in ("unknown", "emptied"):
            self.corrections.count(loss, task)
        self.touch(task)

    def mark_redelivered(self, task: Task) -> None:
        """Mark a task as redelivered by the broker while it was considered running."""
        self.corrections.count("redelivered", task)
        task.set_extra(redelivered=True)

    def mark_running(self, task: Task) -> None:
        """Mark a task as running, even if it was considered lost."""
        if task.lost_at is not None:
            task.lost_at = None
            self.corrections.count("running", task)

    def set_name(self, task: Task, name: str) -> None:
        """Set or change a task's name."""
        if task.name == name:
            return
        if task.name is not None:
            _discount(self.types[task.name].states, task.state)
        kind = self.types.get(name)
        if kind is None:
            kind = self._add_type(sys.intern(name))
        task.name = kind.name
        kind.states[task.state] = kind.states.get(task.state, 0) + 1

    def set_text(self, task: Task, field: TextField, text: str | None) -> None:
        """Set one of a task's long texts."""
        old: str | None = getattr(task, field)
        if text == old:
            return
        grown = 0 if old is None else -text_size(old)
        if text is not None:
            if len(text) <= MAX_INTERNED_LENGTH:
                text = sys.intern(text)
            grown += text_size(text)
        self._totals.text_bytes += grown
        setattr(task, field, text)

    def set_arguments(self, task: Task, args: str | None, kwargs: str | None) -> None:
        """Set a task's arguments; None leaves them unchanged."""
        if task.args is not None or task.kwargs is not None:
            if args is not None:
                self.set_text(task, "args", args)
            if kwargs is not None:
                self.set_text(task, "kwargs", kwargs)
            return
        grown = 0
        if args is not None:
            task.args = args = sys.intern(args) if len(args) <= MAX_INTERNED_LENGTH else args
            grown = text_size(args)
        if kwargs is not None:
            task.kwargs = kwargs = (
                sys.intern(kwargs) if len(kwargs) <= MAX_INTERNED_LENGTH else kwargs
            )
            grown += text_size(kwargs)
        self._totals.text_bytes += grown

    def fill_arguments(self, task: Task, args: str | None, kwargs: str | None) -> None:
        """Set a task's arguments if they are unknown."""
        self.set_arguments(
            task, args if task.args is None else None, kwargs if task.kwargs is None else None
        )

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

    def add_fields(self, task: Task, added: Mapping[str, object]) -> None:
        """Add the fields of a custom event as text, up to `MAX_FIELDS`."""
        known = {} if task.extra is None else task.extra.fields
        fields = dict(known)
        for name, value in added.items():
            if value is not None and (name in fields or len(fields) < MAX_FIELDS):
                fields[name] = str(value)
        grown = sum(text_size(name) + text_size(value) for name, value in fields.items())
        grown -= sum(text_size(name) + text_size(value) for name, value in known.items())
        self.count_text(grown)
        task.set_extra(fields=fields)

    def count_text(self, grown: int) -> None:
        """Count bytes of text that a task added, or removed if negative."""
        self._totals.text_bytes += grown

    def take_changes(self) -> tuple[dict[str, Task], list[Task]]:
        """Return the changed and the evicted tasks since the last call."""
        changed, evicted = self.changed.copy(), self._evicted
        self.changed.clear()
        self._evicted = []
        self._taken_arrivals = self._arrivals
        self._taken_history_arrivals = self._history_arrivals
        return changed, evicted

    def evict(self) -> None:
        """Evict a block of tasks if there are too many, or too much text."""
        too_many = len(self.tasks) - self.max_tasks
        too_much = self._totals.text_bytes - self.max_text_bytes
        if too_many <= 0 and too_much <= 0:
            return
        if too_many > 0:
            too_many += self.max_tasks // EVICTION_DIVISOR
        if too_much > 0:
            too_much += self.max_text_bytes // EVICTION_DIVISOR
        for task in self._victims(too_many, too_much):
            self._forget(task)

    def _victims(self, tasks: int, text_bytes: int) -> list[Task]:
        chosen: list[Task] = []
        for old in list(reversed(self._only_backend)):
            if len(chosen) >= tasks and text_bytes <= 0:
                return chosen
            del self._only_backend[old]
            task = self.tasks.get(old)
            if task is not None and task.sources == FROM_BACKEND:
                chosen.append(task)
                text_bytes -= task.text_bytes if text_bytes > 0 else 0
        gone = {task.id for task in chosen}
        for finished in (True, False):
            for task in self.tasks.values():
                if len(chosen) >= tasks and text_bytes <= 0:
                    return chosen
                if (task.state in FINISHED) is finished and task.id not in gone:
                    size = task.text_bytes if text_bytes > 0 else 0
                    if len(chosen) < tasks or size:
                        chosen.append(task)
                        text_bytes -= size
        return chosen

    def _forget(self, task: Task) -> None:
        del self.tasks[task.id]
        self.changed.pop(task.id, None)
        self.event_states.pop(task.id, None)
        if self._taken_history_arrivals <= task.arrival <= self._taken_arrivals:
            self._evicted.append(task)
        totals = self._totals
        totals.evicted += 1
        totals.text_bytes -= task.text_bytes
        _discount(self._by_state, task.state)
        if task.name is not None:
            _discount(self.types[task.name].states, task.state)
        self.relations.remove(task)

    def _add_type(self, name: str) -> TaskType:
        if len(self.types) >= self._types_allowed:
            for empty in [kind.name for kind in self.types.values() if not kind.states]:
                del self.types[empty]
            self._types_allowed = max(MAX_TYPES, 2 * len(self.types))
        kind = self.types[name] = TaskType(name)
        return kind


def _recount(counts: dict[str, int], old: TaskState, new: TaskState) -> None:
    # Spelled out for speed rather than built on `_discount`: called twice per event.
    left = counts[old] - 1
    if left:
        counts[old] = left
    else:
        del counts[old]
    if new in counts:
        counts[new] += 1
    else:
        counts[new] = 1


def _discount(counts: dict[str, int], state: TaskState) -> None:
    left = counts[state] - 1
    if left:
        counts[state] = left
    else:
        del counts[state]
