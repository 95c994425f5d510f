"""The store is bounded by count and bytes, and its counters are always exact."""

from __future__ import annotations

import random
import sys

import msgspec
from celtop.model.entities.states import FINISHED
from celtop.model.entities.task import Task
from celtop.model.ingest.tasks.store.task_texts import MAX_SHARED_LENGTH
from celtop.model.ingest.tasks.store.task_types import MAX_TYPES
from celtop.model.state import ClusterState
from hypothesis import given, settings
from hypothesis import strategies as st

from ....streams import NOW, Fields, Script, play
from ..events.test_task_events_against_celery_state import LIVES


def recount(state: ClusterState) -> None:
    """Count everything from scratch and compare with the counters."""
    by_state: dict[str, int] = {}
    by_type: dict[str, dict[str, int]] = {}
    for task in state.tasks.values():
        by_state[task.state] = by_state.get(task.state, 0) + 1
        if task.name is not None:
            counts = by_type.setdefault(task.name, {})
            counts[task.state] = counts.get(task.state, 0) + 1
    assert state.totals.by_state == by_state
    assert {name: kind.states for name, kind in state.types.items() if kind.states} == by_type
    assert state.totals.text_bytes == sum(task.text_bytes for task in state.tasks.values())


def finished(name: str, at: float = NOW) -> list[Fields]:
    return Script(name, at=at).received().started().succeeded().events


def running(name: str, at: float = NOW) -> list[Fields]:
    return Script(name, at=at).received().started().events


def test_finished_tasks_are_evicted_first_oldest_first() -> None:
    state = ClusterState(max_tasks=4)
    for name in ("run-1", "run-2"):
        play(running(name), state)
    for name in ("end-1", "end-2"):
        play(finished(name), state)
    play(finished("end-3"), state)
    assert list(state.tasks) == ["run-1", "run-2", "end-2", "end-3"]
    play(running("run-3"), state)
    play(running("run-4"), state)
    assert list(state.tasks) == ["run-1", "run-2", "run-3", "run-4"]
    play(running("run-5"), state)
    assert list(state.tasks) == ["run-2", "run-3", "run-4", "run-5"]
    assert state.totals.evicted == 4
    recount(state)


def test_a_block_is_evicted_at_once() -> None:
    state = ClusterState(max_tasks=500)
    for number in range(501):
        play(finished(f"task-{number}"), state)
    assert len(state.tasks) == 495
    assert next(iter(state.tasks)) == "task-6"


def test_evictions_do_not_enlarge_the_store() -> None:
    state = ClusterState(max_tasks=100)
    for number in range(100):
        play(finished(f"task-{number}"), state)
    size = sys.getsizeof(state.tasks)
    for number in range(100, 1_000):
        play(finished(f"task-{number}"), state)
        assert sys.getsizeof(state.tasks) <= size
    assert list(state.tasks) == [f"task-{number}" for number in range(900, 1_000)]


def test_texts_are_bounded_in_bytes() -> None:
    state = ClusterState(max_text_bytes=20_000)
    for number in range(10):
        play(Script(f"task-{number}").received(args="x" * 5_000).succeeded().events, state)
        assert state.totals.text_bytes <= 20_000
        recount(state)
    assert list(state.tasks) == ["task-7", "task-8", "task-9"]
    play(Script("huge").received(args="x" * 50_000).events, state)
    assert state.totals.text_bytes <= 20_000
    recount(state)


def test_equal_texts_are_shared() -> None:
    state = ClusterState()
    for number in range(2):
        kwargs = "{'user': " + str(7 + 0 * number) + "}"
        long = "x" * (MAX_SHARED_LENGTH + 1)
        play(Script(f"task-{number}").received(args=long, kwargs=kwargs).events, state)
    one, other = state.tasks.values()
    assert one.kwargs is other.kwargs
    assert one.args == other.args
    assert one.args is not other.args
    recount(state)


def test_texts_of_attempts_and_of_custom_fields_count() -> None:
    script = Script("a").received().started()
    for number in range(1, 80):
        script.received(number).retried(traceback="t" * 100).started()
        script.progress(text="p" * 100, more="m" * number)
    state = play(script.events)
    assert len(state.tasks["a"].attempts) == 50
    recount(state)


@settings(max_examples=60)
@given(st.randoms(use_true_random=False), st.integers(1, 30), st.integers(0, 30_000))
def test_counters_are_exact_after_any_eviction(
    chance: random.Random, max_tasks: int, max_text_bytes: int
) -> None:
    state = ClusterState(max_tasks, max_text_bytes)
    events: list[Fields] = []
    for number in range(40):
        life = LIVES[chance.choice(sorted(LIVES))]
        script = Script(f"task-{number}", at=NOW + chance.uniform(0, 40))
        for fields in life(script).events:
            fields["name"] = chance.choice((None, "a", "b")) and fields.get("name")
            if fields.get("root_id"):
                fields["root_id"] = f"task-{chance.randrange(40)}"
            events.append(fields)
    events.sort(key=lambda fields: fields["timestamp"])
    for fields in events:
        play([fields], state)
        if chance.random() < 0.1:
            state.take_changes()
    recount(state)
    assert len(state.tasks) <= max_tasks
    assert state.totals.text_bytes <= max_text_bytes
    for task in state.tasks.values():
        assert all(other.id in state.tasks for other in state.related(task))


def test_changes_contain_new_and_evicted_tasks() -> None:
    state = ClusterState(max_tasks=2)
    play(finished("a"), state)
    changes = state.take_changes()
    assert (list(changes.tasks), changes.evicted, changes.other) == (["a"], [], True)
    again = state.take_changes()
    assert (again.tasks, again.evicted, again.other) == ({}, [], False)
    for name in ("b", "c", "d"):
        play(finished(name), state)
    changes = state.take_changes()
    assert list(changes.tasks) == ["c", "d"]
    # "b" came and went unseen: there is nothing to take off the screen.
    assert [task.id for task in changes.evicted] == ["a"]


def test_types_without_tasks_are_dropped_if_there_are_too_many() -> None:
    state = ClusterState(max_tasks=1)
    for number in range(MAX_TYPES + 10):
        play(Script(f"task-{number}").received(name=f"name-{number}").events, state)
    assert len(state.types) <= MAX_TYPES
    assert list(state.types)[-1] == f"name-{MAX_TYPES + 9}"
    recount(state)


def test_a_task_named_later_is_counted_under_its_name() -> None:
    events = Script("a").received().started().succeeded().events
    state = play(events[1:])
    assert state.types == {}
    play(events[:1], state)
    assert state.types["shop.bill"].states == {"SUCCESS": 1}


def test_equal_ids_are_shared() -> None:
    task = play(Script("a").received().events).tasks["a"]
    assert isinstance(task, Task)
    assert task.root_id is task.id
    assert task.state not in FINISHED


def test_the_size_of_a_text_is_the_same_after_an_export() -> None:
    """Python caches the UTF-8 of a text once it is encoded, which makes it larger."""
    state = ClusterState()
    script = Script("a").received(args="('żółw' * 2)" + "語" * 1000)
    play(script.events, state)
    task = state.tasks["a"]
    before = task.text_bytes
    msgspec.json.encode(task.args)
    assert task.text_bytes == before == state.totals.text_bytes
    play(Script("a").received(args="()").events, state)
    recount(state)
