from __future__ import annotations

from typing import Any

import pytest
from celtop.model.entities.task import Task
from celtop.model.wire.signatures import PendingSignature
from celtop.model.workflow.tree import Node, build, mark_failures, walk
from hypothesis import given
from hypothesis import strategies as st


def task(id_: str, parent: str | None = None, root: str | None = None, **fields: Any) -> Task:
    """A task that was sent at `at` and ended at `end`."""
    at, end = fields.pop("at", None), fields.pop("end", None)
    state = fields.pop("state", "SUCCESS" if end is not None else "PENDING")
    return Task(
        id_,
        fields.pop("arrival", 0),
        name=f"n.{id_}",
        parent_id=parent,
        root_id=root or id_,
        group_id=fields.pop("group", None),
        sent_at=at,
        finished_at=end,
        state=state,
        **fields,
    )


def grown(*tasks: Task, pending: tuple[PendingSignature, ...] = ()) -> list[Node]:
    for number, one in enumerate(tasks):
        one.arrival = number
    tops = build(tasks, pending)
    mark_failures(tops)
    return tops


def drawn(tops: list[Node]) -> list[str]:
    """The tree as lines: how deep, what it is, which."""
    lines = []
    pending = [(top, 0) for top in reversed(tops)]
    while pending:
        node, depth = pending.pop()
        mark = "!" if node.failed else "-" if node.given_up else ""
        lines.append(f"{'  ' * depth}{mark}{node.kind} {node.id}")
        pending += [(one, depth) for one in reversed(node.next_nodes)]
        pending += [(one, depth + 1) for one in reversed(node.children)]
    return lines


def test_steps_of_a_chain_follow_each_other() -> None:
    tops = grown(
        task("a", at=0.0, end=2.0),
        task("b", "a", "a", at=1.99, end=4.0),
        task("c", "b", "a", at=4.0),
    )
    assert drawn(tops) == ["root a", "step b", "step c"]


def test_tasks_sent_by_a_running_task_are_its_children() -> None:
    tops = grown(
        task("a", at=0.0, end=9.0),
        task("b", "a", "a", at=1.0, end=4.0),
        task("c", "b", "a", at=2.0, end=3.0),
    )
    assert drawn(tops) == ["root a", "  child b", "    child c"]


def test_several_tasks_sent_by_a_task_are_its_children() -> None:
    tops = grown(
        task("a", at=0.0, end=9.0),
        task("b", "a", "a", at=9.0),
        task("c", "a", "a", at=9.0),
    )
    assert drawn(tops) == ["root a", "  child b", "  child c"]


def test_members_share_only_the_id_of_their_group() -> None:
    tops = grown(task("a", group="g"), task("b", group="g"), task("c", group="g"))
    assert drawn(tops) == ["group group:g", "  member a", "  member b", "  member c"]


def test_a_chord_in_a_chain_is_a_step_followed_by_its_body() -> None:
    tops = grown(
        task("first", at=0.0, end=1.0),
        task("x", "first", "first", at=1.0, end=3.0, group="g"),
        task("y", "first", "first", at=1.0, end=2.0, group="g"),
        task("body", "x", "first", at=3.0, end=4.0),
        task("last", "body", "first", at=4.0),
    )
    assert drawn(tops) == [
        "root first",
        "group group:g",
        "  member x",
        "  member y",
        "body body",
        "step last",
    ]


def test_the_body_of_a_chord_may_have_the_group_id_of_the_header() -> None:
    tops = grown(
        task("x", at=0.0, end=2.0, group="g"),
        task("y", at=0.0, end=3.0, group="g"),
        task("body", "y", "y", at=0.5, group="g"),
    )
    assert drawn(tops) == ["group group:g", "  member x", "  member y", "body body"]


def test_a_task_sent_by_a_member_is_not_a_body() -> None:
    tops = grown(
        task("x", at=0.0, end=2.0, group="g"),
        task("y", at=0.0, end=9.0, group="g"),
        task("own", "x", "x", at=1.0),
    )
    assert drawn(tops) == ["group group:g", "  member x", "    child own", "  member y"]


def test_chains_in_a_group_are_members_from_their_first_step() -> None:
    tops = grown(
        task("a1", at=0.0, end=1.0),
        task("b1", at=0.0, end=1.0),
        task("a2", "a1", "a1", at=1.0, end=2.0, group="g"),
        task("b2", "b1", "b1", at=1.0, end=2.0, group="g"),
    )
    assert drawn(tops) == [
        "group group:g",
        "  member a1",
        "  step a2",
        "  member b1",
        "  step b2",
    ]


def test_a_chord_in_a_group_is_a_child_of_the_outer_group() -> None:
    tops = grown(
        task("x", at=0.0, end=1.0, group="inner"),
        task("y", at=0.0, end=1.5, group="inner"),
        task("z", at=0.0, end=5.0, group="outer"),
        task("body", "y", "y", at=1.5, end=3.0, group="outer"),
    )
    assert drawn(tops) == [
        "group group:outer",
        "  group group:inner",
        "    member x",
        "    member y",
        "  body body",
        "  member z",
    ]


def test_failures_and_tasks_that_will_not_be_sent_are_marked() -> None:
    tops = grown(
        task("a", at=0.0, end=1.0),
        task("x", "a", "a", at=1.0, end=2.0, group="g"),
        task("y", "a", "a", at=1.0, end=2.0, group="g", state="FAILURE"),
        pending=(
            PendingSignature("body", "n.body", "body", "g"),
            PendingSignature("more", "n.more", "step", "body"),
        ),
    )
    assert drawn(tops) == [
        "!root a",
        "!group group:g",
        "  member x",
        "  !member y",
        "-body body",
        "-step more",
    ]


def test_a_pending_task_is_replaced_when_it_is_sent() -> None:
    pending = (PendingSignature("b", "n.b", "step", "a"), PendingSignature("c", "n.c", "step", "b"))
    running = task("a", at=0.0, state="STARTED")
    assert drawn(grown(running, pending=pending)) == ["root a", "step b", "step c"]
    early = task("b", "a", "a", at=0.1)
    assert drawn(grown(running, early, pending=pending)) == ["root a", "step b", "step c"]


def test_a_pending_chord_in_a_chain_follows_the_previous_step() -> None:
    pending = (
        PendingSignature("x", "n.x", "member", "a", "g"),
        PendingSignature("y", "n.y", "member", "a", "g"),
        PendingSignature("z", "n.z", "body", "g"),
    )
    lines = ["root a", "group group:g", "  member x", "  member y", "body z"]
    assert drawn(grown(task("a"), pending=pending)) == lines
    begun = (task("a", at=0.0, end=9.0), task("x", "a", "a", at=9.0))
    assert drawn(grown(*begun, pending=pending)) == lines


def test_tasks_known_only_from_results_follow_those_that_ended_before() -> None:
    tops = grown(task("a", end=2.0), task("b", "a", end=4.0), task("c", "b", end=5.0))
    assert drawn(tops) == ["root a", "step b", "step c"]


def test_a_task_without_a_name_has_that_of_its_signature() -> None:
    unnamed = Task("b", parent_id="a", root_id="a")
    tops = grown(
        task("a", state="STARTED"), unnamed, pending=(PendingSignature("b", "n.b", "step", "a"),)
    )
    assert [node.name for node in walk(tops)] == ["n.a", "n.b"]


def test_an_unknown_parent_has_a_placeholder() -> None:
    tops = grown(
        task("root", at=0.0, end=9.0),
        task("a", "gone", "root", at=1.0),
        task("b", "gone", "root", at=1.0),
    )
    assert drawn(tops) == ["root root", "  unheard gone", "    child a", "    child b"]


def test_an_unknown_root_keeps_its_workflow_together() -> None:
    tops = grown(task("a", "gone", "gone", at=1.0), task("b", "gone", "gone", at=1.0))
    assert drawn(tops) == ["unheard gone", "  child a", "  child b"]


@pytest.mark.parametrize("links", [("a", "a"), ("b", "a"), ("c", "a")], ids=str)
def test_cycles_are_cut(links: tuple[str, str]) -> None:
    parent, root = links
    tasks = (task("a", parent, root), task("b", "a", root), task("c", "b", root))
    assert sorted(node.id for node in walk(grown(*tasks))) == ["a", "b", "c"]


ids = st.sampled_from("abcdefgh")
links = st.tuples(
    st.none() | ids,
    st.none() | ids | st.just("unheard"),
    st.none() | st.sampled_from("GHI"),
    st.none() | st.floats(0, 3),
    st.none() | st.floats(0, 3),
    st.sampled_from(["SUCCESS", "FAILURE", "STARTED", "REVOKED"]),
)
pending = st.builds(
    PendingSignature,
    st.sampled_from("abcxyz"),
    st.just("n"),
    st.sampled_from(["step", "member", "body", "callback"]),
    st.none() | st.sampled_from("abcxyzGHI"),
    st.none() | st.sampled_from("GHI"),
)


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), links, max_size=8),
    st.lists(pending, max_size=6),
)
def test_each_task_appears_once_with_any_links(
    soup: dict[str, tuple[Any, ...]], pending: list[PendingSignature]
) -> None:
    tasks = [
        task(id_, parent, root, group=group, at=at, end=end, state=state)
        for id_, (root, parent, group, at, end, state) in soup.items()
    ]
    tops = grown(*tasks, pending=tuple(pending))
    nodes = list(walk(tops))
    held = sorted(node.task.id for node in nodes if node.task is not None)
    assert held == sorted(soup)
    shown = [node.id for node in nodes]
    assert len(shown) == len(set(shown))
    assert {each.id for each in pending} | set(soup) <= set(shown)
    for node in nodes:
        above = node
        for _ in range(len(nodes) + 1):
            if above.parent is None:
                break
            above = above.parent
        else:
            pytest.fail("a circle")
        if node.failed and node.task is not None and node.task.state != "FAILURE":
            assert any(one.failed for one in (*node.children, *node.next_nodes))
