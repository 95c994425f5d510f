"""Ages of messages on a broker that shows none, from `task-sent` events."""

from __future__ import annotations

from celtop.model.observations import ConnectionChanged, InspectReply, QueueMeasured
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW, WORKER, Script, play


def cluster() -> ClusterState:
    """A queue `mail` on RabbitMQ, whose worker sends events."""
    state = ClusterState()
    state.broker.transport = "amqp"
    state.observe(ConnectionChanged("live", NOW - 5, transport="amqp"))
    state.observe(InspectReply(WORKER, "active_queues", [{"name": "mail"}], NOW))
    play(Script("done", at=NOW).sent(queue="mail").received().events, state)
    return state


def ages(state: ClusterState, at: float, waiting: int) -> tuple[float | None, ...]:
    state.observe(QueueMeasured("mail", at, waiting, consumer_count=1))
    queue = state.queues["mail"]
    return (
        queue.oldest_age,
        queue.oldest_age_at_least,
        queue.runnable_age,
        queue.runnable_age_at_least,
    )


def test_they_are_exact_if_events_report_all_messages_and_a_minimum_otherwise() -> None:
    state = cluster()
    for second in (1, 2):
        play(Script(f"t{second}", at=NOW + second).sent(queue="mail").events, state)
    assert ages(state, NOW + 31, waiting=2) == (29.0, None, 29.0, None)
    assert ages(state, NOW + 41, waiting=5) == (None, 39.0, None, 39.0)


def test_a_task_that_is_not_due_may_not_run() -> None:
    state = cluster()
    eta = "2100-01-01T00:00:00+00:00"
    play(Script("later", at=NOW + 1).sent(queue="mail", eta=eta).events, state)
    assert ages(state, NOW + 11, waiting=1) == (9.0, None, None, None)
    assert state.queues["mail"].due_at == 4_102_444_800.0


def test_nothing_is_known_with_unknown_consumers_or_after_a_gap() -> None:
    state = cluster()
    play(Script("a", at=NOW + 1).sent(queue="mail").events, state)
    state.observe(QueueMeasured("mail", NOW + 11, 1, consumer_count=2))
    assert state.queues["mail"].runnable_age_at_least is None
    state.observe(ConnectionChanged("lost", NOW + 12, transport="amqp"))
    state.observe(ConnectionChanged("live", NOW + 13, transport="amqp"))
    assert ages(state, NOW + 21, waiting=1) == (None, None, None, None)
