"""A cluster and outcomes, for the tests of confirmations and of outcomes."""

from __future__ import annotations

from typing import Any

from celtop.model.observations import (
    InspectReply,
    OperationChanged,
    QuestionsAnswered,
    QueueMeasured,
)
from celtop.model.operations.call import Call, SentTask
from celtop.model.operations.commands import Operation
from celtop.model.operations.outcome import Answer, Outcome
from celtop.model.state import ClusterState

from .streams import NOW, Script, play

CONFIRMED = Answer("confirmed")
SILENT = Answer("silent")
POOLS = {
    "p@h": "celery.concurrency.prefork:TaskPool",
    "t@h": "celery.concurrency.thread:TaskPool",
    "s@h": "celery.concurrency.solo:TaskPool",
    "g@h": "celery.concurrency.gevent:TaskPool",
}


def cluster(**stats: Any) -> ClusterState:
    """Return a cluster of one worker per pool; all consume `geo`, and `p@h` also `mail`."""
    state = ClusterState()
    state.observe(QuestionsAnswered(("workers",), NOW))
    for name, implementation in POOLS.items():
        pool = {"implementation": implementation, "max-concurrency": 2, "processes": [1, 2]}
        reply(state, name, "stats", {"pid": 1, "pool": pool, **stats})
        queues = ["geo", "mail"] if name == "p@h" else ["geo"]
        reply(state, name, "active_queues", [{"name": queue} for queue in queues])
        reply(
            state, name, "registered", ["geo.resize [rate_limit=10/m time_limit=60]", "mail.send"]
        )
    state.observe(QueueMeasured("geo", NOW, waiting=1204, unacked=3))
    state.tick(NOW)
    return state


def reply(state: ClusterState, worker: str, command: str, reply: Any) -> None:
    """Apply a worker's reply to a remote-control command."""
    state.observe(InspectReply(worker, command, reply, NOW))


def task(state: ClusterState, id_: str, *, on: str = "p@h", until: str = "received") -> str:
    """Apply the events of a task up to a state; return its id."""
    script = Script(id_, at=NOW - 10, worker=on).received(name="geo.resize")
    if until != "received":
        script.started()
    if until not in ("received", "started"):
        script.say(until, result="1", runtime=0.1)
    play(script.events, state)
    return id_


def original(id_: str, queue: str | None = "geo", **fields: Any) -> SentTask:
    """Return a sent task as it was found in its queue."""
    found = {"source": "queue", "seen_at": NOW, **fields}
    return SentTask(id_, Call("geo.resize", (1,), queue=queue), **found)


def done(command: Operation, **fields: Any) -> Outcome:
    """Return an outcome that ended a second after it began."""
    return Outcome(1, command, NOW, **{"ended_at": NOW + 1, **fields})


def observe_outcome(state: ClusterState, outcome: Outcome, at: float = NOW) -> None:
    """Apply an outcome."""
    state.observe(OperationChanged(outcome, at))


def kinds(operation: type[Operation] = Operation) -> list[type[Operation]]:
    """Return all operations that are not merely the base of others, in the order of the file."""
    below = operation.__subclasses__()
    return [kind for one in below for kind in kinds(one)] if below else [operation]
