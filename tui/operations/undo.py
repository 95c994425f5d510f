"""Undoing operations whose effect lasts: paused queues, limits, changed consumers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.entities.queue import Queue
from ...model.operations.commands import PauseQueue
from ...model.operations.lasting import resuming
from ..dialogs.menu import Menu
from ..host import Host
from .run import run

if TYPE_CHECKING:
    from ...model.operations.lasting import Lasting


def undoable(host: Host) -> list[Lasting]:
    """Return what can be undone, the latest first; a selected queue that is paused goes alone."""
    return _selected(host) or host.context.lasting[::-1]


def _selected(host: Host) -> list[Lasting]:
    """Return the selected queues that are paused."""
    paused, workers = host.context.paused_queues, host.context.state.workers
    return [
        resuming(paused[one.name], workers) for one in host.selection(Queue) if one.name in paused
    ]


def _pausing(host: Host) -> str | None:
    """Return a queue that is still being paused: its workers still report it as consumed."""
    operations = (tracked.outcome.operation for tracked in host.context.operations.running)
    return next((one.queue for one in operations if isinstance(one, PauseQueue)), None)


async def undo(host: Host) -> None:
    """Undo a selected queue's pause, otherwise the latest change; of several, ask which."""
    queue = _pausing(host)
    if queue is not None and not _selected(host):
        key = host.context.keymap.key("undo", ascii_only=host.context.ascii)
        host.say(f"{queue} is still being paused: press {key} when that has finished", "warning")
        return
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
