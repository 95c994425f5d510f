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
from ..query.language import Query, parse
from ..wire.signatures import PendingSignature
from .members import MEMBER_STATUSES, HoldsWorkflows, Members, MemberStatus, member_status, span
from .tree import Node, build, mark_failures, walk

MOST: Final = 2_000
"""Members that are shown; of more the first ones, and how many there are."""
AT_ONCE: Final = 500
"""Of more members the tree is grown anew only once a second."""
FOLDED_OVER: Final = 50
"""Members of a group that begins folded."""
DEEPEST: Final = 8
"""Levels that are drawn; what lies deeper is drawn as deep as that."""
WIDER: Final = 1.25
"""By how much the axis of time grows at once, so that bars of what has ended mostly stand still."""

TreeGuide: TypeAlias = Literal["none", "line", "branch", "last", "deeper"]
"""One level of the lines that lead to a row."""

EVERYTHING: Final = parse("")


class Row(msgspec.Struct, frozen=True, gc=False, eq=False):
    """One line of the table."""

    node: Node
    turns: tuple[TreeGuide, ...] = ()
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
        self.expected = 0
        """How many tasks are announced and may yet be sent."""
        self._end = now
        self._goes_on = False
        self._query = EVERYTHING
        self._faults_only = False
        self._turned: dict[str, bool] = {}
        self._tops: list[Node] = []
        self._passing: frozenset[str] | None = None
        self._rows: list[Row] = []
        self._places: dict[str, int] = {}
        self._updated_at = float("-inf")
        self.update(now)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Row:
        if index < 0:
            raise IndexError(index)
        return self._rows[index]

    def __iter__(self) -> Iterator[Row]:
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
        return max(0, len(self.members) - MOST) if self._passing is None else 0

    def tasks_of(self, row_id: str) -> list[Task]:
        """Return the task of a row; of a group all its members."""
        index = self._places.get(row_id)
        if index is None:
            return []
        node = self._rows[index].node
        if node.kind == "group":
            found = [one.task for one in walk(node.below) if one.task is not None]
            return [task for task in found if self._passes(task)]
        return [] if node.task is None else [node.task]

    def passing(self) -> list[Task]:
        """Return all tasks of the tree that the filter lets through, whether folded or not."""
        return [
            node.task
            for node in walk(self._tops)
            if node.task is not None and self._passes(node.task)
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
        self._turned[row_id] = not self._rows[index].folded
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

    def learn(self, id_: str, to_come: tuple[PendingSignature, ...], now: float) -> None:
        """Take in what a member's message announces."""
        self.members.learn(id_, to_come)
        self.update(now)

    def update(self, now: float) -> None:
        """Bring the rows up to date, if there is a reason to."""
        members = self.members
        if not members.changed and not members.relinked and self._skews is self._state.skews:
            return
        if len(members) > AT_ONCE and 0 <= now - self._updated_at < 1.0:
            return
        if members.relinked or self._filtered:
            self._grow(now)
        self._updated_at = now
        members.relinked = members.changed = False
        mark_failures(self._tops)
        self.expected = sum(one.announced and not one.given_up for one in walk(self._tops))
        self._show(now)

    # Growing and showing the tree

    def _passes(self, task: Task) -> bool:
        return self._passing is None or task.id in self._passing

    def _grow(self, now: float) -> None:
        members = self.members.tasks
        self._passing = None
        chosen: Iterable[Task] = members.values()
        if self._filtered:
            matches, faults_only = self._query.matches, self._faults_only
            passing = {
                task.id: task
                for task in chosen
                if (not faults_only or task.faulty) and matches(task, now)
            }
            self._passing = frozenset(passing)
            chosen = passing.values()
        to_come: list[PendingSignature] = []
        if len(members) <= MOST:
            chosen = members.values()
            announcing = self.members.to_come.items()
            to_come = [each for id_, told in announcing if id_ in members for each in told]
        else:
            chosen = self._with_those_before(islice(chosen, MOST))
        self._tops = build(sorted(chosen, key=lambda task: task.arrival), to_come)

    def _with_those_before(self, tasks: Iterable[Task]) -> Iterable[Task]:
        """Add the tasks that lead to some, as far as they are known, and up to so many."""
        found = {task.id: task for task in tasks}
        members, room = self.members.tasks, MOST
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
        counts, spans = _sums(self._tops, self._skews)
        self._stretch(now)
        rows: list[Row] = []
        pending: list[tuple[Node, tuple[TreeGuide, ...]]] = [
            (top, ()) for top in reversed(self._tops)
        ]
        filtered = self._passing is not None
        wanted = self._wanted() if filtered else None
        while pending:
            node, turns = pending.pop()
            if wanted is not None and id(node) not in wanted:
                continue
            folded = False
            its: tuple[tuple[MemberStatus, int], ...] = ()
            if node.kind == "group":
                group_id = node.group_id or ""
                many = len(node.below) > FOLDED_OVER
                folded = not filtered and self._turned.get(node.id, many)
                its = tuple((one, counts[group_id][one]) for one in MEMBER_STATUSES)
            context = filtered and (node.task is None or not self._passes(node.task))
            rows.append(Row(node, turns, context, folded, its, spans.get(id(node))))
            pending += [(one, _along(turns)) for one in reversed(node.then)]
            if not folded:
                below = node.below if wanted is None else [n for n in node.below if id(n) in wanted]
                inner = _along(turns)
                for number, one in reversed(list(enumerate(below, start=1))):
                    last: TreeGuide = "last" if number == len(below) else "branch"
                    pending.append((one, _deeper(inner, last)))
        self._rows = rows
        self._places = {row.node.id: place for place, row in enumerate(rows)}

    def _wanted(self) -> set[int]:
        """Return the nodes that pass the filter, and those that lead to them."""
        wanted: set[int] = set()
        for node in walk(self._tops):
            if node.task is not None and self._passes(node.task):
                above: Node | None = node
                while above is not None and id(above) not in wanted:
                    wanted.add(id(above))
                    above = above.parent
        return wanted

    def tick(self, now: float) -> None:
        """Make the axis of time longer where the workflow goes on."""
        if self._goes_on:
            self._reach_to(now)

    def took(self, now: float) -> float:
        """Return the seconds from its beginning to its end, or until now."""
        return max(0.0, (max(now, self._end) if self._goes_on else self._end) - self.begin)

    def _stretch(self, now: float) -> None:
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
        self._reach_to(max(self._end, now) if self._goes_on else self._end)

    def _reach_to(self, end: float) -> None:
        """Have the axis reach to a time; a little further while that moves on."""
        needed = max(end - self.begin, 0.001)
        if not self._goes_on:
            self.axis = needed
        elif not needed <= self.axis <= needed * WIDER * WIDER:
            self.axis = needed * WIDER


def _sums(
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
    for entry in group.below:
        last = entry
        while last.then:
            last = last.then[-1]
        yield last


def _along(turns: tuple[TreeGuide, ...]) -> tuple[TreeGuide, ...]:
    """Return the lines beside what comes after a row, or below it."""
    if not turns:
        return ()
    kept: dict[TreeGuide, TreeGuide] = {"branch": "line", "last": "none"}
    return (*turns[:-1], kept.get(turns[-1], turns[-1]))


def _deeper(turns: tuple[TreeGuide, ...], last: TreeGuide) -> tuple[TreeGuide, ...]:
    if len(turns) < DEEPEST:
        return (*turns, last)
    return ("deeper", *turns[2:], last)
