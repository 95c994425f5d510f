"""The whole that a task belongs to, as a tree: chains, groups, chords and what tasks send.

Events tell of root and parent only (celery-facts 7). A chain's step has the step before as its
parent, and so has what a task sends while it runs. A group has no parent in common: its members
are known by the group's id, which only waiting messages and results tell. A chord's body has the
header task that ended last as its parent, and often the header's own group id.

What is drawn below what:

- the one task that follows on another's end comes after it, as deep as it;
- what a task sends besides lies below it;
- the members of a group lie below the group, a chord's body comes after the group;
- what names a parent that was not heard of lies below a node that stands for that parent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from ..entities.states import FAILURE, FINISHED, SUCCESS
from ..entities.task import Task
from ..wire.signatures import PendingSignature

NodeKind: TypeAlias = Literal[
    "root", "step", "member", "body", "callback", "child", "retry", "group", "unheard"
]
"""What a node is in its workflow. A `group` and what is `unheard` of are no tasks that are held."""

END_TOLERANCE: Final = 0.25
"""Seconds before a task's end from which on what it sends counts as what follows it: the next step
of a chain is sent before the end is told."""
MAX_ANCESTORS: Final = 200
"""How far up from a group's members is looked for what they have in common."""
NOT_ARRIVED: Final = 1 << 62
"""The place of what has yet to be sent."""


@dataclass(slots=True, eq=False)
class Node:
    """One line of the tree."""

    id: str
    """The task's id; of a group `group:` and its id."""
    kind: NodeKind
    task: Task | None = None
    """None for a group, for a task that is only announced, and for one that was not heard of."""
    name: str = ""
    place: int = NOT_ARRIVED
    """Where it comes among those beside it: the arrival of its first task."""
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)
    """What lies one level deeper."""
    next_nodes: list[Node] = field(default_factory=list)
    """What comes after it, as deep as it."""
    group_id: str | None = None
    failed: bool = False
    """Whether it failed, or leads to a failure."""
    given_up: bool = False
    """Whether it will not be sent: what it waits for did not succeed."""

    @property
    def pending(self) -> bool:
        """Whether it is known only from the message of a task before it."""
        return self.task is None and self.kind not in ("group", "unheard")


def build(tasks: Iterable[Task], pending: Iterable[PendingSignature] = ()) -> list[Node]:
    """Return the tops of the tree of some tasks; each task is in it once.

    Args:
        tasks: By arrival.
        pending: What their messages announce.
    """
    nodes: dict[str, Node] = {}
    for task in tasks:
        nodes[task.id] = Node(
            task.id, "child", task, task.name or "", task.arrival, group_id=task.group_id
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
    """Mark each failure with all that led to it, and what will not be sent any more."""
    nodes = list(walk(tops))
    for node in nodes:
        node.failed = False
    for node in nodes:
        if node.task is not None and node.task.state == FAILURE:
            above: Node | None = node
            while above is not None and not above.failed:
                above.failed = True
                above = above.parent
        # Those before a node come before it here, too.
        node.given_up = node.pending and node.parent is not None and _ended_badly(node.parent)


def _ended_badly(node: Node) -> bool:
    if node.kind == "group":
        return any(_ended_badly(member) for member in node.children)
    if node.task is None:
        return node.given_up
    if node.task.state in FINISHED and node.task.state != SUCCESS:
        return True
    # The last step of a chain stands for the whole of it.
    return any(_ended_badly(after) for after in node.next_nodes if after.task is not None)


def walk(tops: Sequence[Node]) -> Iterator[Node]:
    """Yield all nodes in the order in which they are drawn."""
    pending = list(reversed(tops))
    while pending:
        node = pending.pop()
        yield node
        pending += reversed(node.next_nodes)
        pending += reversed(node.children)


def _parent(node: Node, signature: PendingSignature | None, nodes: dict[str, Node]) -> Node | None:
    """Return the node of the task before; one that stands for it where it was not heard of."""
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
    """Make a top of one node in each circle; nobody is an ancestor of itself then."""
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
    """Put the members of each group below a node of the group's; return these nodes."""
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
                if body.parent is None and inside and not _lies_above(body, inside[0]):
                    body.kind, body.parent = "body", inside[0]
            continue
        group = Node(f"group:{group_id}", "group", group_id=group_id)
        _enclose(group, inside)
        groups.append(group)
        for body in bodies:
            if not _lies_above(body, group):
                body.kind, body.parent = "body", group
    return groups


def _bodies(
    members: Sequence[Node], children: dict[int, list[Node]], pending: Iterable[Node]
) -> list[Node]:
    """Return what was sent when the last of a group's members had ended."""
    ids = {id(node) for node in members}
    found = [node for node in pending if id(node) not in ids]
    found += [node for node in members if node.parent is not None and id(node.parent) in ids]
    if found or len(members) < 2:
        return found
    # Not every body names the group: it is the only thing that any member sent, and it was sent
    # when all had ended.
    sent = [child for node in members for child in children.get(id(node), ())]
    if len(sent) != 1 or sent[0].task is None:
        return []
    at = _first_time(sent[0].task)
    ends = [None if node.task is None else node.task.finished_at for node in members]
    if at is not None and all(end is not None and end <= at + END_TOLERANCE for end in ends):
        return sent
    return []


def _enclose(group: Node, members: Sequence[Node]) -> None:
    """Put a group between its members, or what led to each, and what all have in common."""
    paths = [_path(node) for node in members]
    common: Node | None = None
    shared = {id(node) for node in paths[0][1:]}
    for path in paths[1:]:
        shared &= {id(node) for node in path[1:]}
    for node in paths[0][1:]:
        if id(node) in shared:
            common = node
            break
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


def _path(node: Node) -> list[Node]:
    """Return a node and those above it, up to so many."""
    path = [node]
    while node.parent is not None and len(path) < MAX_ANCESTORS:
        node = node.parent
        path.append(node)
    return path


def _lies_above(node: Node, other: Node) -> bool:
    above: Node | None = other
    while above is not None:
        if above is node:
            return True
        above = above.parent
    return False


def _separate_followers(node: Node, signatures: dict[str, PendingSignature]) -> None:
    """Move what follows on a node's end from below it to behind it."""
    next_nodes: list[Node] = []
    for child in node.children:
        its = signatures.get(child.id)
        if child.kind == "body" or _is_announced_step(child, node, signatures):
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


def _is_announced_step(group: Node, node: Node, signatures: dict[str, PendingSignature]) -> bool:
    """Tell whether a group is what a chain goes on with, as a message said."""
    return group.kind == "group" and any(
        one.id in signatures and signatures[one.id].after == node.id for one in group.children
    )


def _is_follower(node: Node, child: Node) -> bool:
    """Tell whether the only task that another sent was sent at that one's end."""
    if child.kind == "group":
        # A chord in a chain: all its members were sent at once.
        child = min(child.children, key=lambda one: one.place, default=child)
    if child.task is None or child.kind == "retry":
        return False
    if node.task is None:
        return node.kind == "group"
    begin, end = _first_time(child.task), node.task.finished_at
    if begin is None:
        # A result tells only when it ended: most of what ends later was sent at the end.
        begin = child.task.finished_at
    return begin is not None and end is not None and begin >= end - END_TOLERANCE


def _first_time(task: Task) -> float | None:
    """Return when a task was first heard of, by the clock of who sent or got it."""
    if task.sent_at is not None:
        return task.sent_at
    if task.attempts and task.attempts[0].received_at is not None:
        return task.attempts[0].received_at
    return task.received_at if task.received_at is not None else task.started_at
