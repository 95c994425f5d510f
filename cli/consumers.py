"""What pausing a queue is about: who consumes it now, or did before it was paused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import stderr
from .exit_codes import Misuse
from .selection import NothingFound
from .workers import workers

if TYPE_CHECKING:
    from ..cluster.session import Session
    from ..model.operations.commands import PauseQueue, ResumeQueue


def pausing(session: Session, queue: str) -> PauseQueue:
    """Return the command with everyone who consumes a queue, and how.

    Raises:
        NothingFound: Nobody does, since it is paused.
        Misuse: Nobody does.
    """
    from ..model.operations.commands import Consumer, PauseQueue

    known = session.state.workers
    consumed = {name: known[name].queues if name in known else None for name in workers(session)}
    for name, queues in consumed.items():
        if queues is None:
            stderr.say(f"{name} does not tell what it consumes: if {queue}, it goes on")
    consumers = [
        Consumer(name, one.exchange, one.exchange_type, one.routing_key)
        for name, queues in consumed.items()
        for one in queues or ()
        if one.name == queue
    ]
    if not consumers:
        if queue in session.paused():
            raise NothingFound(f"{queue} is paused already, and no worker consumes it")
        names = {one.name for queues in consumed.values() for one in queues or ()}
        listed = f"; they consume {', '.join(sorted(names))}" if names else ""
        raise Misuse(f"no worker consumes {queue}{listed}")
    return PauseQueue(queue=queue, consumers=tuple(consumers))


def resuming(session: Session, queue: str, forget: bool) -> ResumeQueue:
    """Return the command with everyone who consumed a queue when it was paused.

    Args:
        session: Live.
        queue: Its name.
        forget: Whether those that do not answer are gone for good.

    Raises:
        NothingFound: It was not paused on this machine.
    """
    from ..model.operations.commands import ResumeQueue

    paused = session.paused()
    if queue not in paused:
        others = f"; paused are {', '.join(sorted(paused))}" if paused else ""
        raise NothingFound(f"{queue} was not paused from here{others}")
    return ResumeQueue(queue=queue, consumers=paused[queue].consumers, forget=forget)
