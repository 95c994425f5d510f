"""Tasks from the history, before, between and after what events and results report."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
from celtop.model.entities.result import ResultMeta
from celtop.model.entities.states import source_names
from celtop.model.entities.task import Attempt, Task, TaskExtra
from celtop.model.observations import HistoryRead, InspectReply, ResultsRead
from celtop.model.query.task_view import TaskView
from celtop.model.state import ClusterState
from celtop.tests.model.ingest.tasks.events.test_task_events_against_celery_state import recount
from celtop.tests.model.streams import NOW, WORKER, Script, play


def known(*scripts: Script) -> list[Task]:
    """Return the tasks as an earlier celtop knew them and as they are read again."""
    state = ClusterState()
    for script in scripts:
        play(script.events, state)
    decoder = msgspec.json.Decoder(Task)
    return [decoder.decode(msgspec.json.encode(task)) for task in state.tasks.values()]


def failed(id_: str = "a", at: float = NOW) -> Script:
    return Script(id_, at).sent().received().started().failed()


def read(state: ClusterState, *tasks: Task, wanted: bool = False, unfinished: bool = False) -> None:
    state.observe(HistoryRead(tasks, NOW + 99, wanted, unfinished))


def fields(task: Task) -> dict[str, Any]:
    return {
        name: getattr(task, name)
        for name in task.__struct_fields__
        if name not in ("arrival", "version", "sources")
    }


def test_a_stored_task_is_held_as_it_was_known() -> None:
    state = ClusterState()
    [stored] = known(failed())
    read(state, stored)
    task = state.tasks["a"]
    assert fields(task) == fields(stored)
    assert source_names(task.sources) == ("history",)
    assert [(group.count, group.names) for group in state_failures(state)] == [
        (1, {"shop.bill": None})
    ]
    assert state.totals.failed == 0, "totals count the events of this run"
    recount(state)


def state_failures(state: ClusterState) -> list[Any]:
    state.take_changes()
    return list(state.failures)


def test_attempts_and_rare_fields_come_along_and_their_texts_are_counted() -> None:
    state = ClusterState()
    attempts = (Attempt(0, "RETRY", WORKER, exception="E()", traceback="tb"),)
    extra = TaskExtra(client="gen", fields={"step": "two"})
    read(state, Task("a", state="SUCCESS", name="n", attempts=attempts, extra=extra, result="1"))
    task = state.tasks["a"]
    assert (task.attempts, task.extra) == (attempts, extra)
    assert state.totals.text_bytes == task.text_bytes > 0


def test_later_events_continue_a_stored_task() -> None:
    state = ClusterState()
    script = Script("a").sent().received().started()
    [stored] = known(script)
    read(state, stored, unfinished=True)
    play(script.succeeded().events[-1:], state)
    task = state.tasks["a"]
    assert (task.state, task.started_at, task.runtime) == ("SUCCESS", stored.started_at, 0.5)
    assert source_names(task.sources) == ("event", "history")
    assert state.totals.succeeded == 1
    recount(state)


def test_what_events_report_stays_and_the_rest_is_filled_in() -> None:
    state = ClusterState()
    [stored] = known(failed())
    play(failed().events[-1:], state)
    before = copy.copy(state.tasks["a"])
    assert before.name is None
    read(state, stored)
    task = state.tasks["a"]
    assert (task.name, task.args, task.queue) == ("shop.bill", stored.args, "celery")
    assert (task.received_at, task.started_at) == (stored.received_at, stored.started_at)
    assert (task.state_at, task.exception) == (before.state_at, before.exception)
    recount(state)


def test_a_task_that_runs_again_does_not_get_the_end_of_its_earlier_run() -> None:
    state = ClusterState()
    play(Script("a", NOW + 50).received().started().events, state)
    read(state, *known(failed()))
    task = state.tasks["a"]
    assert (task.state, task.finished_at, task.exception) == ("STARTED", None, None)
    assert task.started_at == NOW + 52
    recount(state)


def test_a_result_read_later_agrees_with_the_stored_task() -> None:
    state = ClusterState()
    read(state, *known(failed()))
    meta = ResultMeta("a", "FAILURE", exception="Oops()", done_at=NOW + 4, name="shop.bill")
    state.observe(ResultsRead((meta,), NOW + 100, "history"))
    task = state.tasks["a"]
    assert source_names(task.sources) == ("backend", "history")
    assert (task.exception, task.finished_at) == ("Oops()", NOW + 4)
    recount(state)


def test_a_stored_task_is_replaced_by_its_newer_version_only() -> None:
    state = ClusterState()
    script = Script("a").sent().received().started()
    [running] = known(script)
    [ended] = known(script.succeeded())
    read(state, running)
    assert not state.tasks, "it may have ended unobserved"
    read(state, running, unfinished=True)
    read(state, ended)
    read(state, copy.copy(running))
    assert state.tasks["a"].state == "SUCCESS"
    recount(state)


def test_tasks_of_several_reads_are_listed_in_order_of_time() -> None:
    state = ClusterState()
    old, new, middle = known(failed("old"), failed("new", NOW + 90), failed("middle", NOW + 50))
    view = TaskView(state)
    read(state, new, old)
    read(state, middle, wanted=True)
    play(failed("live", NOW + 95).events, state)
    view.apply(state.take_changes(), NOW + 99)
    assert [task.id for task in view] == ["live", "new", "middle", "old"]


def test_a_full_store_takes_only_tasks_that_were_searched_for() -> None:
    state = ClusterState(max_tasks=20)
    for number in range(20):
        play(failed(f"live-{number}").events, state)
    first, second = known(failed("first"), failed("second"))
    read(state, first)
    read(state, second, wanted=True)
    assert "first" not in state.tasks
    assert "second" in state.tasks
    assert len(state.tasks) <= 20


def test_a_success_known_from_history_alone_is_the_first_to_be_evicted() -> None:
    state = ClusterState(max_tasks=20)
    read(state, *known(Script("stored").received().started().succeeded()))
    view = TaskView(state)
    for number in range(20):
        play(Script(f"live-{number}", NOW + 50).received().events, state)
    view.apply(state.take_changes(), NOW + 99)
    assert "stored" not in state.tasks
    assert [task.id for task in view] == [f"live-{number}" for number in reversed(range(20))]
    recount(state)


def test_run_times_of_the_last_hour_count_for_estimates() -> None:
    state = ClusterState()
    read(state, *known(Script("a").received().started().succeeded(runtime=2.0)))
    assert state.types["shop.bill"].runtime.count == 1


def follow(state: ClusterState, *tasks: Task, samples: tuple[float, ...] = ()) -> None:
    state.observe(HistoryRead(tasks, NOW + 99, live=True, samples=samples))


def test_what_a_collector_writes_is_counted_once() -> None:
    state, live = ClusterState(), ClusterState()
    scripts = (failed(), Script("b").sent().received().started().succeeded(), failed("c"))
    for each in (state, live):
        each.observe(InspectReply(WORKER, "active_queues", [{"name": "celery"}], NOW))
    for script in scripts:
        play(script.events, live)
    tasks = known(*scripts)
    follow(state, *tasks)
    follow(state, *tasks)
    for counter in ("received", "succeeded", "failed", "retried"):
        assert getattr(state.totals, counter) == getattr(live.totals, counter)
        assert getattr(state.types["shop.bill"], counter) == getattr(
            live.types["shop.bill"], counter
        )
    assert state.types["shop.bill"].exceptions == live.types["shop.bill"].exceptions
    assert state.rates.failed.total == 2
    assert state.queues["celery"].received.total == live.queues["celery"].received.total == 3
    assert state.observed
    assert list(state.tasks) == ["a", "b", "c"]
    recount(state)


def test_sampled_tasks_count_for_those_that_were_left_out() -> None:
    state = ClusterState()
    follow(state, *known(Script("b").sent().received().started().succeeded()), samples=(0.1,))
    assert state.totals.succeeded == state.totals.received == 10


def test_a_collector_ends_a_task_that_runs_by_a_reply() -> None:
    state = ClusterState()
    [running] = known(Script("a").sent().received().started())
    follow(state, running)
    [reply] = [InspectReply(WORKER, "active", [{"id": "a", "time_start": 1.0}], NOW + 1)]
    state.observe(reply)
    assert "a" in state.workers[WORKER].active_ids
    [ended] = known(Script("a").sent().received().started().succeeded())
    follow(state, ended)
    assert state.tasks["a"].state == "SUCCESS"
    assert not state.workers[WORKER].active_ids
    assert (state.totals.received, state.totals.succeeded) == (1, 1)


def test_what_ended_since_a_reply_does_not_run() -> None:
    state = ClusterState()
    active = [{"id": id_, "name": "shop.bill", "time_start": NOW} for id_ in ("a", "b")]
    state.observe(InspectReply(WORKER, "active", active, NOW + 1))
    [ended] = known(Script("a").sent().received().started().succeeded())
    [earlier] = known(Script("b", NOW - 60).sent().received().started().succeeded())
    read(state, ended, earlier)
    assert (state.tasks["a"].state, state.tasks["b"].state) == ("SUCCESS", "STARTED")
    assert list(state.workers[WORKER].active_ids) == ["b"]
    recount(state)
