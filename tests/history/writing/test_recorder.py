from __future__ import annotations

from collections.abc import Iterable

import pytest
from celtop.history.rows import Batch, StoredFinding
from celtop.history.task_body import task_of
from celtop.history.writing.recorder import MAX_SUCCESSES_PER_S, Recorder
from celtop.model.entities.result import ResultMeta
from celtop.model.entities.states import FROM_BACKEND, FROM_HISTORY
from celtop.model.entities.task import Task, TaskExtra
from celtop.model.health.finding import Finding
from celtop.model.ingest.redaction import Redaction
from celtop.model.observations import HistoryRead, OperationChanged, ResultsRead
from celtop.model.operations.commands import Revoke
from celtop.model.operations.outcome import Answer, Outcome
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW, WORKER, Script, decode_fields
from msgspec import structs


def recorder(max_successes: int = MAX_SUCCESSES_PER_S) -> Recorder:
    return Recorder("shop", "host:1:0", "me", NOW, max_successes)


def record(rec: Recorder, state: ClusterState, now: float) -> Batch:
    rec.collect(state.take_changes())
    return rec.batch(state, now)


def observe(state: ClusterState, scripts: Iterable[Script]) -> None:
    state.observe(decode_fields([one for script in scripts for one in script.events], NOW + 10))


def test_ended_tasks_are_recorded_once_with_their_failure_group() -> None:
    rec, state = recorder(), ClusterState()
    good = Script("good").sent().received().started().succeeded()
    bad = Script("bad").received().started().failed()
    waiting = Script("waiting").sent().received()
    observe(state, [good, bad, waiting])
    rows = {row.id: row for row in record(rec, state, NOW + 10).tasks}
    assert rows.keys() == {"good", "bad"}
    assert (rows["good"].state, rows["good"].worker, rows["good"].failure) == (
        "SUCCESS",
        WORKER,
        "",
    )
    assert rows["good"].at == NOW + 4
    assert rows["good"].first_seen_at == NOW + 1
    (group,) = state.failures
    assert rows["bad"].failure == group.id
    assert record(rec, state, NOW + 11).tasks == ()
    stored = task_of(rows["good"])
    assert stored is not None
    held = state.tasks["good"]
    for name in ("args", "kwargs", "result", "runtime", "sent_at", "finished_at", "attempts"):
        assert getattr(stored, name) == getattr(held, name)
    assert stored.sources == held.sources | FROM_HISTORY
    part = task_of(structs.replace(rows["good"], sample=0.125))
    assert part is not None and part.extra is not None
    assert part.extra == structs.replace(held.extra or TaskExtra(), stored_share=0.125)


def test_a_task_that_runs_for_long_is_recorded_before_it_ends() -> None:
    rec, state = recorder(), ClusterState()
    script = Script("long").received().started()
    observe(state, [script])
    assert record(rec, state, NOW + 3).tasks == ()
    (row,) = record(rec, state, NOW + 8).tasks
    assert (row.id, row.state, row.at, row.runtime) == ("long", "STARTED", NOW + 8, None)
    assert record(rec, state, NOW + 20).tasks == ()
    observe(state, [Script("long", at=NOW + 30).succeeded()])
    (row,) = record(rec, state, NOW + 40).tasks
    assert (row.id, row.state) == ("long", "SUCCESS")


def test_tasks_that_were_only_read_are_not_written_back() -> None:
    rec, state = recorder(), ClusterState()
    read = Task("old", state="SUCCESS", finished_at=NOW, sources=FROM_BACKEND)
    state.observe(HistoryRead((read,), NOW))
    assert record(rec, state, NOW + 1).tasks == ()


def test_successes_are_sampled_by_workflow_if_there_are_too_many() -> None:
    rec, state = recorder(max_successes=100), ClusterState()
    record(rec, state, NOW)
    scripts = [
        Script(f"t{number}").received(root_id=f"r{number // 2}").started().succeeded()
        for number in range(400)
    ]
    observe(state, [*scripts, Script("bad").received().started().failed()])
    rows = record(rec, state, NOW + 1).tasks
    successes = [row for row in rows if row.state == "SUCCESS"]
    assert {row.sample for row in successes} == {0.25}
    assert 50 < len(successes) < 150
    by_root = [row.root_id for row in successes]
    assert all(by_root.count(root) == 2 for root in by_root)
    assert [row.sample for row in rows if row.id == "bad"] == [1.0]
    record(rec, state, NOW + 2)
    record(rec, state, NOW + 3)
    assert rec.share == 1.0


def test_events_that_were_delayed_are_no_higher_rate() -> None:
    rec, state = recorder(max_successes=100), ClusterState()
    record(rec, state, NOW + 9)
    scripts = [
        Script(f"t{n}", at=NOW + n / 90).received().started().succeeded() for n in range(400)
    ]
    observe(state, scripts)
    assert {row.sample for row in record(rec, state, NOW + 10).tasks} == {1.0}


def test_rollups_count_every_task_of_the_minute() -> None:
    start = NOW // 60 * 60
    rec, state = recorder(max_successes=1), ClusterState()
    state.tick(start + 1)
    record(rec, state, start + 1)
    scripts = [Script(f"t{n}", at=start).received().started().succeeded() for n in range(30)]
    observe(state, scripts)
    for second in range(2, 60):
        state.tick(start + second)
    partial = record(rec, state, start + 59)
    assert {row.kind: row.values.get("n_succeeded") for row in partial.rollups} == {
        "cluster": 30,
        "worker": 30,
        "type": 30,
    }
    state.tick(start + 61)
    rollups = {(row.kind, row.name): row for row in record(rec, state, start + 61).rollups}
    assert {row.minute for row in rollups.values()} == {start // 60}
    (type_name,) = state.types
    for subject in (("cluster", ""), ("type", type_name), ("worker", WORKER)):
        assert rollups[subject].values["n_succeeded"] == 30
    assert rollups["cluster", ""].values["succeeded"] == pytest.approx(30 / 55, abs=0.1)
    observe(state, [Script("next", at=start + 61).received().started().failed()])
    state.tick(start + 122)
    values = {row.kind: row.values for row in record(rec, state, start + 122).rollups}
    assert (values["cluster"]["n_succeeded"], values["cluster"]["n_failed"]) == (0, 1)


def test_findings_begin_and_end() -> None:
    rec, state = recorder(), ClusterState()
    late = Finding("worker-late", "warning", "worker", "is late", name=WORKER, next_step="wait")
    rec.collect(state.take_changes())
    (began,) = rec.batch(state, NOW, (late,)).findings
    expected = StoredFinding(
        "shop", "worker-late", f"worker {WORKER}", NOW, None, "warning", "is late", "wait", NOW
    )
    assert began == expected
    assert rec.batch(state, NOW + 5, (late,)).findings == ()
    assert rec.batch(state, NOW + 6, None).findings == ()
    (ended,) = rec.batch(state, NOW + 10, ()).findings
    assert (ended.began_at, ended.ended_at) == (NOW, NOW + 10)


def test_operations_are_recorded_when_they_begin_and_end() -> None:
    rec, state = recorder(), ClusterState()
    operation = Revoke(ids=("a", "b"), workers=(WORKER,))
    state.observe(OperationChanged(Outcome(1, operation, NOW), NOW))
    (row,) = record(rec, state, NOW + 1).operations
    assert (row.id, row.user, row.ended_at, row.targets) == (
        "host:1:0:1",
        "me",
        None,
        ("a", "b"),
    )
    assert record(rec, state, NOW + 2).operations == ()
    targets = {"a": Answer("confirmed"), "b": Answer("confirmed")}
    state.observe(OperationChanged(Outcome(1, operation, NOW, NOW + 3, targets=targets), NOW))
    (row,) = record(rec, state, NOW + 4).operations
    assert (row.id, row.ended_at, row.targets) == ("host:1:0:1", NOW + 3, ("a", "b"))
    assert "evoked" in row.text


def test_log_marks_and_runs() -> None:
    rec, state = recorder(), ClusterState()
    state.log.add(NOW, "info", "broker", "connected")
    state.series.marks.add(NOW, "lost", WORKER)
    first = record(rec, state, NOW + 1)
    assert [row.text for row in first.log] == ["connected"]
    assert [(row.kind, row.name) for row in first.marks] == [("lost", WORKER)]
    assert first.runs[0].ended_at is None
    state.log.add(NOW + 1, "info", "broker", "lost")
    state.series.marks.add(NOW + 1, "started", WORKER)
    second = rec.last_batch(state, NOW + 2)
    assert [row.text for row in second.log] == ["lost"]
    assert [row.kind for row in second.marks] == ["started"]
    assert (second.runs[0].began_at, second.runs[0].ended_at) == (NOW, NOW + 2)


def test_secrets_are_masked_before_they_are_recorded() -> None:
    rec, state = recorder(), ClusterState(redaction=Redaction(["password"]))
    script = Script("bad").received(kwargs="{'password': 'hunter2'}").started()
    observe(state, [script.failed(exception="E(password='hunter2')")])
    (row,) = record(rec, state, NOW + 10).tasks
    assert b"password" in row.body
    assert b"hunter2" not in row.body


def test_a_batch_is_due_once_a_second_while_tasks_end_and_else_every_two() -> None:
    rec, state = recorder(), ClusterState()
    assert rec.due(NOW)
    record(rec, state, NOW)
    assert not rec.due(NOW + 1)
    assert rec.due(NOW + 1.99) and rec.due(NOW + 2)
    assert rec.due(NOW - 5)
    observe(state, [Script("one").received().started().succeeded()])
    rec.collect(state.take_changes())
    assert not rec.due(NOW + 0.5)
    assert rec.due(NOW + 0.99) and rec.due(NOW + 1)


def read_from_backend(state: ClusterState, id_: str, done_at: float) -> None:
    meta = ResultMeta(id_, "FAILURE", exception="ValueError('x')", done_at=done_at, name="n")
    state.observe(ResultsRead((meta,), NOW + 1, "history"))


def test_a_task_of_a_worker_without_events_is_recorded_from_its_result() -> None:
    rec, state = recorder(), ClusterState()
    read_from_backend(state, "before", NOW - 30)
    read_from_backend(state, "old", NOW - 300)
    assert record(rec, state, NOW + 1).tasks == (), "its events may still arrive"
    (row,) = record(rec, state, NOW + 12).tasks
    (group,) = state.failures
    assert (row.id, row.state, row.at, row.failure) == ("before", "FAILURE", NOW - 30, group.id)
    read_from_backend(state, "last", NOW + 13)
    assert record(rec, state, NOW + 13).tasks == ()
    assert [row.id for row in rec.last_batch(state, NOW + 14).tasks] == ["last"]


def test_a_result_of_a_task_that_the_history_has_is_not_recorded_again() -> None:
    rec, state = recorder(), ClusterState()
    read_from_backend(state, "a", NOW - 30)
    assert record(rec, state, NOW + 1).tasks == ()
    stored = Task("a", state="FAILURE", finished_at=NOW - 30, sources=FROM_HISTORY)
    state.observe(HistoryRead((stored,), NOW + 2))
    assert record(rec, state, NOW + 2).tasks == ()
    assert record(rec, state, NOW + 12).tasks == ()
