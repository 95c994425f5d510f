"""The rows of a workflow: its tree with folded groups, filtered, for tables to read by index.

The members are collected once and updated with the changes. The tree is rebuilt if a link or an end
has changed, with at most `MAX_MEMBERS` members.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, Literal, TypeAlias

import msgspec

from ..entities.changes import Changes
from ..entities.clock_skew import NO_SKEWS, ClockSkews
from ..entities.task import Task
from ..query.language import EVERY_TASK, Query
from ..wire.signatures import PendingSignature
from .members import MEMBER_STATUSES, HoldsWorkflows, Members, MemberStatus, member_status, span
from .time_axis import TimeAxis
from .tree import Node, build, mark_failures, walk

MAX_MEMBERS: Final = 2_000
"""Members shown; of larger workflows the first ones."""
MAX_LIVE_MEMBERS: Final = 500
"""Members up to which the tree is rebuilt at once; above, once a second."""
FOLD_ABOVE: Final = 50
"""Members of a group that is initially unfolded; larger ones are folded."""
MAX_LEVELS: Final = 8
"""Levels of indentation; deeper nodes are drawn at this level."""

TreeGuide: TypeAlias = Literal["none", "line", "branch", "last", "deeper"]
"""One level of the tree lines before a row."""


class WorkflowRow(msgspec.Struct, frozen=True, gc=False, eq=False):
    """One line of the table."""

    node: Node
    guides: tuple[TreeGuide, ...] = ()
    context: bool = False
    """Whether it is shown only because a node below or after it matches the filter."""
    folded: bool = False
    counts: tuple[tuple[MemberStatus, int], ...] = ()
    """For a group: the number of its members by status."""
    span: tuple[float, float | None] | None = None
    """For a group: when it began and ended; the end is None while it is running."""


class WorkflowView:
    """The rows of the workflow of any member's id: `len(view)`, `view[i]`, `view.index(id)`."""

    def __init__(self, state: HoldsWorkflows, task_id: str, now: float) -> None:
        self._state = state
        self._skews: ClockSkews = NO_SKEWS
        """The skews that the time axis is based on."""
        self.members = Members(state, task_id)
        self.axis = TimeAxis(now)
        self.pending_count = 0
        """Number of pending tasks that may still be sent."""
        self._query = EVERY_TASK
        self._faults_only = False
        self._fold_changes: dict[str, bool] = {}
        self._tops: list[Node] = []
        self._matching_ids: frozenset[str] | None = None
        self._rows: list[WorkflowRow] = []
        self._places: dict[str, int] = {}
        self._updated_at = float("-inf")
        self.update(now)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> WorkflowRow:
        if index < 0:
            raise IndexError(index)
        return self._rows[index]

    def __iter__(self) -> Iterator[WorkflowRow]:
        return iter(self._rows)

    def index(self, row_id: str) -> int | None:
        """Return a row's index, or None if it is not shown."""
        return self._places.get(row_id)

    def set_order(self, key: str, descending: bool) -> None:
        """Raise KeyError, because a tree cannot be sorted.

        Raises:
            KeyError: Always.
        """
        raise KeyError(key)

    @property
    def left_out(self) -> int:
        """Number of members that are not in the tree, because there are too many."""
        return max(0, len(self.members) - MAX_MEMBERS) if self._matching_ids is None else 0

    def tasks_of(self, row_id: str) -> list[Task]:
        """Return the task of a row, or the members of a group."""
        index = self._places.get(row_id)
        if index is None:
            return []
        node = self._rows[index].node
        if node.kind == "group":
            found = [one.task for one in walk(node.children) if one.task is not None]
            return [task for task in found if self._matches(task)]
        return [] if node.task is None else [node.task]

    def matching_tasks(self) -> list[Task]:
        """Return all tasks of the tree that match the filter, including folded ones."""
        return [
            node.task
            for node in walk(self._tops)
            if node.task is not None and self._matches(node.task)
        ]

    @property
    def _filtered(self) -> bool:
        return self._faults_only or not self._query.empty

    def set_query(self, query: Query, faults_only: bool, now: float) -> None:
        """Show only members that match, and the nodes leading to them."""
        self._query, self._faults_only = query, faults_only
        self.members.relinked = True
        self._updated_at = float("-inf")
        self.update(now)

    def fold(self, row_id: str, now: float) -> bool:
        """Fold or unfold a group; return whether the row is a group."""
        index = self._places.get(row_id)
        if index is None or self._rows[index].node.kind != "group":
            return False
        self._fold_changes[row_id] = not self._rows[index].folded
        self._show(now)
        return True

    def refresh(self, now: float) -> None:
        """Collect all members from scratch."""
        self.members.find()
        self._updated_at = float("-inf")
        self.update(now)

    def apply(self, changes: Changes, now: float) -> None:
        """Apply changes."""
        self.members.apply(changes)
        self.update(now)

    def add_pending(self, id_: str, pending: tuple[PendingSignature, ...], now: float) -> None:
        """Add the pending signatures in a member's message."""
        self.members.add_pending(id_, pending)
        self.update(now)

    def update(self, now: float) -> None:
        """Update the rows if anything has changed."""
        members = self.members
        if not members.changed and not members.relinked and self._skews is self._state.skews:
            return
        if len(members) > MAX_LIVE_MEMBERS and 0 <= now - self._updated_at < 1.0:
            return
        if members.relinked or self._filtered:
            self._build(now)
        self._updated_at = now
        members.relinked = members.changed = False
        mark_failures(self._tops)
        self.pending_count = sum(one.pending and not one.given_up for one in walk(self._tops))
        self._show(now)

    def _matches(self, task: Task) -> bool:
        return self._matching_ids is None or task.id in self._matching_ids

    def _build(self, now: float) -> None:
        members = self.members.tasks
        self._matching_ids = None
        chosen: Iterable[Task] = members.values()
        if self._filtered:
            matches, faults_only = self._query.matches, self._faults_only
            matching_tasks = {
                task.id: task
                for task in chosen
                if (not faults_only or task.faulty) and matches(task, now)
            }
            self._matching_ids = frozenset(matching_tasks)
            chosen = matching_tasks.values()
        pending: list[PendingSignature] = []
        if len(members) <= MAX_MEMBERS:
            chosen = members.values()
            announcing = self.members.pending.items()
            pending = [
                each for id_, signatures in announcing if id_ in members for each in signatures
            ]
        else:
            chosen = self._with_ancestors(islice(chosen, MAX_MEMBERS))
        groups = self.members.group_ids()
        self._tops = build(sorted(chosen, key=lambda task: task.arrival), pending, groups)

    def _with_ancestors(self, tasks: Iterable[Task]) -> Iterable[Task]:
        """Add the held ancestors of tasks, up to `MAX_MEMBERS`."""
        found = {task.id: task for task in tasks}
        members, room = self.members.tasks, MAX_MEMBERS
        for task in list(found.values()):
            root = members.get(task.root_id or "")
            if root is not None:
                found[root.id] = root
            above = members.get(task.parent_id or "")
            while above is not None and above.id not in found and room:
                found[above.id] = above
                room -= 1
                above = members.get(above.parent_id or "")
        return found.values()

    def _show(self, now: float) -> None:
        self._skews = self._state.skews
        counts, spans = _group_totals(self._tops, self._skews)
        tasks = (node.task for node in walk(self._tops) if node.task is not None)
        self.axis.measure(tasks, self._skews, now)
        rows: list[WorkflowRow] = []
        pending: list[tuple[Node, tuple[TreeGuide, ...]]] = [
            (top, ()) for top in reversed(self._tops)
        ]
        filtered = self._matching_ids is not None
        visible = self._visible_nodes() if filtered else None
        while pending:
            node, guides = pending.pop()
            if visible is not None and id(node) not in visible:
                continue
            folded = False
            status_counts: tuple[tuple[MemberStatus, int], ...] = ()
            if node.kind == "group":
                group_id = node.group_id or ""
                many = len(node.children) > FOLD_ABOVE
                folded = not filtered and self._fold_changes.get(node.id, many)
                status_counts = tuple((one, counts[group_id][one]) for one in MEMBER_STATUSES)
            context = filtered and (node.task is None or not self._matches(node.task))
            rows.append(
                WorkflowRow(node, guides, context, folded, status_counts, spans.get(id(node)))
            )
            pending += [(one, _continued(guides)) for one in reversed(node.next_nodes)]
            if not folded:
                children = (
                    node.children
                    if visible is None
                    else [n for n in node.children if id(n) in visible]
                )
                inner = _continued(guides)
                for number, one in reversed(list(enumerate(children, start=1))):
                    last: TreeGuide = "last" if number == len(children) else "branch"
                    pending.append((one, _indented(inner, last)))
        self._rows = rows
        self._places = {row.node.id: place for place, row in enumerate(rows)}

    def _visible_nodes(self) -> set[int]:
        """Return the ids of the nodes that match the filter, and of those leading to them."""
        visible: set[int] = set()
        for node in walk(self._tops):
            if node.task is not None and self._matches(node.task):
                for above in node.line():
                    if id(above) in visible:
                        break
                    visible.add(id(above))
        return visible


def _group_totals(
    tops: Sequence[Node],
    skews: ClockSkews,
) -> tuple[dict[str, Counter[MemberStatus]], dict[int, tuple[float, float | None]]]:
    """Return the statuses of the members of each group, and each group's begin and end."""
    counts: dict[str, Counter[MemberStatus]] = {}
    spans: dict[int, tuple[float, float | None]] = {}
    for group in walk(tops):
        if group.kind != "group":
            continue
        status_counts: Counter[MemberStatus] = Counter()
        counts[group.group_id or ""] = status_counts
        begins: list[float] = []
        ends: list[float | None] = []
        for node in _members(group):
            status_counts["waiting" if node.task is None else member_status(node.task)] += 1
            if node.task is not None:
                begin, end = span(node.task, skews)
                if begin is not None:
                    begins.append(begin)
                    ends.append(end)
        if begins:
            known = [end for end in ends if end is not None]
            spans[id(group)] = min(begins), max(known) if len(known) == len(ends) else None
    return counts, spans


def _members(group: Node) -> Iterator[Node]:
    """Yield the node that represents each member: the last step of a chain in a group."""
    for entry in group.children:
        last = entry
        while last.next_nodes:
            last = last.next_nodes[-1]
        yield last


def _continued(guides: tuple[TreeGuide, ...]) -> tuple[TreeGuide, ...]:
    """Return the tree lines for the nodes after a row or below it."""
    if not guides:
        return ()
    kept: dict[TreeGuide, TreeGuide] = {"branch": "line", "last": "none"}
    return (*guides[:-1], kept.get(guides[-1], guides[-1]))


def _indented(guides: tuple[TreeGuide, ...], last: TreeGuide) -> tuple[TreeGuide, ...]:
    if len(guides) < MAX_LEVELS:
        return (*guides, last)
    return ("deeper", *guides[2:], last)
