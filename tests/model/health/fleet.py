"""A cluster of workers that have replied to all questions, for the tests of findings."""

from __future__ import annotations

from typing import Any, Final

from celtop.model.observations import (
    ConnectionChanged,
    ConnectionProved,
    InspectReply,
    QuestionsAnswered,
)
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch
from celtop.tests.model.streams import NOW

W1: Final = "w1@h"
W2: Final = "w2@h"
REPLIES: Final[dict[str, Any]] = {
    "stats": {"pool": {"implementation": "celery.concurrency.prefork:TaskPool",
                       "max-concurrency": 2, "processes": [11, 12]},
              "prefetch_count": 8, "uptime": 600, "pid": 7},
    "active": [], "reserved": [], "scheduled": [], "active_queues": [{"name": "mail"}],
    "registered": ["shop.bill"], "conf": {"result_backend": "redis://h/1", "result_extended": True},
}  # fmt: skip


def fleet(at: float = NOW, transport: str = "redis", **workers: dict[str, Any]) -> ClusterState:
    """Return the state of workers `w1`, `w2`, ... with their own replies and `version`."""
    state = ClusterState()
    state.observe(ConnectionChanged("live", at - 1_000, transport=transport))
    state.observe(ConnectionProved(at))
    for short, own in workers.items():
        name = f"{short}@h"
        beat(state, name, at, own.get("version", "5.7.0"))
        for command, value in {**REPLIES, **own}.items():
            if command != "version":
                state.observe(InspectReply(name, command, value, at))
    state.observe(QuestionsAnswered(("workers", "queues", "depths"), at))
    state.tick(at)
    return state


def beat(state: ClusterState, name: str, at: float, version: str = "5.7.0") -> None:
    """Let a worker send a heartbeat."""
    event = Event(
        "worker-heartbeat", name, at, pid=7, freq=2.0, active=0, processed=0,
        sw_ident="py-celery", sw_ver=version, sw_sys="Linux",
    )  # fmt: skip
    state.observe(EventBatch((event,), at))


def item(id_: str, **fields: Any) -> dict[str, Any]:
    """Return a task as in a reply."""
    return {"id": id_, "name": "shop.bill", "delivery_info": {"routing_key": "mail"}, **fields}
