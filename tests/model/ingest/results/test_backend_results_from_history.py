"""Tasks that were read from the result backend before any event of theirs."""

from __future__ import annotations

import pytest
from celtop.model.entities.result import ResultMeta
from celtop.model.observations import ResultsRead
from celtop.model.query.task_view import TaskView
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch
from celtop.tests.model.ingest.results.test_backend_results import seen
from celtop.tests.model.ingest.tasks.events.test_task_events_against_celery_state import (
    recount,
)
from celtop.tests.model.streams import NOW, WORKER, Script, play


def test_tasks_from_history_are_evicted_first() -> None:
    state = ClusterState(max_tasks=40)
    for number in range(20):
        seen(state, "SUCCESS", f"old-{number}", source="history", done_at=NOW - number)
    assert len(state.tasks) == 20
    assert state.tasks["old-3"].finished_at == NOW - 3
    for number in range(30):
        play(Script(f"new-{number}").received().started().succeeded().events, state)
    assert all(f"new-{number}" in state.tasks for number in range(30))
    while len(state.tasks) < 40:
        play(Script(f"more-{len(state.tasks)}").sent().events, state)
    assert seen(state, "SUCCESS", "late", source="history") is None
    assert seen(state, "SUCCESS", "wanted", source="lookup").finished
    state.tick(NOW + 60)
    assert state.totals.corrected == 0
    assert recount(state)[0] == state.totals.by_state


@pytest.mark.parametrize("told_first", [True, False])
def test_tasks_from_history_come_after_live_tasks_newest_first(told_first: bool) -> None:
    state = ClusterState()
    play(Script("live-1").received().started().events, state)
    view = TaskView(state)
    state.take_changes()
    for number in range(3):
        seen(state, "SUCCESS", f"old-{number}", source="history", done_at=NOW - number)
    seen(state, "STARTED", "runs", source="history")
    play(Script("live-2").received().started().events, state)
    if told_first:
        view.apply(state.take_changes(), NOW)
    else:
        view = TaskView(state)
    assert [task.id for task in view] == ["live-2", "runs", "live-1", "old-0", "old-1", "old-2"]
    assert [view.index(task.id) for task in view] == list(range(6))


def test_the_oldest_tasks_from_history_are_evicted_first() -> None:
    state = ClusterState(max_tasks=4)
    for number in range(3):
        seen(state, "SUCCESS", f"old-{number}", source="history", done_at=NOW - number)
    view = TaskView(state)
    state.take_changes()
    seen(state, "SUCCESS", "old-3", source="history", done_at=NOW - 3)
    play(Script("live").received().started().events, state)
    changes = state.take_changes()
    assert [task.id for task in changes.evicted] == []
    view.apply(changes, NOW)
    assert [task.id for task in view] == ["live", "old-0", "old-1", "old-2"]
    play(Script("more").received().started().events, state)
    changes = state.take_changes()
    assert [task.id for task in changes.evicted] == ["old-2"]
    view.apply(changes, NOW)
    assert [task.id for task in view] == ["more", "live", "old-0", "old-1"]


def test_a_task_from_history_has_its_times() -> None:
    state = ClusterState()
    meta = ResultMeta(
        "old", "SUCCESS", name="geo.resize", created_at=NOW - 200, started_at=NOW - 180,
        done_at=NOW - 100, periodic_task_name="Nightly maps",
    )  # fmt: skip
    for _ in range(2):  # a second connection reads the history again
        state.observe(ResultsRead((meta,), NOW, "history"))
    task = state.tasks["old"]
    assert (task.started_at, task.finished_at, task.elapsed(NOW)) == (NOW - 180, NOW - 100, 80.0)
    assert task.extra is not None
    assert (task.extra.created_at, task.extra.periodic_task_name) == (NOW - 200, "Nightly maps")
    assert state.types["geo.resize"].runtime.count == 1


def test_tasks_that_a_filter_finds_are_held_even_if_memory_is_full() -> None:
    state = ClusterState(max_tasks=100)
    live = [Event("task-succeeded", WORKER, NOW, uuid=f"live-{number}") for number in range(200)]
    state.observe(EventBatch(tuple(live), NOW))
    old = tuple(ResultMeta(f"old-{number}", "SUCCESS", done_at=NOW - 9e6) for number in range(20))
    state.observe(ResultsRead(old, NOW, "search"))
    assert all(meta.id in state.tasks for meta in old)
    assert len(state.tasks) <= 100
