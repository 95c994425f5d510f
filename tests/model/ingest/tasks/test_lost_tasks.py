"""Which tasks are lost, why, and whether the broker redelivers them."""

from __future__ import annotations

import pytest
from celtop.lists.task_types import running_count, waiting_count
from celtop.model.confirm.dispatch import confirm
from celtop.model.entities.broker import Broker
from celtop.model.entities.task import Task, TaskExtra
from celtop.model.entities.task_type import TaskType
from celtop.model.entities.worker import Worker
from celtop.model.health.findings import findings
from celtop.model.ingest.queues.visibility_timeout import VISIBILITY_TIMEOUT
from celtop.model.ingest.tasks.lost_tasks import (
    loss_text,
    redelivery_at,
    redelivery_text,
)
from celtop.model.observations import (
    ConnectionChanged,
    ConnectionProved,
    InspectReply,
    UnackedMessage,
    UnackedRead,
)
from celtop.model.operations.call import Call, SentTask
from celtop.model.operations.commands import Retry
from celtop.model.query.language import parse_query
from celtop.model.query.task_view import TaskView
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW, WORKER, Script, play


def lost(loss: str = "worker", acknowledged: bool | None = False) -> Task:
    extra = TaskExtra(loss=loss, acknowledged=acknowledged)  # type: ignore[arg-type]
    return Task(
        "a", state="STARTED", worker="w1@box", received_at=NOW, lost_at=NOW + 9, extra=extra
    )


def test_the_text_states_why_a_task_is_lost() -> None:
    assert loss_text(lost("worker")) == "lost with w1@box"
    assert loss_text(lost("unheard")) == "no final event received"
    assert loss_text(lost("unknown")) == "unknown to workers and backend"


def broker(transport: str, **options: float) -> Broker:
    return Broker(transport=transport, transport_options=options)


def test_redis_redelivers_after_the_visibility_timeout() -> None:
    worker = Worker("w1@box")
    assert redelivery_at(lost(), None, worker, broker("redis")) == NOW + VISIBILITY_TIMEOUT
    worker.conf = {"broker_transport_options": {"visibility_timeout": 90}}
    worker.clock_skew = 30.0
    assert redelivery_at(lost(), None, worker, broker("rediss")) == NOW + 60
    assert redelivery_at(lost(), None, worker, broker("redis", visibility_timeout=60)) == NOW + 30
    assert redelivery_at(lost(), None, None, broker("sentinel")) == NOW + VISIBILITY_TIMEOUT
    assert redelivery_text(NOW + 60, NOW) == "redelivered in 1 m"
    assert redelivery_text(NOW, NOW) == "redelivered to the next available worker"


@pytest.mark.parametrize("transport", ["redis", "amqp", "memory"])
def test_acknowledged_tasks_are_not_redelivered(transport: str) -> None:
    assert redelivery_at(lost(acknowledged=True), None, None, broker(transport)) is None
    assert redelivery_at(lost(acknowledged=None), None, None, broker(transport)) is None
    assert redelivery_at(lost("unheard"), None, None, broker(transport)) is None


def test_without_a_reply_about_the_task_the_setting_of_its_worker_counts() -> None:
    worker = Worker("w1@box", conf={"task_acks_late": True})
    assert redelivery_at(lost(acknowledged=None), None, worker, broker("amqp")) == NOW + 9
    assert redelivery_at(lost(acknowledged=True), None, worker, broker("amqp")) is None
    early = TaskType("shop.bill", acks_late=False)
    assert redelivery_at(lost(acknowledged=None), early, worker, broker("amqp")) is None
    late = TaskType("shop.bill", acks_late=True)
    assert redelivery_at(lost(acknowledged=None), late, None, broker("amqp")) == NOW + 9


def test_rabbitmq_redelivers_at_once() -> None:
    assert redelivery_at(lost(), None, None, broker("amqp")) == NOW + 9
    assert redelivery_at(lost(), None, None, broker("memory")) is None


def lost_worker(acknowledged: bool) -> ClusterState:
    """A worker that was killed while it ran one task and had another in reserve."""
    state = ClusterState()
    state.broker.transport = "redis"
    state.observe(ConnectionChanged("live", NOW - 10))
    state.observe(InspectReply(WORKER, "reserved", [], NOW))
    beat = {"type": "worker-heartbeat", "hostname": WORKER, "timestamp": NOW, "active": 0}
    play([beat, *Script("a").received().started().events, *Script("b").received().events], state)
    item = {"id": "a", "name": "shop.bill", "time_start": NOW + 2, "acknowledged": acknowledged}
    state.observe(InspectReply(WORKER, "active", [item], NOW + 3))
    state.observe(ConnectionProved(NOW + 60))
    state.tick(NOW + 60)
    state.tick(NOW + 64)
    return state


@pytest.mark.parametrize("acknowledged", [True, False])
def test_the_finding_and_a_retry_state_when_messages_of_a_lost_worker_are_redelivered(
    acknowledged: bool,
) -> None:
    state = lost_worker(acknowledged)
    assert state.redelivery_at(state.tasks["b"]) == NOW + 1 + VISIBILITY_TIMEOUT
    (one,) = (one for one in findings(state, NOW + 61) if one.code == "worker-lost")
    count = "1 message" if acknowledged else "2 messages"
    assert one.text == f"lost 58 s ago, 1 task was running; {count} will be redelivered in 59 m"
    original = SentTask("a", Call("shop.bill", (), {}, queue="celery"), "event", NOW)
    warnings = confirm(Retry((original,)), state, NOW + 61).warnings
    warning = "The original will be redelivered in 59 m, so the work would be done twice"
    assert (warning in warnings) is not acknowledged


def test_messages_that_a_restarted_broker_has_lost_are_not_redelivered() -> None:
    state = lost_worker(acknowledged=False)
    held = UnackedMessage(NOW, "celery", "b")
    state.observe(UnackedRead((held,), 2, NOW + 61))
    assert state.redelivery_at(state.tasks["a"]) is not None, "not all messages were read"
    state.observe(UnackedRead((held,), 1, NOW + 61))
    assert state.redelivery_at(state.tasks["a"]) is None
    assert state.redelivery_at(state.tasks["b"]) is not None
    state.observe(UnackedRead((), 0, NOW + 62))
    (one,) = (one for one in findings(state, NOW + 62) if one.code == "worker-lost")
    assert one.text == "lost 59 s ago, 1 task was running"
    state.observe(UnackedRead((), 0, NOW + 2 + VISIBILITY_TIMEOUT))
    assert state.redelivery_at(state.tasks["b"]) is not None, "it may be in its queue again"


def test_a_type_counts_a_lost_task_as_neither_running_nor_waiting() -> None:
    state = lost_worker(acknowledged=True)
    state.take_changes()
    kind = state.types["shop.bill"]
    assert (kind.states, kind.lost) == ({"STARTED": 1, "RECEIVED": 1}, {"STARTED": 1})
    assert (running_count(kind), waiting_count(kind)) == (0, 1)
    version = kind.version
    play(Script("a", at=NOW + 70).succeeded().events, state)
    state.take_changes()
    assert kind.lost == {}
    assert kind.version > version


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
