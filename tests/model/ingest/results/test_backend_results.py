"""Entries of the result backend before, between and after events."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from celtop.model.entities.result import ResultMeta
from celtop.model.entities.states import source_names
from celtop.model.ingest.redaction import Redaction
from celtop.model.ingest.workers.worker_store import FINAL_EVENT_DELAY
from celtop.model.observations import InspectReply, ResultsRead
from celtop.model.state import ClusterState
from celtop.tests.model.ingest.tasks.events.test_task_events_against_celery_state import (
    recount,
)
from celtop.tests.model.streams import NOW, WORKER, Script, play


def seen(
    state: ClusterState, status: str | None, id_: str = "a", at: float = NOW + 9, **fields: Any
) -> Any:
    """Let the backend say something, and return the task."""
    source = fields.pop("source", "push")
    meta = ResultMeta(id_, status, **fields)
    state.observe(ResultsRead((meta,), at, source))
    return state.tasks.get(id_)


def progress(task: Any) -> tuple[Any, ...]:
    results = task.progress
    return (results.fraction, results.text, results.source)


def test_a_retry_known_from_the_backend_has_its_reason_until_the_events_have() -> None:
    state = ClusterState()
    task = seen(state, "RETRY", exception="E('x')", traceback="Traceback ...")
    assert (task.state, task.exception, task.traceback) == ("RETRY", "E('x')", "Traceback ...")
    play(Script("a").received().started().retried(exception="F()").events, state)
    assert (task.state, task.exception, task.traceback) == ("RETRY", "F()", "tb")
    recount(state)


def test_a_custom_state_in_the_backend_is_shown() -> None:
    state = play(Script("a").received().started().events)
    task = seen(state, "PROGRESS", result={"progress": 40, "status": "Creating file"})
    assert (task.state, task.running) == ("PROGRESS", True)
    assert progress(task) == (0.4, "Creating file", "backend")
    assert source_names(task.sources) == ("event", "backend")
    assert seen(state, "Fetching documents").state == "Fetching documents"
    assert state.totals.by_state == {"Fetching documents": 1}


def test_a_task_may_report_progress_before_its_first_event() -> None:
    """A solo pool sends its events when the task is done."""
    state = ClusterState()
    task = seen(state, "PROGRESS", at=NOW + 2, result={"current": 1, "total": 4})
    assert (task.state, task.running, progress(task)) == ("PROGRESS", True, (0.25, None, "backend"))
    play(Script("a").received().started().events, state)
    assert (task.state, task.started_at, task.name) == ("PROGRESS", NOW + 2, "shop.bill")
    assert task.id in state.workers[WORKER].active_ids
    play(Script("a", NOW + 2).succeeded().events, state)
    assert (task.state, task.finished_at) == ("SUCCESS", NOW + 3)
    assert (state.totals.received, state.totals.started, state.totals.succeeded) == (1, 1, 1)


@pytest.mark.parametrize(
    ("meta", "text"),
    [("reading", "reading"), ({"logs": ["a", "b"]}, '{"logs": ["a", "b"]}'), ([1, 2], "[1, 2]")],
)
def test_an_unrecognized_meta_is_shown_as_text(meta: object, text: str) -> None:
    assert progress(seen(ClusterState(), "PROGRESS", result=meta)) == (None, text, "backend")


@pytest.mark.parametrize("meta", [None, {}, ""])
def test_a_custom_state_may_have_no_meta(meta: object) -> None:
    task = seen(ClusterState(), "WORKING", result=meta)
    assert (task.state, task.progress) == ("WORKING", None)


def test_an_end_without_an_event_is_counted_as_a_correction() -> None:
    state = play(Script("a").received().started().events)
    task = seen(state, "SUCCESS", at=NOW + 9, done_at=NOW + 5, result={"sum": 3})
    assert (task.state, task.finished_at, task.result) == ("SUCCESS", NOW + 5, "{'sum': 3}")
    assert not state.workers[WORKER].active_ids
    state.tick(NOW + 9 + FINAL_EVENT_DELAY - 0.1)
    assert state.totals.corrected == 0
    state.tick(NOW + 9 + FINAL_EVENT_DELAY)
    assert state.totals.corrections == {"finished": 1}
    results = "1 task finished without an event (according to the result backend): shop.bill a"
    assert state.log[-1].text == results
    assert state.totals.succeeded == 0, "totals count events only"


def test_many_corrections_are_logged_in_one_entry() -> None:
    state = ClusterState()
    for number in range(2_000):
        play(Script(str(number)).received().started().events, state)
        seen(state, "SUCCESS", str(number), done_at=NOW + 5)
    lines = len(state.log)
    state.tick(NOW + 20)
    assert [entry.text for entry in list(state.log)[lines:] if entry.source == "tasks"] == [
        "2,000 tasks finished without an event (according to the result backend): shop.bill 0, "
        "shop.bill 1, shop.bill 2 and 1,997 more"
    ]


def test_a_late_final_event_prevents_a_correction() -> None:
    script = Script("a").received().started().succeeded()
    state = play(script.events[:2])
    seen(state, "SUCCESS", at=NOW + 3, done_at=NOW + 2.9, result=42)
    play(script.events[2:], state)
    state.tick(NOW + 30)
    task = state.tasks["a"]
    assert (task.finished_at, task.runtime, task.result) == (NOW + 3, 0.5, "42")
    assert state.totals.corrected == 0
    assert state.totals.succeeded == state.types["shop.bill"].succeeded == 1


def test_a_failure_has_its_exception() -> None:
    state = ClusterState(redaction=Redaction(["token"]))
    traceback = "Traceback: token=abc"
    task = seen(state, "FAILURE", exception="KeyError('x')", traceback=traceback, done_at=NOW)
    assert (task.state, task.exception) == ("FAILURE", "KeyError('x')")
    assert task.traceback == "Traceback: token=***"
    task = seen(state, "SUCCESS", "b", result={"token": "abc", "n": 1})
    assert task.result == "{'token': '***', 'n': 1}"
    task = seen(state, "PROGRESS", "c", result={"progress": 5, "status": "token=abc"})
    assert task.progress.text == "token=***"


def test_a_failure_that_a_worker_overwrites_stays() -> None:
    """Worker 5.6.3 writes REVOKED over any task that it is asked to revoke."""
    state = play(Script("a").received().started().failed().events)
    task = seen(state, "REVOKED", done_at=NOW + 8)
    assert (task.state, task.exception) == ("FAILURE", "Oops()")
    assert task.extra.backend_state == "REVOKED"
    other = seen(state, "FAILURE", "b", exception="Oops()", done_at=NOW + 5)
    assert seen(state, "REVOKED", "b", done_at=NOW + 8).state == other.state == "FAILURE"


def test_a_revocation_does_not_end_a_running_task() -> None:
    state = play(Script("a").received().started().events)
    task = seen(state, "REVOKED", done_at=NOW + 5)
    assert (task.state, task.extra.backend_state) == ("STARTED", "REVOKED")
    play(Script("a", NOW + 6).succeeded().events, state)
    assert task.state == "SUCCESS"
    waiting = play(Script("w").received().events, state).tasks["w"]
    assert seen(state, "REVOKED", "w", done_at=NOW + 5) is waiting
    assert waiting.state == "REVOKED"


def test_a_lost_task_that_was_revoked_is_revoked() -> None:
    state = play(Script("a").received().started().events)
    state.observe(InspectReply(WORKER, "active", [], NOW + 10))
    state.tick(NOW + 10 + FINAL_EVENT_DELAY)
    assert state.tasks["a"].loss == "unheard"
    assert seen(state, "REVOKED", done_at=NOW + 5).state == "REVOKED"


def test_an_entry_fills_in_missing_fields() -> None:
    state = play(Script("child").sent().events)
    task = seen(
        state,
        "SUCCESS",
        source="lookup",
        name="geo.area",
        args=["ä", 1],
        kwargs={"deep": [1]},
        exact_arguments=True,
        worker="celery@x",
        queue="geo",
        retries=2,
        group_id="g",
        parent_id="p",
        root_id="r",
        children=("child", "stranger"),
    )
    assert (task.name, task.args, task.kwargs) == ("geo.area", "('ä', 1)", "{'deep': [1]}")
    assert (task.worker, task.queue, task.retries) == ("celery@x", "geo", 2)
    assert (task.group_id, task.parent_id, task.root_id) == ("g", "p", "r")
    assert state.tasks["child"].parent_id == "a"
    assert set(state.tasks) == {"a", "child"}
    reprs = seen(state, "SUCCESS", "b", args="('x',...)", kwargs="{}")
    assert (reprs.args, reprs.kwargs) == ("('x',...)", "{}")


def test_a_tracked_start_has_its_worker() -> None:
    state = ClusterState()
    task = seen(state, "STARTED", result={"pid": 7, "hostname": WORKER})
    assert (task.state, task.worker, task.progress) == ("STARTED", WORKER, None)
    task = seen(state, "STARTED", result={"progress": 10, "status": "warm"})
    assert progress(task) == (0.1, "warm", "backend")


def test_a_retry_is_known_from_the_backend_without_events() -> None:
    state = ClusterState()
    assert seen(state, "STARTED").state == "STARTED"
    assert seen(state, "RETRY").state == "RETRY"
    assert seen(state, "PROGRESS").state == "PROGRESS"
    saw_event = play(Script("b").received().started().events, state).tasks["b"]
    seen(state, "RETRY", "b")
    assert saw_event.state == "STARTED", (
        "the entry of the attempt before, where starts are not tracked"
    )


def test_progress_ends_with_its_attempt() -> None:
    script = Script("a").received().started()
    state = play(script.events)
    seen(state, "PROGRESS", at=NOW + 3, result={"progress": 80})
    retried = Script("a", NOW + 4).received(1).retried()
    play(retried.events, state)
    task = state.tasks["a"]
    assert (task.state, task.progress, task.attempts[0].state) == ("RETRY", None, "RETRY")
    seen(state, "PROGRESS", at=NOW + 6.2, source="poll", result={"progress": 80})
    assert (task.state, task.progress) == ("RETRY", None), "read before it was known"
    again = seen(state, "PROGRESS", at=NOW + 8, result={"progress": 5})
    assert (again.state, again.progress.fraction) == ("PROGRESS", 0.05)


def test_unchanged_progress_keeps_its_time() -> None:
    state = play(Script("a").received().started().events)
    for at in (NOW + 3, NOW + 5):
        task = seen(state, "PROGRESS", at=at, source="poll", result={"progress": 5})
    assert task.progress.at == NOW + 3


def test_a_lost_task_that_reports_progress_is_running() -> None:
    state = play(Script("a").received().started().events)
    state.observe(InspectReply(WORKER, "active", [], NOW + 10))
    state.tick(NOW + 10 + FINAL_EVENT_DELAY)
    task = seen(state, "PROGRESS", source="poll", at=NOW + 14, result={"progress": 5})
    assert task.lost_at is not None, "the entry stays when a worker dies"
    seen(state, "PROGRESS", at=NOW + 15, result={"progress": 6})
    assert (task.lost_at, task.running, task.loss) == (None, True, None)
    assert state.totals.corrections == {"running": 1}


def test_a_task_that_started_again_after_its_end_is_running() -> None:
    script = Script("a").received().started().succeeded().received().started()
    state = play(script.events[:2])
    seen(state, "SUCCESS", done_at=NOW + 2.9)
    play(script.events[3:], state)
    assert state.tasks["a"].state == "STARTED"
    assert seen(state, "SUCCESS", done_at=NOW + 2.9).state == "STARTED"
    assert seen(state, "SUCCESS", done_at=NOW + 9).state == "SUCCESS"


def test_an_end_time_may_be_rounded_to_seconds() -> None:
    state = play(Script("a", NOW + 0.7).received().started().events)
    assert seen(state, "SUCCESS", done_at=NOW + 2).state == "SUCCESS"
    play(Script("a", NOW + 1.7).started().events, state)
    assert state.tasks["a"].state == "SUCCESS"


def test_a_disagreement_with_the_backend_may_end() -> None:
    state = play(Script("a").received().started().events)
    assert seen(state, "REVOKED", done_at=NOW + 4).extra.backend_state == "REVOKED"
    assert seen(state, "SUCCESS", done_at=NOW + 5).extra.backend_state is None


def test_a_lost_task_may_wait_for_its_retry() -> None:
    state = play(Script("a").received().started().events)
    state.observe(InspectReply(WORKER, "active", [], NOW + 10))
    state.tick(NOW + 10 + FINAL_EVENT_DELAY)
    task = seen(state, "RETRY", source="poll")
    assert (task.state, task.lost_at) == ("RETRY", None)


def test_an_end_is_no_correction_if_workers_send_no_events() -> None:
    state = play(Script("a").sent().events)
    seen(state, "SUCCESS", done_at=NOW + 2)
    state.tick(NOW + 60)
    assert state.totals.corrected == 0


@pytest.mark.parametrize(
    "meta",
    [
        ResultMeta("", "SUCCESS"),
        ResultMeta("x" * 5_000, "SUCCESS"),
        ResultMeta("a", None, undecoded="pickle"),
        ResultMeta("a", ""),
    ],
)
def test_undecodable_entries_are_ignored(meta: ResultMeta) -> None:
    state = ClusterState()
    state.observe(ResultsRead((meta,), NOW, "poll"))
    assert not state.tasks


def test_the_events_state_is_dropped_with_its_task() -> None:
    state = ClusterState(max_tasks=10)
    for number in range(30):
        seen(state, "SUCCESS", str(number), source="lookup")
    assert set(state._tasks.event_states) == set(state.tasks)


def test_overlays_share_equal_states() -> None:
    state = ClusterState()
    seen(state, "SUCCESS", "a")
    seen(state, "SUCCESS", "b")
    event_states = list(state._tasks.event_states.values())
    assert event_states[0] is event_states[1]
    assert msgspec.structs.asdict(event_states[0])["state"] == "PENDING"


def test_the_start_of_an_earlier_run_is_ignored() -> None:
    state = ClusterState()
    meta = ResultMeta("again", "SUCCESS", name="geo.resize", started_at=NOW, done_at=NOW - 100)
    state.observe(ResultsRead((meta,), NOW, "history"))
    assert state.tasks["again"].started_at is None
    assert state.types["geo.resize"].runtime.count == 0


def test_a_scheduled_task_that_the_backend_has_as_retry_awaits_its_retry() -> None:
    for first in ("scheduled", "backend"):
        state = ClusterState()
        entry = {"eta": "2023-11-14T23:13:20", "request": {"id": "a", "name": "shop.bill"}}
        reply = InspectReply(WORKER, "scheduled", [entry], NOW + 9)
        if first == "scheduled":
            state.observe(reply)
        task = seen(state, "RETRY", at=NOW + 9)
        state.observe(reply)
        assert (task.state, task.worker, task.eta_at) == ("RETRY", WORKER, NOW + 3_600), first
        assert list(state.workers[WORKER].scheduled_ids or ()) == ["a"]


def test_a_waiting_task_that_was_revoked_is_no_correction() -> None:
    """Its worker sends the event when the task's turn or ETA comes."""
    state = play(Script("a").received(eta="2033-05-18T03:33:20+00:00").events)
    assert seen(state, "REVOKED", done_at=NOW + 5).state == "REVOKED"
    state.tick(NOW + 90)
    assert state.totals.corrections == {}


def test_a_rejection_counts_for_a_task_that_only_a_reply_showed() -> None:
    rejected = Script("a").received().started().rejected().events[2:]
    for command in ("reserved", "active"):
        state = ClusterState()
        item = {"id": "a", "name": "shop.bill", "time_start": NOW + 2}
        state.observe(InspectReply(WORKER, command, [item], NOW + 2.5))
        play(rejected, state)
        assert (state.tasks["a"].state, state.totals.rejected) == ("REJECTED", 1), command
