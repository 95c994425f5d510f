"""Undoing operations whose effect lasts: paused queues, limits, changed consumers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.entities.queue import Queue
from ...model.operations.lasting import resuming
from ..dialogs.menu import Menu
from ..host import Host
from .run import run

if TYPE_CHECKING:
    from ...model.operations.lasting import Lasting


def undoable(host: Host) -> list[Lasting]:
    """Return what can be undone, the latest first; a selected queue that is paused goes alone."""
    paused = host.context.paused_queues
    queues = [queue.name for queue in host.selection(Queue) if queue.name in paused]
    if queues:
        return [resuming(paused[queue]) for queue in queues]
    return host.context.lasting[::-1]


async def undo(host: Host) -> None:
    """Undo the latest change that is in force; of several, ask which."""
    found = undoable(host)
    if not found:
        host.say("Nothing to undo: no queue is paused, no limit or consumer was changed")
        return
    chosen = found[0]
    if len(found) > 1:
        choices = [(str(number), one.text, "") for number, one in enumerate(found)]
        answer = await host.ask(Menu("Undo", choices))
        if answer is None:
            return
        chosen = found[int(answer)]
    for operation in chosen.inverse:
        if not await run(host, operation):
            return
