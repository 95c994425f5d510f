"""What is done to a queue: look into it, purge, pause, resume.

Each begins with a key. What it is about is frozen there, before anything is waited for.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, cast

from ...model.entities.queue import Queue
from ...model.operations.commands import Consumer, PauseQueue, Purge, ResumeQueue
from ...model.text import units
from ...model.text.sanitize import visible
from ..dialogs.menu import Menu
from ..dialogs.text import Preview
from ..dialogs.waiting import wait_for
from ..navigation import DrillDown
from ..screens.row_lists import exactly
from .run import carry_out

if TYPE_CHECKING:
    from ...model.observations import QueuePeeked, WaitingMessage
    from ...model.state import ClusterState
    from ..screens.base import MonitorScreen
    from .runner import ActingApp

LOOKED_AT: Final = 10_000
"""Messages of a queue that are looked at, at most."""
PREVIEWED: Final = 20
"""Messages of which the arguments are shown before they are purged."""
_LONGEST: Final = 160


def _app(screen: MonitorScreen) -> ActingApp:
    return cast("ActingApp", screen.app)


def _queue(screen: MonitorScreen) -> str | None:
    """Return the name of the chosen queue; that it is not one is told."""
    queues = screen.chosen(Queue)
    if len(queues) == 1:
        return queues[0].name
    _app(screen).say("One queue at a time" if queues else "No queue is chosen", "warning")
    return None


async def look_into(screen: MonitorScreen) -> None:
    """List the tasks of a queue, after a look at what waits in it; nothing is changed.

    Of what waits no event tells, unless its sender was told to send them (`task_send_sent_event`).
    """
    queue = _queue(screen)
    if queue is None:
        return
    app = _app(screen)
    seen = await wait_for(app, f"Looking into {queue}", app.session.peek(queue, LOOKED_AT))
    if seen is None:
        return
    if seen.messages or seen.complete:
        more = "" if seen.complete else ", and there are more"
        app.say(f"{units.count(len(seen.messages))} wait in {queue}{more}")
        term = exactly("queue", queue)
        app.go(
            app.location.deeper(DrillDown("tasks", f"{term} state:pending", f"{queue}, waiting"))
        )
    else:
        app.say("; ".join(seen.notes), "warning")


async def purge(screen: MonitorScreen) -> None:
    """Delete all messages that wait in the queue."""
    queue = _queue(screen)
    if queue is not None:
        await carry_out(_app(screen), Purge(queue=queue))


async def purge_task(screen: MonitorScreen) -> None:
    """Delete the waiting messages of one task name, after a look at them."""
    queue = _queue(screen)
    if queue is None:
        return
    app = _app(screen)
    seen = await wait_for(app, f"Looking into {queue}", app.session.peek(queue, LOOKED_AT))
    if seen is None:
        return
    if not seen.messages:
        app.say(f"Nothing waits in {queue}" if seen.complete else "; ".join(seen.notes), "warning")
        return
    counts = Counter(message.name for message in seen.messages)
    choices = [(name, name, _share(number, seen)) for name, number in counts.most_common()]
    name: str | None = await app.push_screen_wait(Menu("Purge which task", choices))
    if name is None:
        return
    found = [message for message in seen.messages if message.name == name]
    title = f"{_share(len(found), seen)} of {name} in {queue}: enter goes on"
    if await app.push_screen_wait(Preview(title, preview(found, seen))) is not None:
        await carry_out(app, Purge(queue=queue, task=name))


def preview(found: list[WaitingMessage], seen: QueuePeeked) -> str:
    """Return the first of the messages that would go, and what the look left out."""
    lines = [
        visible(f"{one.id}  {one.args or ''} {one.kwargs or ''}".rstrip(), _LONGEST)
        for one in found[:PREVIEWED]
    ]
    if len(found) > PREVIEWED:
        lines.append(f"and {len(found) - PREVIEWED:,} more that were seen")
    if not seen.complete:
        lines += ["", f"Only {len(seen.messages):,} messages were looked at: more may go"]
    return "\n".join([*lines, *seen.notes])


async def pause(screen: MonitorScreen) -> None:
    """Have all who consume the queue stop, to be resumed as they were."""
    queue = _queue(screen)
    if queue is not None:
        await pause_queue(_app(screen), queue)


async def pause_queue(app: ActingApp, queue: str) -> None:
    """Pause a queue by its name."""
    consumers, silent = consumers_of(app.context.state, queue, app.context.now())
    notes = [f"{name} has not told what it consumes" for name in silent]
    await carry_out(app, PauseQueue(queue=queue, consumers=consumers), notes=notes)


def consumers_of(
    state: ClusterState, queue: str, now: float
) -> tuple[tuple[Consumer, ...], tuple[str, ...]]:
    """Return who consumes a queue, and exactly how; and who has not told what it consumes."""
    consumers, silent = [], []
    for name in state.present_workers(now):
        queues = state.workers[name].queues
        if queues is None:
            silent.append(name)
            continue
        consumers += [
            Consumer(name, each.exchange, each.exchange_type, each.routing_key)
            for each in queues
            if each.name == queue
        ]
    return tuple(consumers), tuple(silent)


async def resume(screen: MonitorScreen) -> None:
    """Have those who consumed a paused queue consume it again."""
    queue = _queue(screen)
    if queue is not None:
        await resume_queue(_app(screen), queue)


async def resume_queue(app: ActingApp, queue: str) -> None:
    """Resume a queue by its name."""
    paused = app.session.paused_queues().get(queue)
    consumers = () if paused is None else paused.consumers
    await carry_out(app, ResumeQueue(queue=queue, consumers=consumers))


def _share(number: int, seen: QueuePeeked) -> str:
    least = "" if seen.complete else "at least "
    return f"{least}{units.count(number)} message{'s' * (number != 1)}"
