"""The members of a workflow, their statuses, and the pending tasks that will follow.

The members are collected once, starting from any of them; then the cost depends on the changes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, Literal, Protocol, TypeAlias

from ..entities.changes import Changes
from ..entities.clock_skew import NO_SKEWS, ClockSkews, to_local
from ..entities.states import (
    FAILURE,
    FINISHED,
    FROM_BACKEND,
    FROM_QUEUE,
    REJECTED,
    RETRY,
    REVOKED,
    SUCCESS,
)
from ..entities.task import Task
from ..wire.signatures import PendingSignature
from .chord_headers import SENDING_TIME, ChordHeader, find_header, may_be_body

MemberStatus: TypeAlias = Literal[
    "succeeded", "failed", "revoked", "rejected", "retrying", "running", "waiting", "lost"
]
"""The status by which members are counted."""

MEMBER_STATUSES: Final[tuple[MemberStatus, ...]] = (
    "succeeded", "failed", "revoked", "rejected", "lost", "running", "retrying", "waiting",
)  # fmt: skip

GROUP_SPREAD: Final = 1.0
"""Seconds within which the members of a group are sent or received."""
MANY_NEW: Final = 1_000
"""Tasks from which sorting all again costs less than inserting each."""
MAX_BODIES: Final = 20
"""Tasks that may be the bodies of chords whose headers are searched at once."""

_BY_STATE: Final[dict[str, MemberStatus]] = {
    SUCCESS: "succeeded",
    FAILURE: "failed",
    REVOKED: "revoked",
    REJECTED: "rejected",
    RETRY: "retrying",
}


class HoldsWorkflows(Protocol):
    """The source of the tasks: `ClusterState`."""

    @property
    def tasks(self) -> Mapping[str, Task]:
        """The held tasks by id."""

    @property
    def pending_signatures(self) -> Mapping[str, tuple[PendingSignature, ...]]:
        """The tasks that will follow a waiting message's task, by that task's id."""

    @property
    def skews(self) -> ClockSkews:
        """Clock skews of workers that are large enough to matter, in seconds."""

    def family(self, root_id: str) -> Mapping[str, Task]:
        """Return the tasks of a workflow except its root, by id."""

    def group(self, group_id: str) -> Mapping[str, Task]:
        """Return the members of a group, by id."""


class Members:
    """All held tasks of the workflow of any member's id, with `retries` also those sent again."""

    def __init__(self, state: HoldsWorkflows, task_id: str, *, retries: bool = True) -> None:
        self.tasks: dict[str, Task] = {}
        """By id, in order of arrival."""
        self.counts: Counter[MemberStatus] = Counter()
        self.pending: dict[str, tuple[PendingSignature, ...]] = {}
        """The pending signatures of members, by the member's id."""
        self.headers: dict[str, ChordHeader] = {}
        """The headers of chords that were found by the body's arguments, by the body's id."""
        self.relinked = True
        """Whether members, links or ends have changed, so that the tree must be rebuilt."""
        self.changed = True
        """Whether any member has changed."""
        self._state = state
        self._task_id = task_id
        self._retries = retries
        self._seen: dict[str, tuple[MemberStatus, tuple[object, ...]]] = {}
        self._roots: set[str] = set()
        self._groups: set[str] = set()
        self._near: set[str] = set()
        """Ids that members refer to."""
        self._unread: dict[str, None] = {}
        """Ids of members whose results are to be read."""
        self._others: list[Task] = []
        """Other tasks whose results may show that they belong here, by when they began."""
        self._new_others: list[Task] = []
        self._asked: set[str] = set()
        self._searched: set[str] = set()
        """Ids of tasks whose arguments were read, as those of a chord's body."""
        self.find()

    def __len__(self) -> int:
        return len(self.tasks)

    def find(self) -> None:
        """Collect all members from scratch."""
        self.tasks.clear()
        self.counts.clear()
        self._seen.clear()
        self._roots.clear()
        self._groups.clear()
        self._near.clear()
        self.headers.clear()
        self._searched.clear()
        self.relinked = self.changed = True
        self._unread.clear()
        self._others.clear()
        self._new_others.clear()
        self._add_others(self._state.tasks.values())
        task = self._state.tasks.get(self._task_id)
        self._collect([task] if task is not None else self._family_of_missing_root())
        self._find_headers(self._state.tasks.values())
        self.tasks = dict(sorted(self.tasks.items(), key=lambda item: item[1].arrival))

    def apply(self, changes: Changes) -> None:
        """Apply changes."""
        for task in changes.evicted:
            if self.tasks.get(task.id) is task:
                del self.tasks[task.id]
                self._near.add(task.id)  # it belongs here if it comes back
                self.counts[self._seen.pop(task.id)[0]] -= 1
                self.relinked = True
        changed = changes.tasks.values()
        self._add_others(changed)
        self._collect(task for task in changed if self._belongs(task))
        self._find_headers(changed)

    @property
    def unknown(self) -> int:
        """Number of members of chords' headers that are not known."""
        return sum(
            header.unknown
            for header in self.headers.values()
            if all(id_ in self.tasks and self.tasks[id_].group_id is None for id_ in header.ids)
        )

    @property
    def may_be_grouped(self) -> bool:
        """Whether a member may belong to a group of which no source has the id."""
        known = {id_ for header in self.headers.values() for id_ in header.ids}
        return any(
            _may_be_grouped(task)
            and task.group_id is None
            and not task.sources & (FROM_BACKEND | FROM_QUEUE)
            and task.id not in known
            for task in self.tasks.values()
        )

    def group_ids(self) -> dict[str, str]:
        """Return the group of each member that was found by the arguments of a chord's body."""
        return {
            id_: f"body {body_id}"
            for body_id, header in self.headers.items()
            for id_ in header.ids
            if len(header.ids) > 1
        }

    def _find_headers(self, tasks: Iterable[Task]) -> None:
        """Find the headers of chords that members belong to, and collect their members."""
        held, own = self._state.tasks, self.tasks
        bodies = [task for task in tasks if may_be_body(task) and task.id not in self._searched]
        if not bodies:
            return
        begins = [span(task)[0] for task in own.values() if _may_be_grouped(task)]
        known = [begin for begin in begins if begin is not None]
        earliest = min(known, default=0.0) - SENDING_TIME
        latest = max(known, default=0.0) + SENDING_TIME
        for body in bodies[-MAX_BODIES:]:
            last = held.get(body.parent_id or "")
            begin = None if last is None else span(last)[0]
            if last is None or last.group_id is not None or begin is None:
                continue
            if body.id not in own and not earliest <= begin <= latest:
                continue
            self._searched.add(body.id)
            header = find_header(body, last, held.values())
            if header is not None and (body.id in own or not own.keys().isdisjoint(header.ids)):
                self.headers[body.id] = header
                self.relinked = True
                self._collect(held[id_] for id_ in (*header.ids, body.id) if id_ in held)

    def unread(self, limit: int) -> list[str]:
        """Return ids of tasks whose results may show that they belong here, each id only once.

        The members of a group have only its id in common, which is in their results. They were
        sent at about the same time.
        """
        found = list(self._unread)[:limit]
        for id_ in found:
            del self._unread[id_]
        self._asked.update(found)
        grouped = (task for task in self.tasks.values() if task.group_id and _may_be_grouped(task))
        begins = [_beginning(task) for task in grouped]
        if begins:
            # The rest is read later, and with it what began near the members found by then.
            first, last = min(begins) - GROUP_SPREAD, max(begins) + GROUP_SPREAD
            found += self._take_others(first, last, limit - len(found))
        return found

    def _take_others(self, first: float, last: float, limit: int) -> list[str]:
        """Return the ids of other tasks that began within a time, which are then asked for."""
        self._sort_others()
        at = bisect_left(self._others, first, key=_beginning)
        end = min(bisect_right(self._others, last, key=_beginning), at + limit)
        found = [
            task.id
            for task in self._others[at:end]
            if task.id not in self._asked and _is_unread(task) and _may_be_grouped(task)
        ]
        del self._others[at:end]
        self._asked.update(found)
        return found

    def _add_others(self, tasks: Iterable[Task]) -> None:
        self._new_others += [task for task in tasks if _is_unread(task)]
        held = self._state.tasks
        if len(self._others) + len(self._new_others) > 2 * len(held) + MANY_NEW:
            # Most of them are no longer held.
            others = {task.id: task for task in (*self._others, *self._new_others)}
            self._new_others = [task for id_, task in others.items() if held.get(id_) is task]
            self._others.clear()

    def _sort_others(self) -> None:
        new, self._new_others = self._new_others, []
        if len(new) > MANY_NEW:
            self._others = sorted(self._others + new, key=_beginning)
        else:
            for task in new:
                insort(self._others, task, key=_beginning)

    def add_pending(self, id_: str, pending: tuple[PendingSignature, ...]) -> None:
        """Add the pending signatures in a member's message."""
        if pending and self.pending.get(id_) != pending:
            self.pending[id_] = pending
            self.relinked = True

    def _belongs(self, task: Task) -> bool:
        return (
            task.id in self.tasks
            or task.id in self._near
            or (task.root_id is not None and task.root_id in self._roots)
            or (task.parent_id is not None and task.parent_id in self._roots)
            or (task.group_id is not None and task.group_id in self._groups)
            or (task.extra is not None and task.extra.retry_of in self.tasks)
            or task.id == self._task_id
        )

    def _family_of_missing_root(self) -> Iterable[Task]:
        """Return the tasks whose root is the task, which is not held itself."""
        self._roots.add(self._task_id)
        return self._state.family(self._task_id).values()

    def _collect(self, tasks: Iterable[Task]) -> None:
        """Add tasks and all others of the same workflow."""
        state, held = self._state, self._state.tasks
        pending = list(tasks)
        reached: set[str] = set()
        while pending:
            task = pending.pop()
            if task.id in reached or held.get(task.id) is not task:
                continue
            reached.add(task.id)
            self._record(task)
            near = [task.parent_id, task.root_id, *(each.id for each in self._signatures_of(task))]
            if task.extra is not None and self._retries:
                near += (task.extra.retry_of, task.extra.retried_as)
            for id_ in near:
                if id_ is not None and id_ not in self.tasks:
                    self._near.add(id_)
                    if id_ in held:
                        pending.append(held[id_])
            for ancestor in (task.root_id, task.id):
                if ancestor is not None and ancestor not in self._roots:
                    self._roots.add(ancestor)
                    pending += reversed(list(state.family(ancestor).values()))
            if task.group_id is not None and task.group_id not in self._groups:
                self._groups.add(task.group_id)
                pending += reversed(list(state.group(task.group_id).values()))

    def _signatures_of(self, task: Task) -> tuple[PendingSignature, ...]:
        signatures = self._state.pending_signatures.get(task.id)
        if signatures is not None and self.pending.get(task.id) != signatures:
            self.pending[task.id] = signatures
            self.relinked = True
        return self.pending.get(task.id, ())

    def _record(self, task: Task) -> None:
        """Count a member and record its changes."""
        status = member_status(task)
        links = (task.parent_id, task.root_id, task.group_id, task.finished_at, task.sent_at)
        before = self._seen.get(task.id)
        if _is_unread(task) and task.id not in self._asked:
            self._unread[task.id] = None
        if before is None:
            self.tasks[task.id] = task
            self.counts[status] += 1
        elif before[0] != status:
            self.counts[before[0]] -= 1
            self.counts[status] += 1
        if before is None or before[1] != links:
            self.relinked = True
        self.changed = True
        self._seen[task.id] = (status, links)


def _may_be_grouped(task: Task) -> bool:
    """Return whether a task may belong to a group unknown from events: it has no parent."""
    return task.parent_id is None and (task.root_id is None or task.root_id == task.id)


def _is_unread(task: Task) -> bool:
    return task.group_id is None and not task.sources & FROM_BACKEND and task.state in FINISHED


def _beginning(task: Task) -> float:
    begin = task.sent_at if task.sent_at is not None else span(task)[0]
    return 0.0 if begin is None else begin


def member_status(task: Task) -> MemberStatus:
    """Return a task's status as a member of a workflow."""
    found = _BY_STATE.get(task.state)
    if found is not None:
        return found
    if task.lost_at is not None:
        return "lost"
    if task.waiting:
        return "waiting"
    return "running" if task.running else "revoked"


def span(task: Task, skews: ClockSkews = NO_SKEWS) -> tuple[float | None, float | None]:
    """Return when a task began and when it ended, by the local clock; None if unknown."""
    begin = task.sent_at
    if begin is None and task.attempts:
        first = task.attempts[0]
        begin = first.received_at if first.received_at is not None else first.started_at
        begin = to_local(begin, first.worker, skews)
    if begin is None:
        begin = task.received_at if task.received_at is not None else task.started_at
        begin = to_local(task.finished_at if begin is None else begin, task.worker, skews)
    end = to_local(task.finished_at, task.worker, skews)
    if end is None:
        end = task.lost_at
        if end is None and task.finished:
            end = (
                begin if task.state_at is None else to_local(task.state_at, task.state_host, skews)
            )
    return begin, end
