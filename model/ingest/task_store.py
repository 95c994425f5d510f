"""The tasks that are held: created, counted, bounded.

Whoever changes a task's state, name or texts does it here, so that the counters are right at any
moment. When the store is full it forgets a block of tasks at once, finished ones before others and
the oldest first: one pass over the tasks pays for some thousand new ones.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from ..entities.states import FINISHED, FROM_BACKEND, PENDING, RECEIVED, STARTED, TaskState
from ..entities.task import Loss, Task, TaskExtra, text_size
from ..entities.task_type import TaskType
from ..entities.totals import Totals
from ..wire.events import MAX_FIELDS
from .corrections import Corrections

if TYPE_CHECKING:
    from ..entities.task import EventState

MAX_TASKS: Final = 100_000
MAX_TEXT_BYTES: Final = 256 << 20
MAX_TYPES: Final = 5_000

MAX_ROUTES: Final = 10_000
"""How many ways of sending share their extras."""

EVICTION_DIVISOR: Final = 20
"""Eviction frees one part in so many of what the store may hold."""

MAX_INTERNED_LENGTH: Final = 4
"""Texts up to this long, such as `()` and `None`, are kept once for all tasks."""

_NO_TASKS: Final[Mapping[str, Task]] = {}

TextField = Literal["args", "kwargs", "result", "exception", "traceback"]


class TaskStore:
    """Tasks by id in the order in which they were learned of, and task types by name."""

    def __init__(
        self, totals: Totals, max_tasks: int = MAX_TASKS, max_text_bytes: int = MAX_TEXT_BYTES
    ) -> None:
        self.tasks: dict[str, Task] = {}
        self.types: dict[str, TaskType] = {}
        self.changed: dict[str, Task] = {}
        """New or changed since the last `take`."""
        self.max_tasks = max(1, max_tasks)
        self.max_text_bytes = max(0, max_text_bytes)
        self.event_states: dict[str, EventState] = {}
        """What `Claims` keeps of the tasks that it laid a claim on."""
        self.corrections = Corrections(totals)
        self._only_backend: dict[str, None] = {}
        self._totals = totals
        self._by_state = totals.by_state
        self._evicted: list[Task] = []
        self._arrivals = 0
        self._taken_arrivals = 0
        self._old = 0
        self._taken_old = 0
        self._families: dict[str, dict[str, Task]] = {}
        self._groups: dict[str, dict[str, Task]] = {}
        self._types_allowed = MAX_TYPES
        self._routes: dict[tuple[str, str | None, str | None], TaskExtra] = {}

    def add(self, id_: str) -> Task:
        """Create, hold and return a task of which nothing but the id is known."""
        self._arrivals += 1
        return self._hold(id_, self._arrivals)

    def _hold(self, id_: str, arrival: int) -> Task:
        task = self.tasks[id_] = Task(id_, arrival)
        by_state = self._by_state
        by_state[PENDING] = by_state.get(PENDING, 0) + 1
        return task

    def move(self, task: Task, state: TaskState, at: float | None, host: str | None) -> None:
        """Put a task into a state since `at`, by the clock of `host`."""
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
        """Hold a task that only the result backend knows, or None if there is no room for it.

        Such tasks never push out others, and are the first to go themselves. They come newest
        first, and count down: each before all that has arrived so far.
        """
        if len(self.tasks) >= self.max_tasks or self._totals.text_bytes >= self.max_text_bytes:
            return None
        self._only_backend[id_] = None
        self._old -= 1
        return self._hold(id_, self._old)

    def mark_lost_with_worker(self, id_: str, worker: str, now: float, loss: Loss) -> None:
        """Note that a worker does not run a task any more, if that is the last known of it."""
        task = self.tasks.get(id_)
        if task is not None and task.running and task.worker == worker:
            self.mark_lost(task, now, loss)

    def mark_lost(self, task: Task, now: float, loss: Loss) -> None:
        """Note that nobody is known to run a task, and why; of one lost with its worker no more."""
        if task.loss in (loss, "worker"):
            return
        task.lost_at = now if task.lost_at is None else task.lost_at
        task.extra = msgspec.structs.replace(task.extra or TaskExtra(), loss=loss)
        if loss == "worker":
            self.corrections.count("lost", task, task.worker or "")
        elif loss == "unknown":
            self.corrections.count("unknown", task)
        self.touch(task)

    def mark_redelivered(self, task: Task) -> None:
        """Note that the broker handed out a task again that was said to run."""
        self.corrections.count("redelivered", task)
        task.extra = msgspec.structs.replace(task.extra or TaskExtra(), redelivered=True)

    def mark_running(self, task: Task) -> None:
        """Note that a task runs, whatever was thought of it."""
        if task.lost_at is not None:
            task.lost_at = None
            self.corrections.count("running", task)

    def set_name(self, task: Task, name: str) -> None:
        """Name a task, or give it another name."""
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
        """Set a task's arguments; None leaves what is known."""
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

    def touch(self, task: Task) -> None:
        """Note that something shown of a task has changed."""
        task.version += 1
        self.changed[task.id] = task

    def set_route(
        self, task: Task, client: str, exchange: str | None, routing_key: str | None
    ) -> None:
        """Set who sent a task and how."""
        if task.extra is not None:
            task.extra = msgspec.structs.replace(
                task.extra, client=client, exchange=exchange, routing_key=routing_key
            )
            return
        key = (client, exchange, routing_key)
        extra = self._routes.get(key)
        if extra is None:
            if len(self._routes) >= MAX_ROUTES:
                self._routes.clear()
            extra = self._routes[key] = TaskExtra(*key)
        task.extra = extra

    def add_fields(self, task: Task, told: Mapping[str, object]) -> None:
        """Keep the fields of a custom event, as text, up to so many."""
        extra = task.extra or TaskExtra()
        fields = dict(extra.fields)
        for name, value in told.items():
            if value is not None and (name in fields or len(fields) < MAX_FIELDS):
                fields[name] = str(value)
        grown = sum(text_size(name) + text_size(value) for name, value in fields.items())
        grown -= sum(text_size(name) + text_size(value) for name, value in extra.fields.items())
        self.count_text(grown)
        task.extra = msgspec.structs.replace(extra, fields=fields)

    def count_text(self, grown: int) -> None:
        """Count bytes of text that a task took, or gave back if negative."""
        self._totals.text_bytes += grown

    def set_family(self, task: Task, root_id: str | None, parent_id: str | None) -> None:
        """Set where in a workflow the task stands; a task is no parent of itself."""
        if parent_id == task.id:
            parent_id = None
        root_id, parent_id = root_id or task.root_id, parent_id or task.parent_id
        if root_id == task.root_id and parent_id == task.parent_id:
            return
        self._leave_family(task)
        if root_id:
            task.root_id = task.id if root_id == task.id else self._shared_id(root_id)
        if parent_id:
            task.parent_id = self._shared_id(parent_id)
        above = _family_of(task)
        if above is not None:
            self._families.setdefault(above, {})[task.id] = task

    def set_group(self, task: Task, group_id: str) -> None:
        """Set the group that a task is a member of."""
        if group_id == task.group_id:
            return
        self._leave_group(task)
        # Cut out of a message of its own each time: one text for all members.
        task.group_id = sys.intern(group_id)
        self._groups.setdefault(task.group_id, {})[task.id] = task

    def family(self, root_id: str) -> Mapping[str, Task]:
        """Return the held tasks below a root, by id, as they were heard of.

        Also the children of a task whose root is not known: results tell of the parent only.
        """
        return self._families.get(root_id, _NO_TASKS)

    def group(self, group_id: str) -> Mapping[str, Task]:
        """Return the held members of a group, by id, as they were heard of."""
        return self._groups.get(group_id, _NO_TASKS)

    def related(self, task: Task, most: int | None = None) -> list[Task]:
        """Return the held tasks of its workflow but itself: the root first, then by arrival.

        Args:
            task: Whose.
            most: How many at most, about.
        """
        held, root_id = self.tasks, task.root_id or task.id
        ids = (root_id, task.parent_id or root_id)
        first = {id_: held[id_] for id_ in dict.fromkeys(ids) if id_ in held}
        found = first | dict(islice(self.family(root_id).items(), most))
        found.update(islice(self.family(task.id).items(), most))
        found.pop(task.id, None)
        return list(found.values())

    def take(self) -> tuple[dict[str, Task], list[Task]]:
        """Return the tasks changed and those evicted since the last call."""
        changed, evicted = self.changed.copy(), self._evicted
        self.changed.clear()
        self._evicted = []
        self._taken_arrivals, self._taken_old = self._arrivals, self._old
        return changed, evicted

    def evict(self) -> None:
        """Forget a block of tasks if there are too many, or too much text."""
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
        if self._taken_old <= task.arrival <= self._taken_arrivals:
            self._evicted.append(task)
        totals = self._totals
        totals.evicted += 1
        totals.text_bytes -= task.text_bytes
        _discount(self._by_state, task.state)
        if task.name is not None:
            _discount(self.types[task.name].states, task.state)
        self._leave_family(task)
        self._leave_group(task)

    def _leave_family(self, task: Task) -> None:
        above = _family_of(task)
        if above is None:
            return
        family = self._families[above]
        del family[task.id]
        if not family:
            del self._families[above]

    def _leave_group(self, task: Task) -> None:
        if task.group_id is None:
            return
        group = self._groups[task.group_id]
        del group[task.id]
        if not group:
            del self._groups[task.group_id]

    def _shared_id(self, id_: str) -> str:
        held = self.tasks.get(id_)
        return sys.intern(id_) if held is None else held.id

    def _add_type(self, name: str) -> TaskType:
        if len(self.types) >= self._types_allowed:
            for empty in [kind.name for kind in self.types.values() if not kind.states]:
                del self.types[empty]
            self._types_allowed = max(MAX_TYPES, 2 * len(self.types))
        kind = self.types[name] = TaskType(name)
        return kind


def _family_of(task: Task) -> str | None:
    """Return whose family lists a task: its root's, or its parent's where that is unknown."""
    above = task.parent_id if task.root_id is None else task.root_id
    return None if above == task.id else above


def _recount(counts: dict[str, int], old: TaskState, new: TaskState) -> None:
    # Written out, not composed of the like of `_discount`: twice for each event.
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
