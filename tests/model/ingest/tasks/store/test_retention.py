"""Plain successes make room first; every other kind of task keeps its budget."""

from __future__ import annotations

import random

import pytest
from celtop.model.entities.limits.keep import KINDS, Kind
from celtop.model.ingest.tasks.store.task_texts import LONG_TEXT
from celtop.model.observations import ConnectionChanged, EventsDropped, FailuresKnown
from celtop.model.query.language import parse_query
from celtop.model.query.task_view import TaskView
from celtop.model.state import ClusterState
from hypothesis import given, settings
from hypothesis import strategies as st

from ....streams import NOW, Fields, Script, play


def life(kind: Kind, id_: str, at: float = NOW) -> list[Fields]:
    """Return the events of a task that ends as one of a kind."""
    script = Script(id_, at=at, step=0.001).received()
    match kind:
        case "waiting":
            pass
        case "running" | "lost" | "marked":
            script.started()
        case "failed":
            script.started().failed()
        case "retried":
            script.started().retried().received(1).started().succeeded()
        case "revoked":
            script.revoked()
        case "slow":
            script.started().succeeded(runtime=100.0)
        case "succeeded":
            script.started().succeeded()
    return script.events


def flood(state: ClusterState, tasks: int, at: float = NOW + 100) -> None:
    for number in range(tasks):
        play(life("succeeded", f"plain-{number}", at + number * 0.001), state)


def held(state: ClusterState, prefix: str) -> list[str]:
    return [id_ for id_ in state.tasks if id_.startswith(prefix)]


def test_no_failure_is_lost_to_successes() -> None:
    state = ClusterState(max_tasks=200)
    for number in range(20):
        play(life("failed", f"failed-{number}"), state)
    flood(state, 600)
    assert len(held(state, "failed")) == 20
    assert len(state.tasks) <= 200
    assert len(TaskView(state, parse_query("state:failure"), now=NOW)) == 20
    assert sum(group.count for group in state.failures) == 0  # until the next frame
    state.take_changes()
    assert [group.count for group in state.failures] == [20]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "succeeded"])
def test_every_kind_outlives_any_number_of_plain_successes(kind: Kind) -> None:
    state = ClusterState(max_tasks=300)
    flood(state, 600, NOW)
    for number in range(5):
        play(life(kind, f"kept-{number}", NOW + 50), state)
        if kind == "lost":
            state._tasks.mark_lost(state.tasks[f"kept-{number}"], NOW + 60, "unheard")
    if kind == "marked":
        state.protect(held(state, "kept"))
    flood(state, 900)
    kept = [state.tasks[id_] for id_ in held(state, "kept")]
    assert [state._tasks.retention.kind_of(task) for task in kept] == [kind] * 5


@pytest.mark.parametrize("kind", ["failed", "revoked", "retried", "waiting", "running", "slow"])
def test_no_kind_takes_the_budget_of_another(kind: Kind) -> None:
    state = ClusterState(max_tasks=1_000)
    flood(state, 200, NOW)
    for number in range(40):
        for other in ("failed", "running", "waiting"):
            play(life(other, f"kept-{other}-{number}", NOW + 50), state)
    for number in range(3_000):
        play(life(kind, f"many-{number}", NOW + 100 + number), state)
    assert len(state.tasks) <= 1_000
    for other in ("failed", "running", "waiting"):
        if other != kind:
            assert len(held(state, f"kept-{other}")) == 40
    many = held(state, "many")
    assert len(many) > 400  # room that no other kind needs is used
    assert many[-1] == "many-2999"
    assert many == [f"many-{number}" for number in range(3_000 - len(many), 3_000)]


def test_a_task_that_has_become_a_plain_success_makes_room_first() -> None:
    state = ClusterState(max_tasks=100)
    for number in range(30):
        play(life("running", f"runs-{number}"), state)
    flood(state, 200)
    assert len(held(state, "runs")) == 30
    for number in range(30):
        script = Script(f"runs-{number}", at=NOW + 50)
        play(script.succeeded().events, state)
    assert len(held(state, "runs")) == 30
    flood(state, 20, NOW + 400)
    state.take_changes()
    flood(state, 40, NOW + 500)
    assert held(state, "runs") == []


def test_an_unmarked_task_is_no_longer_protected() -> None:
    state = ClusterState(max_tasks=100)
    flood(state, 50)
    state.protect(["plain-3", "plain-7", "not held"])
    for at in (NOW + 200, NOW + 300):
        for number in range(300):
            play(life("succeeded", f"more-{number}", at), state)
    assert held(state, "plain") == ["plain-3", "plain-7"]
    state.protect(["plain-7"])
    for number in range(100):
        play(life("succeeded", f"last-{number}", NOW + 400), state)
    assert held(state, "plain") == ["plain-7"]


def test_budgets_are_guaranteed_as_set() -> None:
    keep = {"failed": 10, "waiting": 60}
    state = ClusterState(max_tasks=100, keep=keep)
    for number in range(300):
        play(life("failed", f"failed-{number}"), state)
        play(life("waiting", f"waits-{number}"), state)
    assert len(held(state, "waits")) >= 60
    assert 10 <= len(held(state, "failed")) < 30


def test_since_when_all_tasks_of_a_kind_are_held() -> None:
    state = ClusterState(max_tasks=100)
    play(life("failed", "failed"), state)
    flood(state, 50)
    assert not state.kept_since
    flood(state, 200, NOW + 300)
    assert set(state.kept_since) == {"succeeded"}
    since = state.kept_since["succeeded"]
    ended = sorted(task.finished_at or 0.0 for task in state.tasks.values())
    assert ended[0] < since < ended[1]  # the failure is older


def test_since_when_all_failures_are_held() -> None:
    state = ClusterState(max_tasks=100, keep={"failed": 10})
    assert state.failures_since is None
    play(life("failed", "first"), state)
    assert state.failures_since == state.totals.first_event_at
    for number in range(300):
        play(life("failed", f"failed-{number}", NOW + number), state)
    assert state.failures_since == state.kept_since["failed"] > NOW + 100
    state.observe(FailuresKnown({}, NOW, NOW - 3_000))
    assert state.failures_since == state.kept_since["failed"]
    state = ClusterState()
    play(life("failed", "first"), state)
    state.observe(FailuresKnown({}, NOW, NOW - 3_000))
    assert state.failures_since == NOW - 3_000, "the earlier ones were read"


def test_failures_may_be_missing_from_before_events_were_missed() -> None:
    state = play(life("failed", "first"))
    for at, phase in ((0, "live"), (10, "lost"), (300, "live")):
        state.observe(ConnectionChanged(phase, NOW + at))  # type: ignore[arg-type]
        assert state.failures_since == (NOW + 300 if at == 300 else state.totals.first_event_at)
    state.observe(FailuresKnown({}, NOW + 301, NOW - 3_000))
    assert state.failures_since == NOW + 300, "read before the connection was lost"
    state.observe(EventsDropped(others=0, heartbeats=5, at=NOW + 400))
    assert state.failures_since == NOW + 300, "heartbeats do not count"
    state.observe(EventsDropped(others=1, heartbeats=0, at=NOW + 500))
    assert state.failures_since == NOW + 500


def test_long_tracebacks_are_shortened_before_a_failure_is_evicted() -> None:
    state = ClusterState(max_text_bytes=400_000)
    for number in range(80):
        frames = f'  File "app.py", line {number}, in run\n' * 400
        script = Script(f"failed-{number}").received().started()
        play(script.failed(traceback=f"Traceback:\n{frames}Oops: {number}").events, state)
    assert len(state.tasks) == 80
    assert state.totals.text_bytes <= 400_000
    first, last = state.tasks["failed-0"], state.tasks["failed-79"]
    assert first.traceback is not None
    assert last.traceback is not None
    assert len(first.traceback) <= LONG_TEXT < len(last.traceback)
    assert first.traceback.startswith("Traceback:\n")
    assert first.traceback.endswith("Oops: 0")
    assert "characters]" in first.traceback
    assert state.totals.text_bytes == sum(task.text_bytes for task in state.tasks.values())


def test_tasks_without_much_text_do_not_make_room_for_text() -> None:
    state = ClusterState(max_text_bytes=200_000)
    for number in range(20):
        play(life("failed", f"failed-{number}"), state)
    for number in range(100):
        play(Script(f"waits-{number}").received(args="x" * 10_000).events, state)
    assert len(held(state, "failed")) == 20
    assert len(held(state, "waits")) >= 15


@settings(max_examples=40)
@given(st.integers(), st.integers(1, 60), st.integers(2_000, 30_000))
def test_what_follows_the_held_tasks_does_not_drift(
    seed: int, max_tasks: int, max_text_bytes: int
) -> None:
    chance = random.Random(seed)
    state = ClusterState(max_tasks, max_text_bytes)
    events: list[Fields] = []
    for number in range(80):
        at = NOW + chance.uniform(0, 40)
        events += life(chance.choice(KINDS), f"task-{number}", at)
    events.sort(key=lambda fields: fields["timestamp"])
    for fields in events:
        play([fields], state)
        if chance.random() < 0.1:
            state.protect(chance.sample(sorted(state.tasks), min(3, len(state.tasks))))
        if chance.random() < 0.1 and state.tasks:
            task = state.tasks[chance.choice(sorted(state.tasks))]
            if task.running:
                state._tasks.mark_lost(task, NOW + 60, "unheard")
        if chance.random() < 0.2:
            state.take_changes()
    state.take_changes()
    assert len(state.tasks) <= max_tasks
    assert state.totals.text_bytes <= max_text_bytes
    failing = {task.id for task in state.tasks.values() if task.state in ("FAILURE", "RETRY")}
    grouped = [id_ for group in state.failures for id_ in group.tasks]
    assert sorted(grouped) == sorted(failing)
    assert set(state.lost) == {task.id for task in state.tasks.values() if task.lost_at is not None}
    retention = state._tasks.retention
    aside = [task for tasks in retention._aside.values() for task in tasks.values()]
    waiting_in_line = [*retention._new, *retention._history, *aside]
    assert sorted(task.id for task in waiting_in_line) == sorted(state.tasks)
    assert {task.id for task in aside} == set(retention._kind_aside)
    assert set(state._tasks.texts._long) <= set(state.tasks)
