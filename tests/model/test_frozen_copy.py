"""No observation changes a frozen copy of the state."""

from __future__ import annotations

import re
from collections import deque
from types import FunctionType, MappingProxyType, MethodType

import msgspec
from celtop.export.snapshot.snapshot import take_snapshot
from celtop.model.entities.task import Task
from celtop.model.frozen_copy import frozen_copy
from celtop.model.ingest.operation_log import OperationLog
from celtop.model.ingest.results.backend_results import BackendResults
from celtop.model.ingest.tasks.store.retention import Retention
from celtop.model.observations import InspectReply, LogMessage, QueueMeasured
from celtop.model.state import ClusterState
from celtop.tests.tui.fake_session import NOW, cluster, feed, task_events

UNCHANGING = (
    *(str, int, float, type(None), tuple, frozenset, type),
    *(FunctionType, MethodType, MappingProxyType, re.Pattern),
    *(Retention, OperationLog, BackendResults),
)
"""What never changes, and what only applies observations."""
REPLACED = {"stats", "_retain", "_unscanned"}
"""Attributes that get another value instead of being changed, or are for writers only."""


def document(state: ClusterState) -> bytes:
    return msgspec.json.encode(take_snapshot(state, NOW))


def details(state: ClusterState) -> list[object]:
    """Return what a snapshot lacks."""
    task = state.tasks[next(iter(state.tasks))]
    return [
        list(state.log),
        {name: worker.active_ids.copy() for name, worker in state.workers.items()},
        {group.id: (group.count, group.trend.series(NOW)) for group in state.failures},
        {name: list(queue.history) for name, queue in state.queues.items()},
        {name: kind.runtime.quantile(0.95) for name, kind in state.types.items()},
        state.rates.succeeded.series(NOW, 600),
        str(state.series.cluster.window("succeeded", state.series.newest, 720)),
        {name: one.series.newest for name, one in state.series.queues.items()},
        list(state.series.marks),
        [one.id for one in state.related(task)],
        dict(state.kept_since),
        state.present_workers(NOW),
    ]


def parts(state: object) -> dict[int, object]:
    """Return everything below a value that may be changed, by `id`."""
    found: dict[int, object] = {}
    pending = [state]
    while pending:
        value = pending.pop()
        if id(value) in found or isinstance(value, UNCHANGING):
            continue
        if isinstance(value, msgspec.Struct) and value.__struct_config__.frozen:
            continue
        found[id(value)] = value
        if isinstance(value, dict):
            pending += value.values()
        elif isinstance(value, list | deque):
            pending += value
        names = (*getattr(type(value), "__slots__", ()), *getattr(value, "__dict__", ()))
        names = value.__struct_fields__ if isinstance(value, msgspec.Struct) else names
        pending += [getattr(value, name) for name in names if name not in REPLACED]
    return found


def more_of_everything(state: ClusterState) -> None:
    for number in range(8_000, 8_100):
        feed(state, task_events(number, "mail.send", at=NOW - 3, root_id="root"))
        feed(state, task_events(number, "new.type", worker="new@w", queue="new", at=NOW - 2))
        feed(state, task_events(number + 500, "mail.send", end="failed", exception="E()", at=NOW))
    state.observe(QueueMeasured("celery", NOW, 99_999))
    state.observe(QueueMeasured("another", NOW, 1))
    state.observe(LogMessage("info", "broker", "later", NOW))
    state.observe(InspectReply("celery@web-1", "active", [], NOW))
    state.tick(NOW + 90)
    state.take_changes()


def test_it_shares_nothing_that_changes() -> None:
    state = cluster(30)
    state.take_changes()
    copied = parts(frozen_copy(state))
    shared = {type(value).__name__ for key, value in parts(state).items() if key in copied}
    assert shared == set()


def test_a_frozen_copy_shows_the_same() -> None:
    state = cluster(60)
    state.take_changes()
    copy = frozen_copy(state)
    assert document(copy) == document(state)
    assert details(copy) == details(state)


def test_no_observation_changes_it() -> None:
    state = cluster(60)
    state.take_changes()
    copy = frozen_copy(state)
    before, more = document(copy), details(copy)
    more_of_everything(state)
    assert document(copy) == before
    assert details(copy) == more
    assert document(state) != before


def test_it_holds_one_copy_of_each_task() -> None:
    state = cluster(10)
    feed(state, task_events(700, "shop.pay", at=NOW - 2, root_id="r", uuid="child"))
    feed(state, task_events(701, "shop.order", at=NOW - 2, uuid="r"))
    copy = frozen_copy(state)
    task = copy.tasks["child"]
    assert isinstance(task, Task)
    assert task is not state.tasks["child"]
    assert copy.family("r")["child"] is task
    assert copy.related(copy.tasks["r"]) == [task]
