"""Operations on a queue: peek, purge, pause and resume.

The queue is the one that was selected when the key was pressed.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from ...model.entities.queue import Queue
from ...model.observations import WaitingMessage
from ...model.operations.commands import Consumer, PauseQueue, Purge, ReadMessages, ResumeQueue
from ...model.text import units
from ...model.text.sanitize import visible
from ..dialogs.menu import Menu
from ..dialogs.text import Preview
from ..dialogs.waiting import wait_for
from ..host import Host
from ..navigation import DrillDown
from .run import one_selected, run

if TYPE_CHECKING:
    from ...model.observations import QueuePeeked
    from ...model.state import ClusterState

MAX_PEEKED_MESSAGES: Final = 10_000
READ_AT_ONCE: Final = 50
"""Messages that are read on RabbitMQ, and further ones each time that this is repeated."""
MAX_READ_AT_ONCE: Final = 1_000
MAX_PREVIEWED_MESSAGES: Final = 20
"""Messages whose arguments are shown before they are purged."""
MAX_MESSAGE_CHARACTERS: Final = 160


def _selected_queue(host: Host) -> str | None:
    queue = one_selected(host, Queue, "queue")
    return None if queue is None else queue.name


async def peek(host: Host) -> None:
    """List the messages that wait in a queue; nothing is changed on Redis.

    No event reports a waiting message, unless its sender has `task_send_sent_event` enabled.
    """
    queue = _selected_queue(host)
    if queue is None:
        return
    host.unfreeze()
    here = host.location.path[-1] if host.location.path else None
    step = DrillDown("messages", queue, f"{queue}, waiting")
    if host.context.live.broker.family == "amqp":
        listing = host.context.live.listing(queue)
        count = READ_AT_ONCE + (len(listing.messages) if listing is not None else 0)
        if not await run(host, ReadMessages(queue=queue, count=min(count, MAX_READ_AT_ONCE))):
            return
    if here is None or (here.kind, here.subject) != (step.kind, step.subject):
        host.go(host.location.deeper(step))


async def remove_messages(host: Host) -> None:
    """Delete the selected messages from their queue."""
    messages = host.selection(WaitingMessage)
    if messages:
        ids = tuple(dict.fromkeys(message.id for message in messages))
        await run(host, Purge(queue=messages[0].queue, ids=ids))
    else:
        host.say("No message selected", "warning")


async def _peek(host: Host, queue: str) -> QueuePeeked | None:
    reading = host.context.session.lookups.peek(queue, MAX_PEEKED_MESSAGES)
    return await wait_for(host, f"Reading the messages in {queue}", reading)


async def purge(host: Host) -> None:
    """Delete all messages that wait in the queue."""
    queue = _selected_queue(host)
    if queue is not None:
        await run(host, Purge(queue=queue))


async def purge_task(host: Host) -> None:
    """Delete the waiting messages of one task name, after a preview."""
    queue = _selected_queue(host)
    if queue is None:
        return
    seen = await _peek(host, queue)
    if seen is None:
        return
    if not seen.messages:
        empty = f"No messages in {queue}"
        host.say(empty if seen.complete else "; ".join(seen.notes), "warning")
        return
    counts = Counter(message.name for message in seen.messages)
    choices = [(name, name, _message_count(number, seen)) for name, number in counts.most_common()]
    name = await host.ask(Menu("Task name to purge", choices))
    if name is None:
        return
    found = [message for message in seen.messages if message.name == name]
    key = host.context.keymap.key("dialog.accept")
    title = f"{_message_count(len(found), seen)} of {name} in {queue}; {key} to continue"
    if await host.ask(Preview(title, preview(found, seen))) is not None:
        await run(host, Purge(queue=queue, task=name))


def preview(found: list[WaitingMessage], seen: QueuePeeked) -> str:
    """Return the first of the messages to be deleted, and what may be missing."""
    lines = [
        visible(f"{one.id}  {one.args or ''} {one.kwargs or ''}".rstrip(), MAX_MESSAGE_CHARACTERS)
        for one in found[:MAX_PREVIEWED_MESSAGES]
    ]
    if len(found) > MAX_PREVIEWED_MESSAGES:
        lines.append(f"and {len(found) - MAX_PREVIEWED_MESSAGES:,} more")
    if not seen.complete:
        read = f"Only {len(seen.messages):,} messages were read; more may be deleted"
        lines += ["", read]
    return "\n".join([*lines, *seen.notes])


async def pause(host: Host) -> None:
    """Stop all workers from consuming the queue; it can be resumed with the same consumers."""
    queue = _selected_queue(host)
    if queue is not None:
        await pause_queue(host, queue)


async def pause_queue(host: Host, queue: str) -> None:
    """Pause a queue by name."""
    consumers, unknown = consumers_of(host.context.live, queue, host.context.clock())
    notes = [f"{name}: its queues are unknown" for name in unknown]
    await run(host, PauseQueue(queue=queue, consumers=consumers), notes)


def consumers_of(
    state: ClusterState, queue: str, now: float
) -> tuple[tuple[Consumer, ...], tuple[str, ...]]:
    """Return the known consumers of a queue, and the workers whose queues are unknown."""
    consumers, unknown = [], []
    for name in state.present_workers(now):
        queues = state.workers[name].queues
        if queues is None:
            unknown.append(name)
            continue
        consumers += [
            Consumer(name, each.exchange, each.exchange_type, each.routing_key)
            for each in queues
            if each.name == queue
        ]
    return tuple(consumers), tuple(unknown)


async def resume(host: Host) -> None:
    """Resume a paused queue with its previous consumers."""
    queue = _selected_queue(host)
    if queue is not None:
        await resume_queue(host, queue)


async def resume_queue(host: Host, queue: str) -> None:
    """Resume a queue by name."""
    paused = host.context.session.paused_queues().get(queue)
    consumers = () if paused is None else paused.consumers
    await run(host, ResumeQueue(queue=queue, consumers=consumers))


def _message_count(number: int, seen: QueuePeeked) -> str:
    least = "" if seen.complete else "at least "
    return f"{least}{units.count(number)} message{'s' * (number != 1)}"
