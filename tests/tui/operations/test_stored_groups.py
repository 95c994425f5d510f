"""Groups of failures of which the history has more tasks than memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from celtop.model.entities.states import FAILURE, RETRY
from celtop.model.ingest.tasks.failure_groups import FailureGroup
from celtop.tui.operations import retry as retrying
from celtop.tui.operations.stored_groups import stored_groups


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
