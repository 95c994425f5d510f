"""Confirmations of consuming, pausing, resuming and purging queues."""

from __future__ import annotations

from typing import Final

from ..entities.queue import Queue
from ..operations.commands import (
    AddConsumer,
    CancelConsumer,
    PauseQueue,
    Purge,
    ReadMessages,
    ResumeQueue,
)
from ..state import ClusterState
from ..text import units
from ..text.phrases import counted, named, verb
from .confirmation import (
    MAX_LISTED_TARGETS,
    UNTIL_RESTART,
    Confirmation,
    confirm,
    describe,
    listed,
    task_line,
    typed_count,
    worker_lines,
)

DEPTH_MAX_AGE: Final = 5.0
"""Seconds for which a queue that was measured as empty is taken to be empty."""
ALREADY_RECEIVED: Final = "Tasks that workers have already received still run"
NO_QUEUE: Final = "no queue is given"


@confirm.register
def add_consumer(operation: AddConsumer, state: ClusterState, now: float) -> Confirmation:
    """Confirm making workers consume a queue."""
    queue = operation.queue
    already = _consuming(queue, operation.workers, state)
    effects = [UNTIL_RESTART]
    if queue not in state.queues:
        effects.insert(0, "The broker creates the queue if it does not exist")
    if operation.exchange or operation.routing_key:
        exchange, key = operation.exchange or queue, operation.routing_key or queue
        type_ = operation.exchange_type or "direct"
        effects.append(f"Binds it to the exchange {exchange} ({type_}) with the routing key {key}")
    refusal = None if queue else NO_QUEUE
    if already and len(already) == len(operation.workers):
        refusal = f"{verb(already, 'already consumes', 'already consume')} {queue}"
    return describe(
        operation,
        worker_lines(state, operation.workers),
        effects,
        [f"{verb(already, 'already consumes', 'already consume')} it"] if already else [],
        refusal=refusal,
    )


@confirm.register
def cancel_consumer(operation: CancelConsumer, state: ClusterState, now: float) -> Confirmation:
    """Confirm stopping workers from consuming a queue."""
    queue, workers = operation.queue, operation.workers
    known = [name for name in workers if _queues(name, state) is not None]
    consuming = _consuming(queue, workers, state)
    idle = [name for name in consuming if _queues(name, state) == {queue}]
    entity, consumers = state.queues.get(queue), state.consumers(queue)
    others = set(entity.known_consumers if entity is not None else ()) - set(workers)
    warnings = []
    if consuming and not others:
        warnings.append(
            f"It is unknown whether another worker consumes {queue}"
            if consumers is None
            else f"No other worker consumes {queue}; its messages will wait"
        )
    if idle:
        warnings.append(f"{named(idle)} will consume no queue at all")
    refusal = None if queue else NO_QUEUE
    if queue and not consuming and len(known) == len(workers):
        refusal = f"{verb(known, 'does', 'do')} not consume {queue}"
    return describe(
        operation,
        worker_lines(state, workers),
        ["Waiting messages stay in the queue; other workers may still consume them"],
        [ALREADY_RECEIVED, "After a restart, workers consume their configured queues again"],
        warnings=warnings,
        refusal=refusal,
    )


@confirm.register
def pause(operation: PauseQueue, state: ClusterState, now: float) -> Confirmation:
    """Confirm pausing a queue."""
    queue, workers = operation.queue, operation.expected_workers
    refusal = None
    if not workers:
        refusal = (
            f"it is unknown which workers consume {queue}"
            if state.consumers(queue) is None
            else f"no known worker consumes {queue}"
        )
    stop = f"{counted(len(workers), 'worker')} {'stops' if len(workers) == 1 else 'stop'}"
    caveats = [ALREADY_RECEIVED, "Workers that start in the meantime will consume the queue"]
    if state.broker.family in ("redis", "unknown"):
        caveats.append(
            "Each worker may receive one more message and return it to the end of the queue"
        )
    return describe(
        operation,
        worker_lines(state, workers),
        [
            f"{stop} consuming it; new messages wait",
            "Its consumers are saved on this machine, so that resume can restore them",
        ],
        caveats,
        refusal=refusal if queue else NO_QUEUE,
    )


@confirm.register
def resume(operation: ResumeQueue, state: ClusterState, now: float) -> Confirmation:
    """Confirm resuming a paused queue."""
    queue, workers = operation.queue, operation.expected_workers
    present = set(state.present_workers(now))
    gone = [name for name in workers if name not in present]
    waiting = _waiting(state.queues.get(queue), now)
    depth = f" ({waiting})" if waiting else ""
    then = "removed from" if operation.forget else "kept on"
    return describe(
        operation,
        worker_lines(state, workers),
        [f"{verb(workers, 'consumes', 'consume')} {queue} again{depth}"],
        [f"{verb(gone, 'is', 'are')} offline and {then} the list of consumers to resume"]
        if gone
        else [],
        refusal=None if workers else f"{queue} was not paused on this machine; add its consumers",
    )


@confirm.register
def purge(operation: Purge, state: ClusterState, now: float) -> Confirmation:
    """Confirm deleting messages."""
    name, task = operation.queue, operation.task
    queue = state.queues.get(name)
    waiting = _waiting(queue, now)
    ids = operation.ids
    if ids is not None:
        effects = [f"Deletes {counted(len(ids), 'message')} waiting in {name}"]
        effects += [f"The whole queue has {waiting}"] if waiting else []
    elif task:
        effects = [f"Deletes only the messages of {task} waiting in {name}"]
        effects += [f"The whole queue has {waiting}"] if waiting else []
    else:
        effects = [f"Deletes all messages waiting in {name}{waiting and f' ({waiting})'}"]
    unknown = queue is None and name and state.queues
    unacked = f" ({queue.unacked:,} now)" if queue is not None and queue.unacked else ""
    caveats = [
        "This cannot be undone; no copy is kept",
        f"Messages received by workers but not acknowledged are not deleted{unacked}",
        "Tasks that workers receive in the meantime will run"
        if task or ids is not None
        else "Messages sent afterwards are not deleted",
    ]
    refusal = None if name else NO_QUEUE
    if ids is not None and not ids:
        refusal = "no message is selected"
    elif name and (task or ids is not None) and state.broker.family not in ("redis", "unknown"):
        refusal = (
            f"single messages can be purged only on Redis, not on {state.broker.transport}; "
            "purge the whole queue instead"
        )
    elif queue is not None and _empty(queue, now):
        refusal = f"{name} is empty"
    return describe(
        operation,
        (name,) if ids is None else _messages(ids, state),
        effects,
        caveats,
        warnings=[f"Unknown queue {name}; check the spelling"] if unknown else [],
        refusal=refusal,
        must_type=name if ids is None else typed_count(len(ids)),
        destructive=True,
    )


def _messages(ids: tuple[str, ...], state: ClusterState) -> tuple[str, ...]:
    lines = [task_line(state, id_) for id_ in ids[:MAX_LISTED_TARGETS]]
    return listed(lines, len(ids))


@confirm.register
def read_messages(operation: ReadMessages, state: ClusterState, now: float) -> Confirmation:
    """Confirm reading messages on RabbitMQ."""
    name, queue = operation.queue, state.queues.get(operation.queue)
    caveats = ["Workers can receive the messages as before, in the same order"]
    if queue is not None and queue.kind == "quorum":
        caveats.append(
            "Each reading counts towards the delivery limit of a quorum queue, after which a "
            "message is dropped or dead-lettered"
        )
    return describe(
        operation,
        (name,),
        [
            f"Takes up to {operation.count:,} messages from {name} and returns them, with the "
            "management API",
            "RabbitMQ marks them as redelivered; tasks with acks_late may take that for a lost "
            "worker",
        ],
        caveats,
        refusal=why_unreadable(state) if name else NO_QUEUE,
    )


def why_unreadable(state: ClusterState) -> str | None:
    """Return why the messages in queues cannot be read; None if they can be, or perhaps."""
    family = state.broker.family
    if family == "amqp":
        fault = state.fact("management").fault
        return None if fault is None else str(fault)
    return None if family in ("redis", "unknown") else "supported with Redis and RabbitMQ only"


def _empty(queue: Queue, now: float) -> bool:
    measured = queue.measured_at
    return queue.waiting == 0 and measured is not None and now - measured <= DEPTH_MAX_AGE


def _waiting(queue: Queue | None, now: float) -> str:
    if queue is None or queue.waiting is None:
        return ""
    measured = queue.measured_at
    old = measured is not None and now - measured >= 2
    when = f"{units.elapsed(measured, now)} ago" if old else "now"
    return f"{counted(queue.waiting, 'message')} {when}"


def _queues(worker: str, state: ClusterState) -> set[str] | None:
    known = state.workers.get(worker)
    if known is None or known.queues is None:
        return None
    return {queue.name for queue in known.queues}


def _consuming(queue: str, workers: tuple[str, ...], state: ClusterState) -> list[str]:
    return [name for name in workers if queue in (_queues(name, state) or ())]
