from __future__ import annotations

import sys
from typing import Any

import pytest
from celtop.model.entities.result import ResultMeta
from celtop.model.observations import QueuePeeked, ResultsRead, WaitingMessage
from celtop.model.query.language import parse_query
from celtop.model.state import ClusterState
from celtop.model.wire.signatures import PendingSignature
from celtop.model.workflow.view import (
    FOLD_ABOVE,
    MAX_LEVELS,
    MAX_LIVE_MEMBERS,
    MAX_MEMBERS,
    WorkflowView,
)
from hypothesis import example, given
from hypothesis import strategies as st

from ..streams import NOW, Script, play

ENDS = ("succeeded", "failed", "revoked", "retried")


def run_task(
    state: ClusterState, id_: str, parent: str | None = None, root: str | None = None, **fields: Any
) -> None:
    """Run a task up to the event `until`, starting `at` seconds after the beginning."""
    until, at = fields.pop("until", "succeeded"), fields.pop("at", 0.0)
    links: dict[str, Any] = {"parent_id": parent, "root_id": root or id_}
    script = Script(id_, at=NOW + at, step=0.5).sent(**links, **fields).received(**links, **fields)
    if until != "received":
        script.started()
    if until in ENDS:
        script.say(until, **({"runtime": 0.5, "result": "1"} if until == "succeeded" else {}))
    play(script.events, state)


def belongs(state: ClusterState, group_id: str, *ids: str) -> None:
    """Observe results that reveal a group."""
    metas = tuple(ResultMeta(id_, "SUCCESS", group_id=group_id, done_at=NOW) for id_ in ids)
    state.observe(ResultsRead(metas, NOW, "push"))


def view_of(state: ClusterState, id_: str, now: float = NOW + 100) -> WorkflowView:
    view = WorkflowView(state, id_, now)
    state.take_changes()
    return view


def update(view: WorkflowView, state: ClusterState, now: float = NOW + 100) -> None:
    view.apply(state.take_changes(), now)


def ids(view: WorkflowView) -> list[str]:
    return [row.node.id for row in view]


def shop() -> ClusterState:
    """A chain whose second step is a group; one of its members failed."""
    state = ClusterState()
    run_task(state, "first")
    run_task(state, "x", "first", "first", at=2)
    run_task(state, "y", "first", "first", at=2, until="failed")
    run_task(state, "z", "first", "first", at=2, until="started")
    belongs(state, "g", "x")
    for id_ in "yz":
        state.observe(ResultsRead((ResultMeta(id_, "STARTED", group_id="g"),), NOW, "push"))
    run_task(state, "other")
    return state


@pytest.mark.parametrize("start", ["first", "x", "z"])
def test_any_member_leads_to_the_whole_workflow(start: str) -> None:
    view = view_of(shop(), start)
    assert ids(view) == ["first", "group:g", "x", "y", "z"]
    assert {**view.members.counts} == {"succeeded": 2, "failed": 1, "running": 1}
    assert [row.node.failed for row in view] == [True, True, False, True, False]


def test_later_members_are_added() -> None:
    state = shop()
    view = view_of(state, "x")
    run_task(state, "sub", "x", "first", at=3)
    run_task(state, "stranger")
    update(view, state)
    assert ids(view) == ["first", "group:g", "x", "sub", "y", "z"]
    run_task(state, "late", at=2)
    update(view, state)
    assert "late" not in ids(view)
    belongs(state, "g", "late")
    update(view, state)
    assert "late" in ids(view) and view.members.counts["succeeded"] == 4


def test_a_changed_state_is_counted_once() -> None:
    state = shop()
    view = view_of(state, "x")
    play(Script("z", at=NOW + 9).say("succeeded", runtime=1.0, result="1").events, state)
    update(view, state)
    assert {key: n for key, n in view.members.counts.items() if n} == {"succeeded": 3, "failed": 1}


def test_the_children_of_a_missing_task_are_shown() -> None:
    state = ClusterState()
    run_task(state, "a", "gone", "gone")
    view = view_of(state, "gone")
    assert ids(view) == ["gone", "a"]
    assert view_of(state, "unknown").members.tasks == {}


def test_evicted_tasks_leave() -> None:
    state = ClusterState(max_tasks=3)
    run_task(state, "a")
    run_task(state, "b", "a", "a")
    run_task(state, "c", "a", "a")
    view = view_of(state, "c")
    run_task(state, "d", "a", "a")
    update(view, state)
    assert "d" in ids(view)
    assert set(view.members.tasks) == set(state.tasks)
    assert sum(view.members.counts.values()) == len(state.tasks)
    first = next(row.node for row in view if row.node.id == "a")
    assert first.kind == "unheard"


def test_a_filter_keeps_the_nodes_leading_to_matches() -> None:
    view = view_of(shop(), "x")
    view.set_query(parse_query("state:started"), False, NOW + 100)
    assert ids(view) == ["first", "group:g", "z"]
    assert [row.context for row in view] == [True, True, False]
    assert [task.id for task in view.matching_tasks()] == ["z"]
    assert [task.id for task in view.tasks_of("group:g")] == ["z"]
    view.set_query(parse_query(""), True, NOW + 100)
    assert ids(view) == ["first", "group:g", "y"]
    view.set_query(parse_query("nothing"), False, NOW + 100)
    assert ids(view) == []
    view.set_query(parse_query(""), False, NOW + 100)
    assert len(view) == 5


def test_a_group_folds_and_represents_its_members() -> None:
    view = view_of(shop(), "x")
    assert view.fold("group:g", NOW)
    assert ids(view) == ["first", "group:g"]
    assert [task.id for task in view.tasks_of("group:g")] == ["x", "y", "z"]
    assert [task.id for task in view.matching_tasks()] == ["first", "x", "y", "z"]
    assert not view.fold("first", NOW)
    assert view.fold("group:g", NOW)
    assert len(view) == 5


def test_a_large_group_is_folded_initially() -> None:
    state = ClusterState()
    members = [f"m{number}" for number in range(FOLD_ABOVE + 1)]
    for id_ in members:
        run_task(state, id_)
    belongs(state, "g", *members)
    view = view_of(state, members[3])
    assert ids(view) == ["group:g"]
    assert dict(view[0].counts)["succeeded"] == len(members)


def test_pending_tasks_are_shown_until_they_are_sent() -> None:
    state = ClusterState()
    pending = (PendingSignature("b", "n.b", "step", "a"), PendingSignature("c", "n.c", "step", "b"))
    message = WaitingMessage("a", "n.a", "q", root_id="a", pending_signatures=pending)
    state.observe(QueuePeeked("q", (message,), NOW, True))
    view = view_of(state, "a")
    assert [(row.node.id, row.node.kind) for row in view] == [
        ("a", "root"),
        ("b", "step"),
        ("c", "step"),
    ]
    assert view.pending_count == 2
    run_task(state, "a", until="failed")
    update(view, state)
    assert [row.node.given_up for row in view] == [False, True, True]
    assert view.pending_count == 0


def test_results_that_may_reveal_a_group_are_read_once() -> None:
    state = ClusterState()
    run_task(state, "a", at=0)
    run_task(state, "near", at=0.2)
    run_task(state, "far", at=60)
    run_task(state, "child", "other", "other", at=0)
    run_task(state, "runs", at=0, until="started")
    view = view_of(state, "a")
    assert view.members.unread(10) == ["a"], "it may be in no group"
    assert view.members.unread(10) == []
    belongs(state, "g", "a")
    update(view, state)
    assert view.members.unread(10) == ["near"]
    assert view.members.unread(10) == []
    run_task(state, "late", at=0.4)
    update(view, state)
    assert view.members.unread(10) == ["late"]


def test_evicted_tasks_are_not_kept_for_their_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celtop.model.workflow.members.MANY_NEW", 10)
    state = ClusterState(max_tasks=20)
    run_task(state, "a", until="started")
    view = view_of(state, "a")
    run_task(state, "evicted", at=60)
    evicted = state.tasks["evicted"]
    for number in range(100):
        run_task(state, f"t{number}", at=61 + number)
        update(view, state)
    assert "evicted" not in state.tasks
    assert sys.getrefcount(evicted) == 2, "this one, and that of the call"


def test_the_results_of_a_large_group_are_read_in_parts_as_its_members_are_found() -> None:
    """Its sending takes longer than the time within which members are looked for."""
    state = ClusterState()
    members = [f"m{number:02}" for number in range(30)]
    for number, id_ in enumerate(members):
        run_task(state, id_, at=number * 0.2)
    view = view_of(state, "m00")
    reads = 0
    while unread := view.members.unread(4):
        reads += 1
        assert len(unread) <= 4
        belongs(state, "g", *unread)
        update(view, state)
    assert reads >= 8
    assert dict(view[0].counts)["succeeded"] == len(members)


def test_the_time_axis_of_a_running_workflow_grows_in_steps() -> None:
    state = shop()
    view = view_of(state, "x", NOW + 10)
    assert view.axis.begin == NOW + 0.5
    length = view.axis.length
    assert length >= 9.5
    view.axis.tick(NOW + 10.2)
    assert view.axis.length == length
    view.axis.tick(NOW + 60)
    assert 59.5 <= view.axis.length < 59.5 * 1.6
    play(Script("z", at=NOW + 60).say("succeeded", runtime=1.0, result="1").events, state)
    update(view, state, NOW + 90)
    assert view.axis.length == view.axis.duration(NOW + 90) == pytest.approx(60.5)


def test_the_indentation_of_deep_trees_is_limited() -> None:
    state = ClusterState()
    run_task(state, "0", until="started")
    for number in range(1, 300):
        run_task(state, str(number), str(number - 1), "0", until="started", at=number / 100)
    view = view_of(state, "250")
    assert len(view) == 300
    assert max(len(row.guides) for row in view) <= MAX_LEVELS
    assert view[299].guides[0] == "deeper"


def test_the_first_of_very_many_members_are_shown() -> None:
    state = ClusterState()
    many = MAX_MEMBERS + 500
    for number in range(many):
        root = None if not number else "t0"
        message = WaitingMessage(f"t{number}", "n", "q", root_id="t0", parent_id=root)
        state.observe(QueuePeeked("q", (message,), NOW, True))
    view = view_of(state, "t1000", NOW)
    assert len(view) == MAX_MEMBERS and view.left_out == 500
    assert view.members.counts["waiting"] == many
    assert many > MAX_LIVE_MEMBERS
    run_task(state, "t0", until="started")
    update(view, state, NOW + 0.2)
    assert view.members.counts["running"] == 1
    run_task(state, f"t{many - 1}", "t0", "t0", until="failed")
    view.set_query(parse_query(""), True, NOW + 0.3)
    update(view, state, NOW + 2)
    assert ids(view) == ["t0", f"t{many - 1}"]
    assert view.left_out == 0


names = st.sampled_from("abcdefg")
changes = st.one_of(
    st.tuples(
        st.just("task"),
        names,
        st.none() | names,
        st.none() | names,
        st.sampled_from(["received", "started", "succeeded", "failed", "revoked", "retried"]),
    ),
    st.tuples(st.just("group"), names, st.sampled_from("GH")),
    st.tuples(st.just("pending"), names, names),
)


RETURNING_PARENT: list[tuple[Any, ...]] = [
    *(("task", "a", None, None, "received"), ("group", "c", "H"), ("group", "d", "H")),
    *(("group", "f", "G"), ("task", "b", None, None, "received")),
    *(("task", "c", None, "d", "received"), ("task", "e", None, None, "received")),
    ("group", "d", "G"),
]


@given(names, st.lists(changes, max_size=20))
@example("c", RETURNING_PARENT)
def test_an_updated_view_equals_a_new_one(start: str, stream: list[tuple[Any, ...]]) -> None:
    state = ClusterState(max_tasks=5)
    view = view_of(state, start)
    for number, change in enumerate(stream):
        if change[0] == "task":
            _, id_, parent, root, until = change
            run_task(state, id_, parent, root, until=until, at=number)
        elif change[0] == "group":
            belongs(state, change[2], change[1])
        else:
            pending = (PendingSignature(change[2], "n", "step", change[1]),)
            message = WaitingMessage(change[1], "n", "q", pending_signatures=pending)
            state.observe(QueuePeeked("q", (message,), NOW, True))
        update(view, state)
        held = {id_ for id_, task in view.members.tasks.items() if state.tasks.get(id_) is task}
        assert held == set(view.members.tasks)
        assert sum(view.members.counts.values()) == len(held)
        rows = [row.node.id for row in view]
        assert len(rows) == len(set(rows))
        assert {row.node.task.id for row in view if row.node.task is not None} == held
        assert all(view.index(id_) == place for place, id_ in enumerate(rows))
    rebuilt = WorkflowView(state, start, NOW + 100)
    assert set(rebuilt.members.tasks) <= set(view.members.tasks)


def chord(state: ClusterState) -> None:
    """Run a chord of three that was sent outside of any task, as events alone report it."""
    for number in range(3):
        events = Script(f"m{number}", at=NOW + number / 10, step=0.1).sent(root_id=f"m{number}")
        play(events.received().started().succeeded(result=str(number)).events, state)
    fields: dict[str, Any] = {"parent_id": "m2", "root_id": "m2", "args": "([0, 1, 2],)"}
    events = Script("body", at=NOW + 2, step=0.1).sent(**fields).received(**fields)
    play(events.started().succeeded().events, state)


@pytest.mark.parametrize("start", ["m0", "m2", "body"])
def test_a_chords_header_is_found_by_the_arguments_of_its_body(start: str) -> None:
    state = ClusterState()
    chord(state)
    view = view_of(state, start)
    assert ids(view) == ["group:body body", "m0", "m1", "m2", "body"]
    assert [row.node.kind for row in view] == ["group", "member", "member", "member", "body"]
    assert (view.members.unknown, view.members.may_be_grouped) == (0, False)


def test_a_chords_header_is_found_when_its_body_arrives() -> None:
    state = ClusterState()
    play(Script("m0", at=NOW, step=0.1).sent(root_id="m0").received().events, state)
    view = view_of(state, "m0")
    assert view.members.may_be_grouped
    chord(state)
    update(view, state)
    assert ids(view) == ["group:body body", "m0", "m1", "m2", "body"]


def test_unknown_members_of_a_header_are_counted() -> None:
    state = ClusterState()
    chord(state)
    play(
        Script("other", at=NOW, step=0.1)
        .sent(root_id="other")
        .received()
        .started()
        .succeeded(result="0")
        .events,
        state,
    )
    view = view_of(state, "m2")
    assert view.members.unknown == 1
    assert ids(view) == ["group:body body", "m1", "m2", "body"]
    belongs(state, "g", "m0", "m1", "m2")
    update(view, state)
    assert view.members.unknown == 0
    assert ids(view) == ["group:g", "m0", "m1", "m2", "body"]
