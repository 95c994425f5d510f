"""The tasks of a selection that an operation applies to."""

from __future__ import annotations

from celtop.model.confirm import targets
from celtop.model.confirm.dispatch import confirm
from celtop.model.entities.result import ResultMeta
from celtop.model.entities.task import Task, TaskExtra
from celtop.model.observations import QueuePeeked, ResultsRead, WaitingMessage
from celtop.model.operations.commands import Revoke

from ..operation_cases import cluster, task
from ..streams import NOW, Script, play


def test_waiting_tasks_can_be_revoked_and_others_have_a_reason() -> None:
    state = cluster()
    waits, runs = task(state, "waits"), task(state, "runs", until="started")
    over = task(state, "over", until="succeeded")
    held = [state.tasks[id_] for id_ in (waits, runs, over)]
    kept, skipped = targets.revocable(held)
    assert targets.ids(kept) == ("waits",)
    assert [(one.id, reason) for one, reason in skipped] == [
        ("runs", "running; only terminating stops it"),
        ("over", "already finished (SUCCESS)"),
    ]
    assert targets.ids(targets.every(state, held).kept) == ("waits", "runs", "over")


def test_tasks_revoked_only_in_the_backend_can_be_revoked_again() -> None:
    state = cluster()
    flagged, skipped = task(state, "flagged"), task(state, "skipped")
    told = (ResultMeta(id=flagged, status="REVOKED", done_at=NOW + 5),)
    state.observe(ResultsRead(told, NOW + 5, "poll"))
    play(Script("skipped").revoked().events, state)
    assert [one.state for one in state.tasks.values()] == ["REVOKED", "REVOKED"]
    kept, _ = targets.revocable(state.tasks.values())
    assert targets.ids(kept) == (flagged,)
    assert confirm(Revoke(ids=(flagged,), workers=("w1",)), state, NOW).refusal is None
    assert confirm(Revoke(ids=(skipped,), workers=("w1",)), state, NOW).refusal is not None


def test_tasks_that_no_pool_can_terminate_are_skipped() -> None:
    state = cluster()
    for name in ("p@h", "t@h", "s@h", "g@h"):
        task(state, name, on=name, until="started")
    task(state, "waits", on="t@h")
    kept, skipped = targets.terminable(state, state.tasks.values())
    assert targets.ids(kept) == ("p@h", "g@h", "waits")
    assert [one.id for one, _ in skipped] == ["t@h", "s@h"]
    assert "threads" in skipped[0][1]


def test_tasks_in_a_thread_pool_run_although_revoked() -> None:
    state = cluster()
    for name in ("p@h", "t@h", "g@h"):
        task(state, name, on=name)
    task(state, "runs", on="t@h", until="started")
    play(Script("later", worker="t@h").received(eta="2099-01-01T00:00:00+00:00").events, state)
    assert targets.ids(targets.submitted_to_threads(state, state.tasks.values())) == ("t@h",)
    asked = confirm(Revoke(ids=("t@h", "p@h"), workers=("p@h", "t@h")), state, NOW)
    assert any("1 of them is already in a thread pool" in line for line in asked.warnings)


def test_a_workflow_is_all_that_has_its_root_or_group() -> None:
    state = cluster()
    play(Script("root").received().events, state)
    play(Script("child").received(root_id="root", parent_id="root").events, state)
    play(Script("other").received().events, state)
    grouped = [
        WaitingMessage(name, "x", "geo", root_id=name, group_id="g") for name in ("g1", "g2")
    ]
    state.observe(QueuePeeked("geo", tuple(grouped), NOW, True))
    for member in ("root", "child"):
        found = targets.workflow(state, state.tasks[member])
        assert targets.ids(found) == ("root", "child")
    assert targets.ids(targets.workflow(state, state.tasks["g2"])) == ("g1", "g2")
    assert targets.ids(targets.workflow(state, state.tasks["other"])) == ("other",)


def test_retries_are_not_part_of_the_workflow() -> None:
    state = cluster()
    play(Script("first").received().events, state)
    play(Script("again").received().events, state)
    state.tasks["first"].extra = TaskExtra(retried_as="again")
    state.tasks["again"].extra = TaskExtra(retry_of="first")
    assert targets.ids(targets.workflow(state, state.tasks["first"])) == ("first",)
    gone = Task("gone", root_id="nobody")
    assert targets.workflow(state, gone) == (gone,)


def test_names_to_choose_from() -> None:
    state = cluster()
    task(state, "a")
    play(Script("b").received(name="seen.only").events, state)
    assert targets.known_queues(state) == ("geo", "mail")
    assert targets.task_names(state) == ("geo.resize", "mail.send", "seen.only")
    assert targets.registered(state) == {"geo.resize", "mail.send"}
