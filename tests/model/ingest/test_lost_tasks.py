"""Which tasks are lost, why, and whether the broker redelivers them."""

from __future__ import annotations

import pytest
from celtop.model.entities.task import Task, TaskExtra
from celtop.model.entities.worker import Worker
from celtop.model.ingest.lost_tasks import VISIBILITY_TIMEOUT, loss_text, redelivery
from celtop.model.query.language import parse_query
from celtop.model.query.task_view import TaskView
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW, Script, play


def lost(loss: str = "worker", acknowledged: bool | None = False) -> Task:
    extra = TaskExtra(loss=loss, acknowledged=acknowledged)  # type: ignore[arg-type]
    return Task(
        "a", state="STARTED", worker="w1@box", received_at=NOW, lost_at=NOW + 9, extra=extra
    )


def test_the_text_states_why_a_task_is_lost() -> None:
    assert loss_text(lost("worker")) == "lost with w1@box"
    assert loss_text(lost("unheard")) == "no final event received"
    assert loss_text(lost("unknown")) == "unknown to workers and backend"


def test_redis_redelivers_after_the_visibility_timeout() -> None:
    worker = Worker("w1@box")
    assert redelivery(lost(), worker, "redis", {}) == NOW + VISIBILITY_TIMEOUT
    worker.conf = {"broker_transport_options": {"visibility_timeout": 90}}
    assert redelivery(lost(), worker, "rediss", {}) == NOW + 90
    assert redelivery(lost(), worker, "redis", {"visibility_timeout": 60}) == NOW + 60
    assert redelivery(lost(), None, "sentinel", {}) == NOW + VISIBILITY_TIMEOUT


@pytest.mark.parametrize("transport", ["redis", "amqp", "memory"])
def test_acknowledged_tasks_are_not_redelivered(transport: str) -> None:
    assert redelivery(lost(acknowledged=True), None, transport, {}) is False
    assert redelivery(lost(acknowledged=None), None, transport, {}) is False
    assert redelivery(lost("unheard"), None, transport, {}) is False


def test_rabbitmq_redelivers_at_once() -> None:
    assert redelivery(lost(), None, "amqp", {}) is True
    assert redelivery(lost(), None, "memory", {}) is False


def test_lost_tasks_are_listed_while_lost_and_are_faulty() -> None:
    state = play(Script("a").received().started().events)
    play(Script("b").received().started().events, state)
    view = TaskView(state, parse_query(""), faults_only=True)
    state.take_changes()
    task = state.tasks["a"]
    state._tasks.mark_lost(task, NOW + 30, "unheard")
    view.apply(state.take_changes(), NOW + 30)
    assert list(state.lost) == ["a"]
    assert [row.id for row in view] == ["a"]
    play(Script("a").received().started().succeeded().events[-1:], state)
    view.apply(state.take_changes(), NOW + 40)
    assert not state.lost
    assert len(view) == 0


def test_an_evicted_task_is_no_longer_listed_as_lost() -> None:
    state = ClusterState(max_tasks=1)
    play(Script("a").received().started().events, state)
    state._tasks.mark_lost(state.tasks["a"], NOW + 30, "unheard")
    state.take_changes()
    assert list(state.lost) == ["a"]
    play(Script("b").received().started().events, state)
    state.take_changes()
    assert not state.lost
