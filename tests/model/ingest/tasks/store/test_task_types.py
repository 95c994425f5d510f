"""Task types are bounded; further names count as one type."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from celtop.model.ingest.tasks.store import task_types
from celtop.model.ingest.tasks.store.task_types import OTHER_TYPE, TaskTypes
from celtop.model.state import ClusterState

from ....streams import Script, play


@pytest.fixture(autouse=True)
def few_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_types, "MAX_TYPES", 5)


def test_names_without_room_count_as_another_type() -> None:
    state = ClusterState()
    for number in range(20):
        script = Script(f"task-{number}").received(name=f"name-{number}").started()
        play(script.succeeded().events, state)
    assert list(state.types) == ["name-0", "name-1", "name-2", "name-3", OTHER_TYPE]
    other = state.types[OTHER_TYPE]
    assert (other.held, other.received, other.succeeded, other.runtime.count) == (16, 16, 16, 16)
    assert state.types["name-19"] is other
    assert state.tasks["task-19"].name == "name-19"


def test_types_without_tasks_make_room() -> None:
    state = ClusterState(max_tasks=1)
    for number in range(20):
        play(Script(f"task-{number}").received(name=f"name-{number}").events, state)
    assert list(state.types)[-1] == "name-19"
    assert OTHER_TYPE not in state.types


def test_an_unknown_name_is_not_another_type() -> None:
    with pytest.raises(KeyError):
        TaskTypes()["never.seen"]


def test_counts_are_exact_while_names_come_and_go() -> None:
    chance = random.Random(1)
    types = TaskTypes()
    held: list[tuple[str, str]] = []
    for _ in range(5_000):
        if held and chance.random() < 0.49:
            types.leave(*held.pop(chance.randrange(len(held))))
        else:
            name = chance.choice((OTHER_TYPE, *(f"name-{number}" for number in range(12))))
            held.append((name, chance.choice(("STARTED", "SUCCESS"))))
            assert types.join(*held[-1]) == name
        assert len(types) <= 5
        counts = Counter((types[name].name, state) for name, state in held)
        assert counts == {
            (kind.name, state): count
            for kind in types.values()
            for state, count in kind.states.items()
        }
