"""Single tasks after their events: attempts, links, custom states, queues."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from celtop.model.entities.task import Task
from celtop.model.entities.task_type import TaskType
from celtop.model.observations import InspectReply
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch

from ....streams import CLIENT, NOW, OTHER, WORKER, Fields, Script, play


def task_after(script: Script) -> Task:
    return play(script.events).tasks[script.uuid]


def test_a_successful_task() -> None:
    task = task_after(Script("a").sent().received().started().succeeded())
    assert (task.state, task.name, task.worker, task.queue) == (
        "SUCCESS", "shop.bill", WORKER, "celery"
    )  # fmt: skip
    assert (task.sent_at, task.received_at) == (NOW + 1, NOW + 2)
    assert (task.started_at, task.finished_at) == (NOW + 3, NOW + 4)
    assert (task.result, task.runtime, task.args) == ("42", 0.5, "('a',)")
    assert (task.attempts, task.waited()) == ((), 2.0)
    assert task.extra is not None
    assert task.extra.client == CLIENT


def test_the_client_that_sent_a_task_is_not_a_worker() -> None:
    state = play(Script("a").sent().events)
    assert state.workers == {}
    assert state.tasks["a"].worker is None


def test_a_worker_that_restarts_within_a_batch_sends_task_events() -> None:
    beats = [
        Event("worker-heartbeat", WORKER, NOW + second, pid=pid, freq=2.0, active=0, processed=0)
        for second, pid in ((0, 1), (2, 2))
    ]
    first, second = (
        Event("task-received", WORKER, NOW + at, uuid=uuid) for at, uuid in ((1, "a"), (3, "b"))
    )
    state = ClusterState()
    state.observe(EventBatch((beats[0], first, beats[1], second), NOW + 4))
    assert state.workers[WORKER].pid == 2
    assert state.workers[WORKER].events_enabled


def test_each_attempt_is_kept_even_if_the_retry_event_comes_after_the_next_receipt() -> None:
    script = Script("a").received().started().received(1).retried(exception="First()")
    script.started().on(OTHER).received(2).on(WORKER).retried(exception="Second()")
    script.on(OTHER).started().succeeded()
    task = task_after(script)
    assert (task.state, task.retries, task.worker) == ("SUCCESS", 2, OTHER)
    assert [(a.number, a.state, a.worker, a.exception) for a in task.attempts] == [
        (0, "RETRY", WORKER, "First()"),
        (1, "RETRY", WORKER, "Second()"),
    ]
    first, second = task.attempts
    assert (first.received_at, first.started_at, first.finished_at) == (NOW + 1, NOW + 2, NOW + 4)
    assert (second.received_at, second.started_at) == (NOW + 3, NOW + 5)
    assert (task.received_at, task.started_at, task.finished_at) == (NOW + 6, NOW + 8, NOW + 9)
    assert task.exception is None


def test_a_task_waiting_for_its_retry_shows_the_exception() -> None:
    task = task_after(Script("a").received().started().received(1).retried())
    assert (task.state, task.exception, task.traceback) == ("RETRY", "Again()", "tb")
    assert (task.running, task.waiting, task.elapsed(NOW + 100)) == (False, True, None)


def test_a_retry_event_before_the_next_receipt_gives_the_same_result() -> None:
    usual = task_after(Script("a").received().started().received(1).retried().started())
    other = task_after(Script("a").received().started().retried().received(1).started())
    for task in (usual, other):
        assert (task.state, task.retries, len(task.attempts)) == ("STARTED", 1, 1)
        assert (task.exception, task.finished_at) == (None, None)
        assert task.attempts[0].exception == "Again()"


def test_a_retry_event_after_the_next_start_is_of_the_attempt_before() -> None:
    """With a countdown of 0, a free slot starts the next attempt before the event is sent."""
    script = Script("a").received().started().received(1).started().retried(exception="First()")
    state = play(script.events)
    task = state.tasks["a"]
    assert (task.state, task.retries, task.started_at) == ("STARTED", 1, NOW + 4)
    assert list(state.workers[WORKER].active_ids) == ["a"]
    script.received(2).started().retried(exception="Second()").failed()
    task = task_after(script)
    assert (task.state, task.retries) == ("FAILURE", 2)
    assert [(a.number, a.state, a.exception, a.finished_at) for a in task.attempts] == [
        (0, "RETRY", "First()", NOW + 5),
        (1, "RETRY", "Second()", NOW + 8),
    ]


def test_a_start_after_the_next_receipt_is_of_the_attempt_before() -> None:
    """The events of a task that raises `Retry` within milliseconds, with a countdown."""
    eta = datetime.fromtimestamp(NOW + 20, UTC).isoformat()
    script = Script("a").received().received(1, eta=eta)
    script.started().retried(exception="First()")
    state = play(script.events)
    task = state.tasks["a"]
    assert (task.state, task.retries, task.started_at) == ("RETRY", 1, None)
    assert not state.workers[WORKER].active_ids
    script.at = NOW + 20
    task = task_after(script.started().succeeded())
    assert (task.state, task.retries, task.started_at) == ("SUCCESS", 1, NOW + 21)
    assert [(a.number, a.state, a.started_at, a.finished_at) for a in task.attempts] == [
        (0, "RETRY", NOW + 3, NOW + 4),
    ]


def test_a_retry_of_an_unknown_attempt() -> None:
    task = task_after(Script("a").received(3).retried().started())
    assert (task.state, task.retries) == ("STARTED", 3)
    assert [(a.number, a.state, a.started_at) for a in task.attempts] == [(2, "RETRY", None)]


def test_a_retry_that_a_run_of_unknown_number_sends_is_not_redelivered() -> None:
    script = Script("a").started().sent(retries=2).received(2).retried().started().succeeded()
    state = play(script.events)
    task = state.tasks["a"]
    assert state.totals.corrections == {}
    assert (task.state, task.retries) == ("SUCCESS", 2)
    assert [(attempt.number, attempt.state) for attempt in task.attempts] == [(1, "RETRY")]


def test_a_task_redelivered_to_another_worker_starts_from_scratch() -> None:
    script = Script("a").received().started().on(OTHER).received().started().succeeded()
    task = task_after(script)
    assert (task.state, task.worker, task.retries) == ("SUCCESS", OTHER, 0)
    lost = task.attempts[0]
    assert (lost.worker, lost.state, lost.finished_at) == (WORKER, "STARTED", None)


def test_a_task_run_again_under_its_id_starts_from_scratch() -> None:
    script = Script("a").received().started().failed().received().started()
    state = play(script.events)
    task = state.tasks["a"]
    assert (task.state, task.exception, task.finished_at) == ("STARTED", None, None)
    failed = task.attempts[0]
    assert (failed.state, failed.exception, failed.traceback) == ("FAILURE", "Oops()", "tb")
    assert state.totals.text_bytes == task.text_bytes


def test_late_events_of_the_first_worker_do_not_end_the_second_run() -> None:
    first, second = Script("a"), Script("a", at=NOW + 10, worker=OTHER)
    first.received().started()
    second.received().started()
    first.failed()
    state = play([*first.events[:2], *second.events, first.events[2]])
    task = state.tasks["a"]
    assert (task.state, task.worker) == ("STARTED", OTHER)
    assert (task.attempts[0].state, task.attempts[0].exception) == ("FAILURE", "Oops()")


def test_celery_s_precedence_decides_between_hosts() -> None:
    ahead = Script("a", at=NOW + 3600).received().started()
    behind = Script("a", worker=OTHER).succeeded()
    assert play([*ahead.events, *behind.events]).tasks["a"].state == "SUCCESS"
    sent_by_a_late_clock = Script("a", at=NOW + 3600).sent()
    task = play([*Script("a").received().started().events, *sent_by_a_late_clock.events]).tasks["a"]
    assert (task.state, task.sent_at) == ("STARTED", NOW + 3601)


def test_the_hard_time_limit_fails_a_task_once() -> None:
    script = Script("a").received().started()
    script.failed(exception="TimeLimitExceeded(5,)", traceback=None)
    script.failed(exception="ExceptionWithTraceback()", traceback="tb\nTimeLimitExceeded: 5\n")
    state = play(script.events)
    assert (state.totals.failed, state.types["shop.bill"].failed) == (1, 1)
    assert state.workers[WORKER].failed == 1
    assert state.tasks["a"].exception == "TimeLimitExceeded: 5"
    assert state.tasks["a"].attempts == ()


def test_the_exception_is_read_from_the_traceback_if_wrapped() -> None:
    hidden = {"exception": "ExceptionWithTraceback()", "traceback": "Traceback:\n x\nKeyError: 1\n"}
    task = task_after(Script("a").received().started().failed(**hidden))
    assert task.exception == "KeyError: 1"
    bare = task_after(Script("a").failed(exception="ExceptionWithTraceback()", traceback=None))
    assert bare.exception == "ExceptionWithTraceback()"


def test_a_revocation_has_its_details() -> None:
    extra = task_after(Script("a").received().started().revoked(terminated=True, signum="15")).extra
    assert extra is not None
    assert (extra.terminated, extra.expired, extra.signal) == (True, False, "15")


def test_a_terminated_task_that_runs_again_may_succeed() -> None:
    script = Script("a").received().started().revoked(terminated=True)
    assert task_after(script.received().started().succeeded()).state == "SUCCESS"


def test_a_task_is_not_its_own_parent() -> None:
    task = task_after(Script("a").received(1, parent_id="a"))
    assert task.parent_id is None
    assert task.root_id is task.id


def test_workflow_links_share_their_strings_and_are_indexed() -> None:
    root = Script("root").received()
    step = Script("step").received(root_id="root", parent_id="root")
    last = Script("last").received(root_id="root", parent_id="step")
    alone = Script("alone").received()
    state = play([*last.events, *step.events, *root.events, *alone.events])
    tasks = state.tasks
    assert tasks["step"].root_id is tasks["last"].root_id
    for id_, others in {
        "root": ["last", "step"],
        "step": ["root", "last"],
        "last": ["root", "step"],
        "alone": [],
    }.items():
        assert [task.id for task in state.related(tasks[id_])] == others


def test_repeated_strings_are_shared() -> None:
    state = play([*Script("a").sent().received().events, *Script("b").sent().received().events])
    a, b = state.tasks["a"], state.tasks["b"]
    assert a.name is b.name
    assert a.worker is b.worker is state.workers[WORKER].name
    assert a.queue is b.queue
    assert a.kwargs is b.kwargs
    assert a.extra is b.extra


def test_custom_states_keep_their_names() -> None:
    state = play(Script("a").received().started().say("geo-coding", current=1, total=4).events)
    task = state.tasks["a"]
    assert (task.state, state.totals.by_state) == ("GEO-CODING", {"GEO-CODING": 1})
    assert task.running
    assert task.progress is not None
    assert (task.progress.fraction, task.progress.source) == (0.25, "event")
    assert task.extra is not None
    assert task.extra.fields == {"current": "1", "total": "4"}


def test_custom_fields_never_overwrite_typed_ones() -> None:
    script = Script("a").received().started()
    task = task_after(
        script.progress(name="evil", args="no", retries=9, worker="w", state="SUCCESS")
    )
    assert (task.name, task.args, task.retries, task.worker) == ("shop.bill", "('a',)", 0, WORKER)
    assert task.extra is not None
    assert task.extra.fields["name"] == "evil"


def test_a_custom_event_named_like_a_state_has_no_effect() -> None:
    assert task_after(Script("a").received().started().say("success")).state == "STARTED"


def test_late_progress_does_not_restart_a_task() -> None:
    task = task_after(Script("a").received().started().succeeded().progress(progress=99))
    assert task.state == "SUCCESS"


def test_progress_before_any_other_event_is_kept() -> None:
    early = Script("a", at=NOW + 5).progress(current=1, total=2)
    state = play([*early.events, *Script("a").received().started().events])
    task = state.tasks["a"]
    assert (task.state, task.name, task.started_at) == ("PROGRESS", "shop.bill", NOW + 2)


def test_a_cancelled_run_has_ended() -> None:
    task = task_after(Script("a").received().started().say("cancelled"))
    assert (task.state, task.finished, task.finished_at) == ("CANCELLED", True, NOW + 3)


def test_the_queue_is_the_only_one_of_its_worker() -> None:
    state = ClusterState()
    state.observe(InspectReply(WORKER, "active_queues", [{"name": "mail"}], NOW))
    play(Script("a").received().events, state)
    assert state.tasks["a"].queue == "mail"
    state.observe(InspectReply(OTHER, "active_queues", [{"name": "x"}, {"name": "y"}], NOW))
    play(Script("b").on(OTHER).received().events, state)
    assert state.tasks["b"].queue is None


def test_ids_of_running_tasks_follow_the_events() -> None:
    state = play(Script("a").received().started().events)
    play(Script("b").received().started().events, state)
    worker = state.workers[WORKER]
    assert list(worker.active_ids) == ["a", "b"]
    play([Script("a", at=NOW + 2).succeeded().events[0]], state)
    assert list(worker.active_ids) == ["b"]
    play(Script("b", at=NOW + 2).received(1).retried().events, state)
    assert list(worker.active_ids) == []


def test_types_count_and_time_received_events() -> None:
    state = play(Script("a").received().started().succeeded(runtime=2.0).events)
    play(Script("b").received().started().failed(exception="KeyError('x')").events, state)
    play(Script("c").received().started().received(1).retried(exception="OSError(1)").events, state)
    kind = state.types["shop.bill"]
    assert kind.states == {"SUCCESS": 1, "FAILURE": 1, "RETRY": 1}
    assert (kind.received, kind.succeeded, kind.failed, kind.retried) == (4, 1, 1, 1)
    assert kind.exceptions == {"KeyError": 1, "OSError": 1}
    assert (kind.runtime.count, kind.runtime.max, kind.wait.count) == (1, 2.0, 3)
    assert (kind.held, kind.failure_rate) == (3, 0.5)


def test_the_failure_rate_of_a_type_covers_the_held_or_the_reported_tasks() -> None:
    """No event reports the tasks whose results were read; successes are evicted before failures."""
    state = play(Script("a").received().started().failed(exception="KeyError('x')").events)
    kind = state.types["shop.bill"]
    kind.states = {"SUCCESS": 12, "FAILURE": 3, "STARTED": 1}
    assert (kind.failed, kind.succeeded, kind.failure_rate) == (1, 0, 0.2)
    kind.succeeded, kind.failed = 98, 2
    kind.states = {"SUCCESS": 2, "FAILURE": 2}
    assert kind.failure_rate == 0.02
    assert TaskType("shop.bill", states={"STARTED": 1}).failure_rate is None


def test_an_end_that_arrives_before_the_name_counts_once_for_its_type() -> None:
    state = ClusterState()
    for number in range(10):
        events = Script(str(number)).received().started()
        ended = events.failed(exception="KeyError('x')") if number == 0 else events.succeeded()
        first, *others = ended.events
        play(others if number < 6 else [first, *others], state)
        if number < 6:
            play([first], state)
    kind = state.types["shop.bill"]
    assert (kind.succeeded, kind.failed, kind.exceptions) == (9, 1, {"KeyError": 1})
    assert kind.failure_rate == 0.1


def test_the_number_of_retries_is_unknown_until_a_source_reports_it() -> None:
    script = Script("a").received().started()
    received, started = script.events
    state = play([started])
    assert (state.tasks["a"].retries, state.tasks["a"].known_retries) == (0, None)
    play([received], state)
    assert state.tasks["a"].known_retries == 0
    state = play(Script("b").received(2).events)
    assert state.tasks["b"].known_retries == 2


def test_other_events_are_counted_and_ignored() -> None:
    state = ClusterState()
    state.observe(EventBatch((Event("my-event", WORKER, NOW),), NOW))
    state.observe(EventBatch((Event("worker-elect", WORKER, NOW),), NOW))
    assert state.totals.events == 2
    assert (state.tasks, state.workers) == ({}, {})


def test_versions_count_up_with_each_change() -> None:
    state = ClusterState()
    versions: list[Any] = []
    for fields in Script("a").received().started().succeeded().events:
        play([fields], state)
        versions.append(state.tasks["a"].version)
    assert versions == sorted(set(versions))


def replacing(worker: str = WORKER, **fields: Any) -> list[Fields]:
    """The events of a task that replaces itself, up to the receipt of its replacement."""
    script = Script("a").sent().received().started()
    return script.on(worker).received(name="shop.nap", args="(1,)", **fields).events


@pytest.mark.parametrize("worker", [WORKER, OTHER])
@pytest.mark.parametrize("lost", [False, True])
def test_a_replacement_is_not_redelivered(worker: str, lost: bool) -> None:
    events = replacing(worker)
    state = play(events[:-1])
    if lost:
        state.observe(InspectReply(WORKER, "active", [], NOW + 20))
        state.tick(NOW + 30)
        assert state.tasks["a"].loss == "unheard"
    play(events[-1:], state)
    task = state.tasks["a"]
    assert (task.state, task.name, task.worker) == ("RECEIVED", "shop.nap", worker)
    assert [attempt.state for attempt in task.attempts] == ["IGNORED"]
    assert task.extra is not None and task.extra.redelivered is None
    assert state.totals.corrections == {}
    assert state.types["shop.bill"].states == {}


def test_a_task_that_replaces_itself_with_other_arguments_is_not_redelivered() -> None:
    state = play(Script("a").received(args="(2,)").started().received(args="(1,)").events)
    assert state.totals.corrections == {}
    state = play(Script("a").received(args="(2,)").started().received(args="(2,)").events)
    assert state.totals.corrections == {"redelivered": 1}


def test_a_message_that_was_acknowledged_is_not_redelivered() -> None:
    script = Script("a").received().started().received()
    state = play(script.events[:2])
    item = {"id": "a", "name": "shop.bill", "time_start": NOW + 2, "acknowledged": True}
    state.observe(InspectReply(WORKER, "active", [item], NOW + 2.5))
    play(script.events[2:], state)
    assert state.totals.corrections == {}


def test_a_replacement_sent_to_another_queue_waits_there() -> None:
    route = {"queue": "nobody", "routing_key": "nobody"}
    events = Script("a").sent().received().started().sent(name="shop.nap", **route).events
    state = play(events)
    task = state.tasks["a"]
    assert (task.state, task.name, task.queue, task.worker) == (
        "PENDING", "shop.nap", "nobody", None,
    )  # fmt: skip
    assert task.elapsed(NOW + 99) is None
    assert state.workers[WORKER].active_ids == {}


def test_the_next_attempt_stays_scheduled_when_its_retry_is_reported() -> None:
    state = play(Script("a").received().started().events)
    state.observe(InspectReply(WORKER, "scheduled", [], NOW + 3))
    eta = "2033-05-18T03:33:20+00:00"
    play(Script("a", at=NOW + 3).received(1, eta=eta).retried().events, state)
    assert state.tasks["a"].state == "RETRY"
    assert list(state.workers[WORKER].scheduled_ids or ()) == ["a"]
    assert state.workers[WORKER].active_ids == {}
