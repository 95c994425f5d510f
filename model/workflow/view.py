"""A workflow as a table reads it: who belongs to it, what is folded, filtered or left out.

Who belongs to it is found once, and costs what changed from then on. The tree is grown anew when a
link or an end was heard of, of at most `MOST` members.
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
from ..query.language import Query, parse_query
from ..wire.signatures import PendingSignature
from .members import MEMBER_STATUSES, HoldsWorkflows, Members, MemberStatus, member_status, span
from .tree import Node, build, mark_failures, walk

MAX_MEMBERS: Final = 2_000
"""Members that are shown; of more the first ones, and how many there are."""
MAX_LIVE_MEMBERS: Final = 500
"""Of more members the tree is grown anew only once a second."""
FOLD_ABOVE: Final = 50
"""Members of a group that begins folded."""
MAX_LEVELS: Final = 8
"""Levels that are drawn; what lies deeper is drawn as deep as that."""
AXIS_GROWTH: Final = 1.25
"""By how much the axis of time grows at once, so that bars of what has ended mostly stand still."""

TreeGuide: TypeAlias = Literal["none", "line", "branch", "last", "deeper"]
"""One level of the lines that lead to a row."""

EVERYTHING: Final = parse_query("")


class WorkflowRow(msgspec.Struct, frozen=True, gc=False, eq=False):
    """One line of the table."""

    node: Node
    guides: tuple[TreeGuide, ...] = ()
    context: bool = False
    """Whether it is there only because something below or after it passes the filter."""
    folded: bool = False
    counts: tuple[tuple[MemberStatus, int], ...] = ()
    """Of a group: how many of its members are how far."""
    span: tuple[float, float | None] | None = None
    """Of a group: from when to when; to None if it goes on."""


class WorkflowView:
    """The rows of a workflow: `len(view)`, `view[i]`, `view.index(id)`.

    Args:
        state: What holds the tasks.
        task_id: Any member's id.
        now: Epoch seconds.
    """

    def __init__(self, state: HoldsWorkflows, task_id: str, now: float) -> None:
        self._state = state
        self._skews: ClockSkews = NO_SKEWS
        """The skews that the axis of time was made with."""
        self.members = Members(state, task_id)
        self.begin = now
        self.axis = 1.0
        """Seconds from `begin` on that the axis of time is long."""
        self.pending_count = 0
        """How many tasks are announced and may yet be sent."""
        self._end = now
        self._goes_on = False
        self._query = EVERYTHING
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
        """Return a row's place, or None if it is not shown."""
        return self._places.get(row_id)

    def set_order(self, key: str, descending: bool) -> None:
        """Refuse: a tree has its own order.

        Raises:
            KeyError: Always.
        """
        raise KeyError(key)

    @property
    def left_out(self) -> int:
        """How many members are not in the tree, for there are too many."""
        return max(0, len(self.members) - MAX_MEMBERS) if self._matching_ids is None else 0

    def tasks_of(self, row_id: str) -> list[Task]:
        """Return the task of a row; of a group all its members."""
        index = self._places.get(row_id)
        if index is None:
            return []
        node = self._rows[index].node
        if node.kind == "group":
            found = [one.task for one in walk(node.children) if one.task is not None]
            return [task for task in found if self._matches(task)]
        return [] if node.task is None else [node.task]

    def matching_tasks(self) -> list[Task]:
        """Return all tasks of the tree that the filter lets through, whether folded or not."""
        return [
            node.task
            for node in walk(self._tops)
            if node.task is not None and self._matches(node.task)
        ]

    # What is shown

    @property
    def _filtered(self) -> bool:
        return self._faults_only or not self._query.empty

    def set_query(self, query: Query, faults_only: bool, now: float) -> None:
        """Show only members that pass, and what leads to them."""
        self._query, self._faults_only = query, faults_only
        self.members.relinked = True
        self._updated_at = float("-inf")
        self.update(now)

    def fold(self, row_id: str, now: float) -> bool:
        """Fold a group, or unfold it; return whether the row is a group."""
        index = self._places.get(row_id)
        if index is None or self._rows[index].node.kind != "group":
            return False
        self._fold_changes[row_id] = not self._rows[index].folded
        self._show(now)
        return True

    # Keeping up

    def refresh(self, now: float) -> None:
        """Find all members anew."""
        self.members.find()
        self._updated_at = float("-inf")
        self.update(now)

    def apply(self, changes: Changes, now: float) -> None:
        """Take in what changed."""
        self.members.apply(changes)
        self.update(now)

    def add_pending(self, id_: str, pending: tuple[PendingSignature, ...], now: float) -> None:
        """Take in what a member's message announces."""
        self.members.add_pending(id_, pending)
        self.update(now)

    def update(self, now: float) -> None:
        """Bring the rows up to date, if there is a reason to."""
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

    # Growing and showing the tree

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
        self._tops = build(sorted(chosen, key=lambda task: task.arrival), pending)

    def _with_ancestors(self, tasks: Iterable[Task]) -> Iterable[Task]:
        """Add the tasks that lead to some, as far as they are known, and up to so many."""
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
        self._measure(now)
        rows: list[WorkflowRow] = []
        pending: list[tuple[Node, tuple[TreeGuide, ...]]] = [
            (top, ()) for top in reversed(self._tops)
        ]
        filtered = self._matching_ids is not None
        wanted = self._wanted() if filtered else None
        while pending:
            node, guides = pending.pop()
            if wanted is not None and id(node) not in wanted:
                continue
            folded = False
            its: tuple[tuple[MemberStatus, int], ...] = ()
            if node.kind == "group":
                group_id = node.group_id or ""
                many = len(node.children) > FOLD_ABOVE
                folded = not filtered and self._fold_changes.get(node.id, many)
                its = tuple((one, counts[group_id][one]) for one in MEMBER_STATUSES)
            context = filtered and (node.task is None or not self._matches(node.task))
            rows.append(WorkflowRow(node, guides, context, folded, its, spans.get(id(node))))
            pending += [(one, _continued(guides)) for one in reversed(node.next_nodes)]
            if not folded:
                children = (
                    node.children
                    if wanted is None
                    else [n for n in node.children if id(n) in wanted]
                )
                inner = _continued(guides)
                for number, one in reversed(list(enumerate(children, start=1))):
                    last: TreeGuide = "last" if number == len(children) else "branch"
                    pending.append((one, _indented(inner, last)))
        self._rows = rows
        self._places = {row.node.id: place for place, row in enumerate(rows)}

    def _wanted(self) -> set[int]:
        """Return the nodes that pass the filter, and those that lead to them."""
        wanted: set[int] = set()
        for node in walk(self._tops):
            if node.task is not None and self._matches(node.task):
                above: Node | None = node
                while above is not None and id(above) not in wanted:
                    wanted.add(id(above))
                    above = above.parent
        return wanted

    def tick(self, now: float) -> None:
        """Make the axis of time longer where the workflow goes on."""
        if self._goes_on:
            self._extend_axis(now)

    def duration(self, now: float) -> float:
        """Return the seconds from its beginning to its end, or until now."""
        return max(0.0, (max(now, self._end) if self._goes_on else self._end) - self.begin)

    def _measure(self, now: float) -> None:
        begins: list[float] = []
        ends: list[float] = []
        self._goes_on = False
        for node in walk(self._tops):
            if node.task is not None:
                begin, end = span(node.task, self._skews)
                if begin is not None:
                    begins.append(begin)
                    ends.append(begin if end is None else end)
                    self._goes_on = self._goes_on or end is None
        self.begin, self._end = min(begins, default=now), max(ends, default=now)
        self._extend_axis(max(self._end, now) if self._goes_on else self._end)

    def _extend_axis(self, end: float) -> None:
        """Have the axis reach to a time; a little further while that moves on."""
        needed = max(end - self.begin, 0.001)
        if not self._goes_on:
            self.axis = needed
        elif not needed <= self.axis <= needed * AXIS_GROWTH * AXIS_GROWTH:
            self.axis = needed * AXIS_GROWTH


def _group_totals(
    tops: Sequence[Node],
    skews: ClockSkews,
) -> tuple[dict[str, Counter[MemberStatus]], dict[int, tuple[float, float | None]]]:
    """Return how far the members of each group are, and from when to when each group took."""
    counts: dict[str, Counter[MemberStatus]] = {}
    spans: dict[int, tuple[float, float | None]] = {}
    for group in walk(tops):
        if group.kind != "group":
            continue
        its: Counter[MemberStatus] = Counter()
        counts[group.group_id or ""] = its
        begins: list[float] = []
        ends: list[float | None] = []
        for node in _members(group):
            its["waiting" if node.task is None else member_status(node.task)] += 1
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
    """Yield what stands for each member: of a chain in a group the last step."""
    for entry in group.children:
        last = entry
        while last.next_nodes:
            last = last.next_nodes[-1]
        yield last


def _continued(guides: tuple[TreeGuide, ...]) -> tuple[TreeGuide, ...]:
    """Return the lines beside what comes after a row, or below it."""
    if not guides:
        return ()
    kept: dict[TreeGuide, TreeGuide] = {"branch": "line", "last": "none"}
    return (*guides[:-1], kept.get(guides[-1], guides[-1]))


def _indented(guides: tuple[TreeGuide, ...], last: TreeGuide) -> tuple[TreeGuide, ...]:
    if len(guides) < MAX_LEVELS:
        return (*guides, last)
    return ("deeper", *guides[2:], last)
