"""Undoing operations whose effect lasts: paused queues, limits, changed consumers, drains."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from ...model.confirm.workers import undo_drain
from ...model.entities.queue import Queue
from ...model.operations.commands import PauseQueue
from ..dialogs.confirm import Present
from ..dialogs.menu import Menu
from ..host import Host
from .run import confirmed, run

if TYPE_CHECKING:
    from ...model.operations.lasting import Lasting


NOTHING: Final = "no queue is paused, no worker is being drained, no limit or consumer was changed"


def undoable(host: Host) -> list[Lasting]:
    """Return what can be undone, the latest first; a selected queue that is paused goes alone."""
    changes = host.context.lasting[::-1]
    return _of_selection(host, changes) or changes


def _of_selection(host: Host, changes: Iterable[Lasting]) -> list[Lasting]:
    """Return the pauses of selected queues."""
    selected = {one.name for one in host.selection(Queue)}
    return [one for one in changes if one.queue in selected]


def _pausing(host: Host) -> str | None:
    """Return a queue that is still being paused: its workers still report it as consumed."""
    operations = (tracked.outcome.operation for tracked in host.context.operations.running)
    return next((one.queue for one in operations if isinstance(one, PauseQueue)), None)


async def undo(host: Host) -> None:
    """Undo a selected queue's pause, otherwise the latest change; of several, ask which."""
    found = undoable(host)
    queue = _pausing(host)
    if queue is not None and not _of_selection(host, found):
        key = host.context.keymap.key("undo", ascii_only=host.context.ascii)
        host.say(f"{queue} is still being paused: press {key} when that has finished", "warning")
        return
    if not found:
        host.say(f"Nothing to undo: {NOTHING}")
        return
    chosen = found[0]
    if len(found) > 1:
        choices = [(str(number), one.text, "") for number, one in enumerate(found)]
        answer = await host.ask(Menu("Undo", choices))
        if answer is None:
            return
        chosen = found[int(answer)]
    if chosen.drain is not None:
        await _undo_drain(host, chosen.drain)
        return
    for operation in chosen.inverse:
        if not await run(host, operation):
            return


async def _undo_drain(host: Host, number: int) -> None:
    """Cancel a running drain: it makes its workers consume their queues again itself."""
    running = {one.outcome.number: one for one in host.context.operations.running}
    if number not in running:
        return
    drain = running[number]

    def present() -> Present:
        return undo_drain(drain.outcome, host.context.live), ()

    if await confirmed(host, present()[0], present=present):
        drain.operation.cancel()
    host.answered()
