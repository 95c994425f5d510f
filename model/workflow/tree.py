"""Builds the tree of a workflow: chains, groups, chords and the tasks that tasks send.

Events contain only root and parent. The parent of a step in a chain is the previous step, and that
of a task sent by a running task is the sender. The members of a group do not share a parent: they
have the group's id, which is only in waiting messages and results, or are found by the arguments of
the body (`chord_headers`). The parent of a chord's body is the header
task that ended last, and its group id is often that of the header.

The position of a task in the tree:

- a single task that is sent at another's end comes after it, at the same level;
- other tasks that a task sends are its children;
- the members of a group are children of the group, and a chord's body comes after the group;
- tasks with an unknown parent are children of a placeholder for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Literal, TypeAlias

from ..entities.states import FAILURE, FINISHED, SUCCESS
from ..entities.task import Task
from ..wire.signatures import PendingSignature

NodeKind: TypeAlias = Literal[
    "root", "step", "member", "body", "callback", "child", "retry", "group", "unheard"
]
"""The role of a node in its workflow. A `group` and an `unheard` placeholder are not held tasks."""

END_TOLERANCE: Final = 0.25
"""Seconds before a task's end within which a sent task counts as its follower: the next step of a
chain is sent before the final event."""
MAX_ANCESTORS: Final = 200
"""Levels above the members of a group that are searched for a common ancestor."""
NO_GROUPS: Final[Mapping[str, str]] = {}
NOT_ARRIVED: Final = 1 << 62
"""The position of a task that has yet to be sent."""


@dataclass(slots=True, eq=False)
class Node:
    """One line of the tree."""

    id: str
    """The task's id, or `group:` and the group's id."""
    kind: NodeKind
    task: Task | None = None
    """None for a group, a pending task and a placeholder."""
    name: str = ""
    place: int = NOT_ARRIVED
    """Its position among its siblings: the arrival of its first task."""
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)
    """Nodes one level deeper."""
    next_nodes: list[Node] = field(default_factory=list)
    """Nodes that come after it at the same level."""
    group_id: str | None = None
    failed: bool = False
    """Whether it failed, or a node below or after it did."""
    given_up: bool = False
    """Whether it will not be sent, because a task that it waits for did not succeed."""

    @property
    def pending(self) -> bool:
        """Whether it is known only from the message of a previous task."""
        return self.task is None and self.kind not in ("group", "unheard")

    def line(self) -> Iterator[Node]:
        """Yield the node and its ancestors, from the bottom to the top."""
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent


def build(
    tasks: Iterable[Task],
    pending: Iterable[PendingSignature] = (),
    group_ids: Mapping[str, str] = NO_GROUPS,
) -> list[Node]:
    """Return the top nodes of the tree, in order of arrival.

    Args:
        tasks: The tasks.
        pending: The tasks that will follow.
        group_ids: The groups of tasks that do not have the group's id, by the task's id.
    """
    nodes: dict[str, Node] = {}
    for task in tasks:
        group_id = task.group_id or group_ids.get(task.id)
        nodes[task.id] = Node(
            task.id, "child", task, task.name or "", task.arrival, group_id=group_id
        )
    signatures: dict[str, PendingSignature] = {}
    for each in pending:
        signatures.setdefault(each.id, each)
    for each in signatures.values():
        node = nodes.get(each.id)
        if node is None:
            nodes[each.id] = Node(each.id, each.kind, None, each.name, group_id=each.group_id)
        else:
            node.group_id = node.group_id or each.group_id
            node.name = node.name or each.name
    known = list(nodes.values())
    for node in known:
        node.parent = _parent(node, signatures.get(node.id), nodes)
    _cut_loops(known)
    groups = _group(known, signatures)
    everything = sorted((*nodes.values(), *groups), key=lambda node: node.place)
    tops = []
    for node in everything:
        if node.parent is None:
            node.kind = "root" if node.kind == "child" else node.kind
            tops.append(node)
        else:
            node.parent.children.append(node)
    for node in everything:
        _separate_followers(node, signatures)
    return tops


def mark_failures(tops: Sequence[Node]) -> None:
    """Mark failures with the nodes leading to them, and pending tasks that will not be sent."""
    nodes = list(walk(tops))
    for node in nodes:
        node.failed = False
    for node in nodes:
        if node.task is not None and node.task.state == FAILURE:
            for above in node.line():
                if above.failed:
                    break
                above.failed = True
        # The nodes before this one have already been marked.
        node.given_up = node.pending and node.parent is not None and _ended_badly(node.parent)


def _ended_badly(node: Node) -> bool:
    if node.kind == "group":
        return any(_ended_badly(member) for member in node.children)
    if node.task is None:
        return node.given_up
    if node.task.state in FINISHED and node.task.state != SUCCESS:
        return True
    # The last step of a chain represents the chain.
    return any(_ended_badly(after) for after in node.next_nodes if after.task is not None)


def walk(tops: Sequence[Node]) -> Iterator[Node]:
    """Yield all nodes in display order."""
    pending = list(reversed(tops))
    while pending:
        node = pending.pop()
        yield node
        pending += reversed(node.next_nodes)
        pending += reversed(node.children)


def _parent(node: Node, signature: PendingSignature | None, nodes: dict[str, Node]) -> Node | None:
    """Return the node of the previous task, or a placeholder if that is unknown."""
    task = node.task
    if task is None:
        after = None if signature is None else signature.after
        return None if after is None else nodes.get(after)
    root_id = task.root_id
    root = None
    if root_id is not None and root_id != task.id:
        root = nodes.get(root_id) or _placeholder(root_id, node, nodes)
    parent_id = task.parent_id
    if parent_id is None or parent_id == task.id:
        retry_of = None if task.extra is None else task.extra.retry_of
        if root is None and retry_of is not None and retry_of in nodes:
            node.kind = "retry"
            return nodes[retry_of]
        return root
    parent = nodes.get(parent_id) or _placeholder(parent_id, node, nodes)
    if parent.kind == "unheard":
        parent.place = min(parent.place, node.place)
        if root is not None and root is not parent and parent.parent is None:
            parent.parent = root
    return parent


def _placeholder(id_: str, node: Node, nodes: dict[str, Node]) -> Node:
    found = nodes[id_] = Node(id_, "unheard", place=node.place)
    return found


def _cut_loops(nodes: Sequence[Node]) -> None:
    """Turn one node of each cycle into a top node."""
    seen: dict[int, Node] = {}
    for start in nodes:
        node: Node = start
        while id(node) not in seen:
            seen[id(node)] = start
            if node.parent is None:
                break
            node = node.parent
        else:
            if seen[id(node)] is start and node.parent is not None:
                node.parent = None


def _group(nodes: Sequence[Node], signatures: dict[str, PendingSignature]) -> list[Node]:
    """Make the members of each group children of a group node; return the group nodes."""
    members: dict[str, list[Node]] = {}
    for node in nodes:
        if node.group_id is not None:
            members.setdefault(node.group_id, []).append(node)
    children: dict[int, list[Node]] = {}
    for node in nodes:
        if node.parent is not None:
            children.setdefault(id(node.parent), []).append(node)
    after: dict[str, list[Node]] = {}
    for node in nodes:
        its = signatures.get(node.id)
        if its is not None and its.after in members:
            after.setdefault(its.after or "", []).append(node)
    groups: list[Node] = []
    # Inner groups first: the body of a chord in a group is sent after the chord's header.
    for group_id, those in sorted(
        members.items(), key=lambda item: max(node.place for node in item[1])
    ):
        bodies = _bodies(those, children, after.get(group_id, ()))
        others = {id(body) for body in bodies}
        inside = [node for node in those if id(node) not in others]
        if len(inside) < 2:
            for body in bodies:
                if body.parent is None and inside and body not in inside[0].line():
                    body.kind, body.parent = "body", inside[0]
            continue
        group = Node(f"group:{group_id}", "group", group_id=group_id)
        _enclose(group, inside)
        groups.append(group)
        for body in bodies:
            if body not in group.line():
                body.kind, body.parent = "body", group
    return groups


def _bodies(
    members: Sequence[Node], children: dict[int, list[Node]], pending: Iterable[Node]
) -> list[Node]:
    """Return the nodes that were sent when the last member of a group had ended."""
    ids = {id(node) for node in members}
    found = [node for node in pending if id(node) not in ids]
    found += [node for node in members if node.parent is not None and id(node.parent) in ids]
    if found or len(members) < 2:
        return found
    # Not every body has the group's id: it may be the only task that any member sent, if it was
    # sent after all had ended.
    sent = [child for node in members for child in children.get(id(node), ())]
    if len(sent) != 1 or sent[0].task is None:
        return []
    at = _first_time(sent[0].task)
    ends = [None if node.task is None else node.task.finished_at for node in members]
    if at is not None and all(end is not None and end <= at + END_TOLERANCE for end in ends):
        return sent
    return []


def _enclose(group: Node, members: Sequence[Node]) -> None:
    """Insert a group between its members, or their ancestors, and the common ancestor."""
    paths = [list(islice(node.line(), MAX_ANCESTORS)) for node in members]
    shared = {id(node) for node in paths[0][1:]}
    for path in paths[1:]:
        shared &= {id(node) for node in path[1:]}
    common = next((node for node in paths[0][1:] if id(node) in shared), None)
    for path in paths:
        entry = path[0]
        for node in path[1:]:
            if node is common:
                break
            entry = node
        entry.parent = group
        entry.kind = "member" if entry.kind == "child" else entry.kind
        group.place = min(group.place, entry.place)
    group.parent = common


def _separate_followers(node: Node, signatures: dict[str, PendingSignature]) -> None:
    """Move the followers of a node from its children to the nodes after it."""
    next_nodes: list[Node] = []
    for child in node.children:
        its = signatures.get(child.id)
        if child.kind == "body" or _is_pending_step(child, node, signatures):
            next_nodes.append(child)
        elif its is not None and its.kind in ("step", "body"):
            child.kind = its.kind
            next_nodes.append(child)
        elif its is not None and child.kind == "child":
            child.kind = its.kind
    if not next_nodes and len(node.children) == 1 and _is_follower(node, node.children[0]):
        next_nodes = node.children[:]
        if next_nodes[0].kind == "child":
            next_nodes[0].kind = "step"
    if next_nodes:
        node.next_nodes = next_nodes
        node.children = [child for child in node.children if child not in next_nodes]


def _is_pending_step(group: Node, node: Node, signatures: dict[str, PendingSignature]) -> bool:
    """Return whether a message has the group as the next step of a chain."""
    return group.kind == "group" and any(
        one.id in signatures and signatures[one.id].after == node.id for one in group.children
    )


def _is_follower(node: Node, child: Node) -> bool:
    """Return whether the only task that another one sent was sent at its end."""
    if child.kind == "group":
        # A chord in a chain: all its members are sent at once.
        child = min(child.children, key=lambda one: one.place, default=child)
    if child.task is None or child.kind == "retry":
        return False
    if node.task is None:
        return node.kind == "group"
    begin, end = _first_time(child.task), node.task.finished_at
    if begin is None:
        # Results have only the end time; most tasks that end later were sent at the end.
        begin = child.task.finished_at
    return begin is not None and end is not None and begin >= end - END_TOLERANCE


def _first_time(task: Task) -> float | None:
    """Return a task's earliest known time, by the clock of its sender or worker."""
    if task.sent_at is not None:
        return task.sent_at
    if task.attempts and task.attempts[0].received_at is not None:
        return task.attempts[0].received_at
    return task.received_at if task.received_at is not None else task.started_at
