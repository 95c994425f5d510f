"""Who holds an unacknowledged message, until when, and whether that worker is gone."""

from __future__ import annotations

from typing import Any

from celtop.model.entities.messages.unacked import Unacked
from celtop.model.observations import (
    InspectReply,
    QuestionsAnswered,
    QueueMeasured,
    UnackedMessage,
    UnackedRead,
)
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW, OTHER, WORKER, Script, play


def read(state: ClusterState, at: float, *messages: UnackedMessage) -> list[Unacked]:
    state.observe(UnackedRead(messages, len(messages), at))
    return list(state.unacked.values())


def reply(state: ClusterState, worker: str, at: float, **replies: Any) -> None:
    for command in ("active", "reserved", "scheduled", "registered"):
        state.observe(InspectReply(worker, command, replies.get(command, []), at))


def test_a_message_is_held_by_the_worker_that_received_it() -> None:
    state = ClusterState()
    play(Script("a", at=NOW).received().events, state)
    state.observe(QueueMeasured("mail", NOW, waiting=0, unacked=2))
    message = UnackedMessage(NOW - 60, "mail", "a", "shop.bill", redelivered=True)
    held, unknown = read(state, NOW, message, UnackedMessage(NOW - 30, "mail", "b", "shop.bill"))
    assert (held.worker, held.since, held.redelivered_at) == (WORKER, NOW - 60, NOW + 3540)
    assert held.redelivered and held.name == "shop.bill"
    assert unknown.worker is None
    queue = state.queues["mail"]
    assert queue.held == (held, unknown)
    read(state, NOW + 5)
    assert not queue.held and not state.unacked


def test_the_shortest_visibility_timeout_of_the_workers_counts() -> None:
    state = ClusterState()
    for worker, seconds in ((WORKER, 600), (OTHER, 90)):
        conf = {"broker_transport_options": {"visibility_timeout": seconds}}
        state.observe(InspectReply(worker, "conf", conf, NOW))
    (held,) = read(state, NOW, UnackedMessage(NOW, "mail", "a"))
    assert held.redelivered_at == NOW + 90


def test_a_lost_worker_is_gone_and_a_present_one_is_not() -> None:
    state = ClusterState()
    beat = {
        "type": "worker-heartbeat",
        "hostname": WORKER,
        "freq": 2.0,
        "active": 0,
        "processed": 0,
    }
    play([{**beat, "timestamp": NOW}], state)
    play(Script("a", at=NOW).received().events, state)
    (held,) = read(state, NOW + 1, UnackedMessage(NOW + 1, "mail", "a"))
    state.tick(NOW + 2)
    assert state.is_abandoned(held, NOW + 30) is False
    state.tick(NOW + 600)
    assert state.workers[WORKER].lost_at is not None
    assert state.is_abandoned(held, NOW + 600) is True


def test_a_worker_that_was_started_again_no_longer_has_it() -> None:
    state = ClusterState()
    play(Script("a", at=NOW).received().events, state)
    (held,) = read(state, NOW + 1, UnackedMessage(NOW + 1, "mail", "a"))
    for at, uptime, gone in ((NOW + 20, 300, False), (NOW + 60, 30, True)):
        state.observe(InspectReply(WORKER, "stats", {"uptime": uptime, "pid": 7}, at))
        assert state.is_abandoned(held, at) is False  # it may have been acknowledged before
        read(state, at, UnackedMessage(NOW + 1, "mail", "a"))
        assert state.is_abandoned(held, at) is gone


def test_a_message_that_no_worker_lists_is_abandoned_once_all_have_replied() -> None:
    state = ClusterState()
    state.observe(QuestionsAnswered(("workers",), NOW))
    for worker in (WORKER, OTHER):
        reply(state, worker, NOW)
    (held,) = read(state, NOW + 60, UnackedMessage(NOW + 30, "mail", "a", "shop.bill"))
    assert state.is_abandoned(held, NOW + 60) is None  # these replies are older than it
    reply(state, WORKER, NOW + 60)
    assert state.is_abandoned(held, NOW + 61) is None
    reply(state, OTHER, NOW + 62)
    assert state.is_abandoned(held, NOW + 62) is None  # it may have been acknowledged before
    (held,) = read(state, NOW + 65, UnackedMessage(NOW + 30, "mail", "a", "shop.bill"))
    assert state.is_abandoned(held, NOW + 65) is True
    reply(state, OTHER, NOW + 70)
    assert state.is_abandoned(held, NOW + 70) is True
    (again,) = read(state, NOW + 75, UnackedMessage(NOW + 72, "mail", "a", "shop.bill"))
    assert state.is_abandoned(again, NOW + 75) is None  # a worker has received it again


def test_a_rate_limited_task_is_in_no_list_of_its_worker() -> None:
    state = ClusterState()
    state.observe(QuestionsAnswered(("workers",), NOW))
    reply(state, WORKER, NOW + 60, registered=["shop.bill [rate_limit=1/m]"])
    limited, other = read(
        state,
        NOW + 60,
        UnackedMessage(NOW, "mail", "a", "shop.bill"),
        UnackedMessage(NOW, "mail", "b", "shop.send"),
    )
    assert state.is_abandoned(limited, NOW + 61) is None
    assert state.is_abandoned(other, NOW + 61) is True


def test_without_any_worker_every_message_is_abandoned() -> None:
    state = ClusterState()
    (held,) = read(state, NOW, UnackedMessage(NOW - 60, "mail", "a", "shop.bill"))
    assert state.is_abandoned(held, NOW) is None  # none has been looked for yet
    state.observe(QuestionsAnswered(("workers",), NOW))
    assert state.is_abandoned(held, NOW) is True
    (fresh,) = read(state, NOW, UnackedMessage(NOW - 1, "mail", "a", "shop.bill"))
    assert state.is_abandoned(fresh, NOW) is None


def test_in_a_warm_shutdown_a_worker_finishes_its_tasks() -> None:
    state = ClusterState()
    play(Script("a", at=NOW).received().started().events, state)
    (held,) = read(state, NOW + 3, UnackedMessage(NOW + 1, "mail", "a"))
    play([{"type": "worker-offline", "hostname": WORKER, "timestamp": NOW + 5, "pid": 7}], state)
    assert state.is_abandoned(held, NOW + 60) is False
    assert state.is_abandoned(held, NOW + 700) is True
