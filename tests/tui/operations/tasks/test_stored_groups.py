"""Groups of failures of which the history has more tasks than memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from celtop.history.reading.failure_groups import StoredGroup
from celtop.model.entities.states import FAILURE, RETRY
from celtop.model.ingest.tasks.failure_groups import FailureGroup
from celtop.tui.operations.tasks import retry as retrying
from celtop.tui.operations.tasks import stored_groups as module
from celtop.tui.operations.tasks.stored_groups import ids_of_groups, stored_groups


def group(tasks: Mapping[str, float | None], count: int | None = None) -> Any:
    """Return a group; with a count, one of the history."""
    if count is None:
        return FailureGroup("KeyError", "app.py:1", tasks=dict(tasks))
    return SimpleNamespace(tasks=tasks, count=count)


def host(groups: Sequence[Any], states: Mapping[str, str]) -> Any:
    """Return a host with selected groups and the tasks that are in memory."""
    tasks = {id_: SimpleNamespace(id=id_, state=state) for id_, state in states.items()}
    return SimpleNamespace(
        selection=lambda kind: groups if kind is FailureGroup else [],
        context=SimpleNamespace(live=SimpleNamespace(tasks=tasks)),
    )


def test_groups_in_memory_are_kept_beside_those_that_are_not() -> None:
    groups = [group({"a": 1.0}), group({"b": 2.0}, 5)]
    assert stored_groups(host(groups, {})) == groups
    assert stored_groups(host(groups[:1], {})) == []


async def test_tasks_that_their_worker_retries_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[list[str], tuple[str, ...]]] = []

    async def found(*_: object) -> tuple[list[str], int]:
        return ["a", "b", "c"], 0

    async def retried(_: object, ids: list[str], left_out: tuple[str, ...]) -> None:
        asked.append((ids, left_out))

    monkeypatch.setattr(retrying, "ids_of_groups", found)
    monkeypatch.setattr(retrying, "retry_ids", retried)
    await retrying.retry(host([group({}, 3)], {"a": FAILURE, "b": RETRY}))
    assert asked == [(["a", "c"], ("waiting to be retried by its worker",))]


async def test_the_tasks_of_the_window_of_a_group_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[tuple[float, float]] = []

    class Stored:
        def failed(self, failure: str, start: float, end: float, limit: int) -> None:
            read.append((start, end))

    async def answered(*_: object) -> tuple[str, ...]:
        return ("a",)

    monkeypatch.setattr(module, "wait_for", answered)
    asking = host([], {"a": FAILURE})
    asking.context.now = lambda: 1_000.0
    asking.context.chart_seconds = 300
    asking.context.session = SimpleNamespace(history=SimpleNamespace(stored=Stored()))
    stored = StoredGroup("KeyError", "app.py:1", stored=3, start=100.0, end=200.0)
    assert await ids_of_groups(asking, [stored, group({"a": 999.0})]) == (["a"], 0)
    assert read == [(100.0, 200.0), (700.0, 1_001.0)]
