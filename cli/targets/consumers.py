"""The consumers of a queue: the current ones to pause it, the previous ones to resume it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exit_codes import CommandError, InvalidUsage
from ..output import stderr
from .workers import resolve_workers

if TYPE_CHECKING:
    from ...cluster.session import Session
    from ...model.operations.commands import PauseQueue, ResumeQueue


def pause_operation(session: Session, queue: str) -> PauseQueue:
    """Return the operation, with all consumers of the queue and how they consume it.

    Raises:
        CommandError: It has no consumers, because it is paused, or they are unknown.
        InvalidUsage: It has no consumers.
    """
    from ...model.operations.commands import Consumer, PauseQueue
    from ...model.text.phrases import named

    known = session.state.workers
    consumed = {
        name: known[name].queues if name in known else None for name in resolve_workers(session)
    }
    for name, queues in consumed.items():
        if queues is None:
            stderr.echo(
                f"The queues of {name} are unknown; if it consumes {queue}, it is not paused"
            )
    consumers = [
        Consumer(name, one.exchange, one.exchange_type, one.routing_key)
        for name, queues in consumed.items()
        for one in queues or ()
        if one.name == queue
    ]
    if not consumers:
        if queue in session.paused_queues():
            raise CommandError(f"{queue} is already paused and has no consumers")
        unknown = sorted(name for name, queues in consumed.items() if queues is None)
        if unknown:
            raise CommandError(
                f"No worker that replied consumes {queue}; no reply: {named(unknown)}"
            )
        names = {one.name for queues in consumed.values() for one in queues or ()}
        listed = f"; queues with consumers: {', '.join(sorted(names))}" if names else ""
        raise InvalidUsage(f"No worker consumes {queue}{listed}")
    return PauseQueue(queue=queue, consumers=tuple(consumers))


def resume_operation(session: Session, queue: str, forget: bool) -> ResumeQueue:
    """Return the operation, with all consumers that the queue had when it was paused.

    Raises:
        CommandError: The queue was not paused on this machine.
    """
    from ...model.operations.commands import ResumeQueue

    paused = session.paused_queues()
    if queue not in paused:
        advice = (
            f"paused queues: {', '.join(sorted(paused))}"
            if paused
            else "to start its consumers, use `celtop control add-consumer`"
        )
        raise CommandError(f"{queue} was not paused on this machine; {advice}")
    return ResumeQueue(queue=queue, consumers=paused[queue].consumers, forget=forget)
