"""Asking before queues are consumed, paused or purged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from ..operations.commands import AddConsumer, CancelConsumer, PauseQueue, Purge, ResumeQueue
from ..text import units
from ..text.phrases import counted, verb
from .confirmation import NOBODY, Confirmation, listed, typed_count, worker_line

if TYPE_CHECKING:
    from ..entities.queue import Queue
    from ..state import ClusterState

FRESH: Final = 5.0
"""Seconds for which a measured depth of nothing is taken at its word."""
"""How the names of transports begin whose waiting messages can be looked at and picked."""


def add_consumer(command: AddConsumer, state: ClusterState, now: float) -> Confirmation:
    """Ask before workers consume a queue."""
    queue = command.queue
    already = _consuming(queue, command.workers, state)
    effects = ["It holds until they restart"]
    if queue not in state.queues:
        effects.insert(0, "No such queue is known yet: the broker creates it")
    if command.exchange or command.routing_key:
        exchange, key = command.exchange or queue, command.routing_key or queue
        type_ = command.exchange_type or "direct"
        effects.append(f"Bound to the exchange {exchange} ({type_}) by the routing key {key}")
    caveats = [f"{verb(already, 'does', 'do')} so already"] if already else []
    refusal = _refusal(queue, command.workers)
    if refusal is None and len(already) == len(command.workers):
        refusal = f"{verb(already, 'consumes', 'consume')} {queue} already"
    return Confirmation(
        "Consume",
        f"Have {_who(command.workers)} consume {queue}",
        listed([worker_line(state, name) for name in command.workers]),
        tuple(effects),
        tuple(caveats),
        command.workers,
        typed_count(len(command.workers)),
        refusal=refusal,
    )


def cancel_consumer(command: CancelConsumer, state: ClusterState, now: float) -> Confirmation:
    """Ask before workers stop consuming a queue."""
    queue = command.queue
    known = [name for name in command.workers if _queues(name, state) is not None]
    consuming = _consuming(queue, command.workers, state)
    idle = [name for name in consuming if _queues(name, state) == {queue}]
    effects = [f"What waits in {queue} stays there; other workers may still take it"]
    rest = set(_consumers(queue, state)) - set(command.workers)
    if consuming and not rest:
        effects = [f"Nobody is left to consume {queue}: what waits there stays until somebody does"]
    if idle:
        effects.append(f"{verb(idle, 'consumes', 'consume')} nothing then")
    refusal = _refusal(queue, command.workers)
    if refusal is None and not consuming and len(known) == len(command.workers):
        refusal = f"{verb(known, 'does', 'do')} not consume {queue}"
    return Confirmation(
        "Stop",
        f"Have {_who(command.workers)} stop consuming {queue}",
        listed([worker_line(state, name) for name in command.workers]),
        tuple(effects),
        (
            "What they hold of it already, they still run",
            "After a restart they consume what they are started with",
        ),
        command.workers,
        typed_count(len(command.workers)),
        refusal=refusal,
    )


def pause(command: PauseQueue, state: ClusterState, now: float) -> Confirmation:
    """Ask before a queue is paused."""
    queue = command.queue
    workers = tuple(consumer.worker for consumer in command.consumers)
    refusal = None if queue else "no queue is named"
    if refusal is None and not workers:
        refusal = f"no worker is known to consume {queue}"
    caveats = [
        "What they hold of it already, they still run",
        "A worker that is started meanwhile consumes it all the same",
    ]
    if state.broker.family in ("redis", "unknown"):
        caveats.append("Each may take one more message: it puts that back, behind all others")
    return Confirmation(
        "Pause",
        f"Pause the queue {queue}",
        listed([worker_line(state, name) for name in workers]),
        (
            f"{_stop(len(workers))} consuming it; what arrives, waits",
            "Who consumed it, and how, is remembered on this machine, so that resuming puts back "
            "just that",
        ),
        tuple(caveats),
        workers,
        typed_count(len(workers)),
        refusal=refusal,
    )


def resume(command: ResumeQueue, state: ClusterState, now: float) -> Confirmation:
    """Ask before a paused queue is resumed."""
    queue = command.queue
    workers = tuple(consumer.worker for consumer in command.consumers)
    present = set(state.present_workers(now))
    gone = [name for name in workers if name not in present]
    waiting = _waiting(state.queues.get(queue), now)
    effects = [
        f"{verb(workers, 'consumes', 'consume')} it again, as before{waiting and f' ({waiting})'}"
    ]
    then = "and then forgotten" if command.forget else "and it stays remembered as paused there"
    caveats = [f"{verb(gone, 'is', 'are')} not there: no answer will come, {then}"] if gone else []
    return Confirmation(
        "Resume",
        f"Resume the queue {queue}",
        listed([worker_line(state, name) for name in workers]),
        tuple(effects),
        tuple(caveats),
        workers,
        typed_count(len(workers)),
        refusal=None if workers else f"nobody knows who consumed {queue}: it was not paused here",
    )


def purge(command: Purge, state: ClusterState, now: float) -> Confirmation:
    """Ask before messages are deleted."""
    name, task = command.queue, command.task
    queue = state.queues.get(name)
    waiting = _waiting(queue, now)
    if task:
        effects = [f"Deletes the messages of {task} that wait in {name}, and no others"]
        effects += [f"In all it holds {waiting}"] if waiting else []
    else:
        effects = [f"Deletes all messages that wait in {name}{waiting and f' ({waiting})'}"]
    caveats = ["They cannot be had back: nothing keeps a copy"]
    if queue is None and name and state.queues:
        caveats.insert(0, f"No queue {name} is known: look at how it is written")
    unacked = None if queue is None else queue.unacked
    held = f" ({unacked:,} now)" if unacked else ""
    caveats.append(f"What workers have taken and not acknowledged is not deleted{held}")
    if task:
        caveats.append("Messages that a worker takes meanwhile are run, not deleted")
    else:
        caveats.append("What is sent after it stays")
    refusal = None if name else "no queue is named"
    if refusal is None and task and state.broker.family not in ("redis", "unknown"):
        refusal = (
            f"only Redis lets one pick messages by task; this is {state.broker.transport}: purge it"
            " whole"
        )
    elif refusal is None and queue is not None and _empty(queue, now):
        refusal = f"nothing waits in {name}"
    asked = Confirmation(
        "Purge",
        f"Purge {f'{task} from ' if task else ''}{name}",
        (name,),
        tuple(effects),
        tuple(caveats),
        refusal=refusal,
    )
    return msgspec.structs.replace(asked, must_type=name, destructive=True)


def _empty(queue: Queue, now: float) -> bool:
    measured = queue.measured_at
    return queue.waiting == 0 and measured is not None and now - measured <= FRESH


def _waiting(queue: Queue | None, now: float) -> str:
    if queue is None or queue.waiting is None:
        return ""
    measured = queue.measured_at
    old = measured is not None and now - measured >= 2
    when = f"as of {units.age(measured, now)} ago" if old else "now"
    return f"{counted(queue.waiting, 'message')} {when}"


def _queues(worker: str, state: ClusterState) -> set[str] | None:
    known = state.workers.get(worker)
    if known is None or known.queues is None:
        return None
    return {queue.name for queue in known.queues}


def _consuming(queue: str, workers: tuple[str, ...], state: ClusterState) -> list[str]:
    return [name for name in workers if queue in (_queues(name, state) or ())]


def _consumers(queue: str, state: ClusterState) -> tuple[str, ...]:
    known = state.queues.get(queue)
    return () if known is None else known.consumers


def _refusal(queue: str, workers: tuple[str, ...]) -> str | None:
    if not queue:
        return "no queue is named"
    return None if workers else NOBODY


def _stop(number: int) -> str:
    return f"{counted(number, 'worker')} {'stops' if number == 1 else 'stop'}"


def _who(workers: tuple[str, ...]) -> str:
    return workers[0] if len(workers) == 1 else counted(len(workers), "worker")
