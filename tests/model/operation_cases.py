"""Clusters and acts for the tests of what is asked before an act and told after it."""

from __future__ import annotations

from typing import Any

from celtop.model.observations import InspectReply, OperationChanged, QueueMeasured
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
    """A worker of each pool, each with two slots, that consume `geo`; `p@h` also `mail`."""
    state = ClusterState()
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
    """Have a worker answer a question."""
    state.observe(InspectReply(worker, command, reply, NOW))


def task(state: ClusterState, id_: str, *, on: str = "p@h", until: str = "received") -> str:
    """Let a task come as far as it should, and return its id."""
    script = Script(id_, at=NOW - 10, worker=on).received(name="geo.resize")
    if until != "received":
        script.started()
    if until not in ("received", "started"):
        script.say(until, result="1", runtime=0.1)
    play(script.events, state)
    return id_


def original(id_: str, queue: str | None = "geo", **fields: Any) -> SentTask:
    """What a caller sent, found in its queue."""
    told = {"source": "queue", "seen_at": NOW, **fields}
    return SentTask(id_, Call("geo.resize", (1,), queue=queue), **told)


def done(command: Operation, **fields: Any) -> Outcome:
    """Return an outcome that ended a second after it began."""
    return Outcome(1, command, NOW, **{"ended_at": NOW + 1, **fields})


def observe_outcome(state: ClusterState, outcome: Outcome, at: float = NOW) -> None:
    """Let the model hear of an outcome."""
    state.observe(OperationChanged(outcome, at))


def kinds(operation: type[Operation] = Operation) -> list[type[Operation]]:
    """Return all operations that are not merely the base of others, in the order of the file."""
    below = operation.__subclasses__()
    return [kind for one in below for kind in kinds(one)] if below else [operation]
