"""Why a queue does not move, or how fast it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from celtop.model.observations import (
    ConnectionChanged,
    ConnectionProved,
    InspectReply,
    QuestionsAnswered,
    QueueMeasured,
)
from celtop.model.state import ClusterState
from celtop.model.why.why import why

from ..streams import NOW, WORKER, Script, play

REPLIES: dict[str, Any] = {
    "stats": {"pool": {"max-concurrency": 2, "processes": [11, 12]}, "prefetch_count": 4},
    "active": [], "reserved": [], "scheduled": [], "active_queues": [{"name": "mail"}],
    "registered": ["shop.bill"], "conf": {},
}  # fmt: skip


def cluster(**replies: Any) -> ClusterState:
    state = ClusterState()
    state.observe(ConnectionChanged("live", NOW - 100, transport="redis"))
    state.observe(ConnectionProved(NOW))
    for command, reply in {**REPLIES, **replies}.items():
        state.observe(InspectReply(WORKER, command, reply, NOW - 20))
    state.observe(QuestionsAnswered(("workers", "queues", "depths"), NOW))
    state.tick(NOW)
    return state


def measured(state: ClusterState, *depths: int) -> ClusterState:
    for ago, depth in zip(range(10 * (len(depths) - 1), -1, -10), depths, strict=True):
        state.observe(QueueMeasured("mail", NOW - ago, waiting=depth))
    return state


def items(number: int, prefix: str = "t") -> list[dict[str, Any]]:
    return [
        {"id": f"{prefix}{n}", "name": "shop.bill", "time_start": NOW - 30} for n in range(number)
    ]


SITUATIONS: list[tuple[str, Callable[[], ClusterState], str, str]] = [
    ("empty", lambda: measured(cluster(), 0), "empty", "no message is waiting"),
    ("no consumers", lambda: measured(cluster(active_queues=[{"name": "x"}]), 3),
     "queue-without-consumers", "3 messages waiting, no consumers"),
    ("full", lambda: measured(cluster(active=items(2)), 3, 3), "consumers-full",
     "3 messages waiting; all 2 slots of its consumers are busy"),
    ("prefetch full", lambda: measured(
        cluster(scheduled=[{"eta": None, "request": one} for one in items(4)]), 3),
     "queue-blocked-by-eta", "the prefetch of its consumers is taken by 4 tasks that wait"),
    ("rates unknown", lambda: measured(cluster(), 3), "rates-unknown", "3 messages waiting; rates"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("build", "code", "text"), [one[1:] for one in SITUATIONS], ids=[one[0] for one in SITUATIONS]
)
def test_a_queue(build: Callable[[], ClusterState], code: str, text: str) -> None:
    answer = why(build(), "mail", NOW)
    assert answer is not None
    assert (answer.code, text in answer.text) == (code, True), answer


def test_a_queue_that_moves() -> None:
    state = cluster()
    state.workers[WORKER].events_enabled = True
    state.observe(QueueMeasured("mail", NOW - 10, waiting=40))
    for number in range(20):
        play(Script(f"m{number}", NOW - 5).sent(queue="mail").received().events, state, NOW - 5)
    state.observe(QueueMeasured("mail", NOW, waiting=30))
    answer = why(state, "mail", NOW)
    assert answer is not None
    assert answer.text == "it moves: 30 messages waiting, 2/s received, 1/s added, empty in 30 s"
    state.observe(QueueMeasured("mail", NOW, waiting=60))
    answer = why(state, "mail", NOW)
    assert answer is not None and answer.code == "growing"


def test_a_difference_between_its_workers_is_no_reason() -> None:
    state = measured(cluster(), 0)
    for command, reply in {**REPLIES, "registered": ["shop.other"]}.items():
        state.observe(InspectReply("celery@two", command, reply, NOW - 20))
    state.tick(NOW)
    answer = why(state, "mail", NOW)
    assert answer is not None and answer.code == "empty"
    assert [one.code for one in answer.findings] == ["workers-differ"]
