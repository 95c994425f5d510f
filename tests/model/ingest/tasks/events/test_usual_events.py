"""The usual events of a task have the same effect as without their shorter way."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from celtop.model.entities.states import RECEIVED, STARTED, SUCCESS
from celtop.model.ingest.tasks.events.usual_events import UsualEvents
from celtop.model.ingest.tasks.store import task_types
from celtop.model.state import ClusterState

from ....streams import NOW, OTHER, WORKER, Fields, Script, decode_fields, play

HANDLERS = ("received", "started", "succeeded")
VERSIONS = frozenset({"version", "offsets", "clock_skew"})


def without_short_way(events: list[Fields], patch: pytest.MonkeyPatch) -> ClusterState:
    with patch.context() as inner:
        for name in HANDLERS:
            inner.setattr(UsualEvents, name, lambda *_: False)
        return play(events)


def play_together(events: list[Fields], rng: random.Random) -> ClusterState:
    """Apply several events at a time, which are counted together."""
    state, rest = ClusterState(), events
    while rest:
        size = rng.randint(1, 40)
        state.observe(decode_fields(rest[:size]))
        rest = rest[size:]
    return state


def described(state: ClusterState) -> dict[str, Any]:
    """All that events have set, except for versions and measured clocks."""
    return {
        "tasks": {id_: _fields(task) for id_, task in state.tasks.items()},
        "totals": _fields(state.totals),
        "types": {
            name: _fields(kind)
            | {part: _slots(getattr(kind, part)) for part in ("runtime", "wait")}
            for name, kind in state.types.items()
        },
        "workers": {name: _fields(worker) for name, worker in state.workers.items()},
        "family": {
            id_: sorted(each.id for each in state.related(task))
            for id_, task in state.tasks.items()
        },
    }


def _fields(struct: msgspec.Struct) -> dict[str, Any]:
    fields = msgspec.structs.asdict(struct)
    for name in ("runtime", "wait", "loaded_runtime"):
        if hasattr(fields.get(name), "buckets"):
            del fields[name]
    return {name: value for name, value in fields.items() if name not in VERSIONS}


def _slots(distribution: Any) -> tuple[Any, ...]:
    return (
        distribution.buckets(),
        distribution.count,
        round(distribution.total, 6),
        distribution.max,
    )


def life(rng: random.Random, number: int) -> list[Fields]:
    """The events of one task, which succeeds at once in most cases."""
    script = Script(f"task-{number}", at=NOW + rng.random() * 20, step=rng.choice((0.001, 0.4)))
    script.on(rng.choice((WORKER, OTHER)))
    family: Fields = rng.choice(({}, {"root_id": "task-0", "parent_id": "task-0"}))
    family = {**family, "name": rng.choice(("shop.bill", "shop.ship"))}
    if rng.random() < 0.3:
        script.sent(**family)
    more: Fields = {"eta": "2023-11-14T22:14:00+00:00"} if rng.random() < 0.1 else {}
    script.received(**family, **more)
    if rng.random() < 0.2:
        script.started().retried().received(retries=1, **family)
    script.started()
    end = rng.random()
    if end < 0.6:
        script.succeeded(result=rng.choice(("1", "x" * 5_000)))
    elif end < 0.8:
        script.failed()
    elif end < 0.9:
        script.revoked(terminated=True).succeeded()
    if rng.random() < 0.1:
        script.received().started().succeeded()
    return script.events


@pytest.mark.parametrize("seed", range(12))
def test_any_stream_has_the_same_effect(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    events = [event for number in range(60) for event in life(rng, number)]
    events.sort(key=lambda event: event["timestamp"] + (rng.random() if seed % 3 == 2 else 0.0))
    if seed % 3 == 1:
        rng.shuffle(events)
    expected = described(without_short_way(events, monkeypatch))
    assert described(play(events)) == expected
    assert described(play_together(events, rng)) == expected


def test_a_type_stays_if_the_only_task_of_it_came_just_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_types, "MAX_TYPES", 3)  # two, and all others together
    state = play(Script("one").received(name="shop.bill").events)
    later = Script("two").received(name="shop.bill").events
    later += Script("one", NOW + 1).received(name="shop.ship").events
    later += Script("three").received(name="shop.post").events
    state.observe(decode_fields(later))
    assert {name: kind.held for name, kind in state.types.items()} == {
        **{"shop.bill": 1, "shop.ship": 1},
        task_types.OTHER_TYPE: 1,
    }


def test_a_type_stays_if_a_task_of_it_comes_after_the_last_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(task_types, "MAX_TYPES", 3)
    state = play(Script("one").received(name="shop.bill").events)
    play(Script("one", NOW + 1).received(name="shop.ship").events, state)
    play(Script("two").received(name="shop.bill").events, state)
    play(Script("three").received(name="shop.post").events, state)
    assert "shop.bill" in state.types and "shop.post" not in state.types


@pytest.mark.parametrize("before", [1, 2])
def test_a_task_that_was_lost_goes_on_as_others_do(
    before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def succeeded() -> ClusterState:
        events = Script("one").received().started().succeeded().events
        state = play(Script("held").received().events + events[:before])
        state._tasks.mark_lost(state.tasks["one"], NOW, "worker")
        return play(events[before:], state)

    with monkeypatch.context() as patch:
        for name in HANDLERS:
            patch.setattr(UsualEvents, name, lambda *_: False)
        expected = described(succeeded())
    state = succeeded()
    assert state.tasks["one"].lost_at is None and described(state) == expected


def test_a_usual_life_takes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[tuple[str, bool]] = []
    for name in HANDLERS:
        usual = getattr(UsualEvents, name)

        def noted(*given: Any, usual: Any = usual, name: str = name) -> bool:
            taken.append((name, usual(*given)))
            return bool(taken[-1][1])

        monkeypatch.setattr(UsualEvents, name, noted)
    state = ClusterState()
    play(Script("held").received().events, state)
    assert taken == [("received", False)], "its type is new"
    taken.clear()
    task_type, seen_at = state.types["shop.bill"], []
    for at, event in enumerate(Script("one").received().started().succeeded().events):
        version = task_type.version
        play([event], state, NOW + at)
        assert task_type.version == version + 1
        seen_at.append(task_type.last_at)
    assert taken == [(name, True) for name in HANDLERS]
    assert seen_at == [NOW, NOW, NOW + 2], "a start is not an end"
    task = state.tasks["one"]
    assert (task.state, task.version, task.runtime) == (SUCCESS, 3, 0.5)
    assert state.totals.by_state == {RECEIVED: 1, SUCCESS: 1}
    assert STARTED not in state.types["shop.bill"].states
