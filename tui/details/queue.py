"""Every field of a queue, as labels and values for its page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import isinf
from typing import Final

from ...lists import numbers, queues
from ...model.entities.messages.delayed import Due, times_text
from ...model.entities.queue import STATISTICS_DELAY, Queue
from ...model.entities.worker import Worker
from ...model.text import units
from ...model.text.phrases import MAX_NAMED, counted, named
from ...model.text.sanitize import visible
from ...widgets.fields import Field
from ...widgets.table.cells import Cell
from ...widgets.table.column import Frame

SOON: Final = 300.0
"""Seconds in which a queue should be empty, to show how many processes that takes."""
_MAX_TEXT = 300
"""Characters of a value."""


def queue_fields(
    queue: Queue, consumers: Sequence[Worker], frame: Frame, delayed: Sequence[Due] = ()
) -> list[Field]:
    """Return the fields of a queue; `?` stands for values that are unknown.

    Args:
        queue: The queue.
        consumers: The workers that are known to consume from it.
        frame: The time and the glyphs.
        delayed: When the messages of delayed delivery are due, for any queue.
    """
    measured = "never"
    if queue.measured_at is not None:
        measured = f"{units.elapsed(queue.measured_at, frame.now)} ago"
    found = [
        _field("Waiting", queues.depth(queue, frame)),
        _field("Backlog", _backlog(queue)),
        _unacked(queue, frame),
        *_holders(queue, frame),
        _field("In", numbers.per_second(queue.in_per_s)),
        _field("Out", numbers.per_second(queue.out_per_s)),
        _field("Capacity", _capacity(queue)),
        _field("Drains in", queues.drain_or_no_consumers(queue, frame)),
        *_more_processes(queue),
        _field("Oldest message", queues.oldest(queue, frame)),
        _field("Oldest due", queues.runnable(queue, frame)),
        _consumers(queue, frame),
        Field("Slots busy", _busy(queue, consumers)),
        *_prefetched(queue, consumers),
        Field("Measured", measured),
    ]
    if queue.by_priority:
        steps = ", ".join(f"{step}: {units.count(n)}" for step, n in queue.by_priority.items())
        found.insert(1, Field("By priority", steps))
    if queue.max_priority is not None:
        found.insert(1, Field("Priorities", f"0 to {queue.max_priority}, counted together"))
    if queue.message_bytes is not None:
        size = f"{queue.kind}, {units.size(queue.message_bytes)} of message bodies"
        found.append(Field("Kind", size))
    if delayed:
        found.insert(1, _delayed(queue, frame, delayed))
    found += [Field("Note", visible(note, _MAX_TEXT), "muted") for note in queue.notes]
    return found


def _unacked(queue: Queue, frame: Frame) -> Field:
    """Return the number of unacknowledged messages, and how old it may be."""
    text, style = queues.unacked(queue, frame)
    if queue.unacked is not None and queue.statistics_at is not None:
        oldest = frame.now - queue.statistics_at + STATISTICS_DELAY
        text += f" (up to {units.duration(round(oldest))} old)"
    return Field("Unacknowledged", text, style)


def _consumers(queue: Queue, frame: Frame) -> Field:
    """Return its consumers, only the first ones if they are many."""
    text, style = queues.consumers(queue, frame)
    if queue.consumers and len(queue.consumers) > MAX_NAMED and not queue.paused:
        text = named(queue.known_consumers)
    return _field("Consumers", (text, style))


def _delayed(queue: Queue, frame: Frame, delayed: Sequence[Due]) -> Field:
    """Return how many messages are delayed for the queue, and when they are due."""
    own = [due for due in delayed if due.queue == queue.name]
    others = sum(due.messages for due in delayed if not due.queue)
    text = units.count(sum(due.messages for due in own))
    if own:
        text += f": {times_text(own, frame.now)}"
    if others:
        text += f"; {units.count(others)} for unknown queues"
    return Field("Delayed", text)


def _field(label: str, cell: Cell) -> Field:
    text, style = cell
    return Field(label, visible(text, _MAX_TEXT), style)


def _backlog(queue: Queue) -> Cell:
    """Return `52, of which 12 in workers`."""
    text, style = numbers.count(queue.backlog)
    return (f"{text}, of which {queue.reserved:,} in workers" if queue.reserved else text), style


def _holders(queue: Queue, frame: Frame) -> list[Field]:
    """Return which workers hold its unacknowledged messages: `w1 (8) and w2 (3), up to 12 m`."""
    if not queue.held:
        return []
    counts = Counter(held.worker or "an unknown worker" for held in queue.held).most_common()
    holders = [f"{worker} ({number:,})" for worker, number in counts]
    oldest = units.age(queue.held[0].since, frame.now)
    return [_field("Held by", (f"{named(holders)}, up to {oldest}", "text"))]


def _capacity(queue: Queue) -> Cell:
    """Return what its slots can run in a second, and what that follows from."""
    text, style = numbers.per_second(queue.capacity)
    if not queue.capacity or queue.slots_total is None:
        return text, style
    slots, runtime = counted(queue.slots_total, "slot"), units.duration(queue.runtime)
    short = queue.in_per_s is not None and queue.in_per_s > queue.capacity
    return f"{text}: {slots}, {runtime} per task", "warn" if short else style


def _more_processes(queue: Queue) -> list[Field]:
    """Return how many more processes keep up with what arrives, or empty it soon."""
    drain, more = queue.drain, queue.more_processes(SOON)
    if not queue.waiting or not queue.slots_total or queue.paused or drain is None or not more:
        return []
    text = f"{more:,}: empty in {units.duration(SOON)}"
    if isinf(drain):
        enough = queue.more_processes(drain) or 1
        text = f"{enough:,}: keeps up; {text}"
        if enough == more:
            text = f"{more:,}: keeps up, empty in {units.duration(SOON)}"
    return [Field("More processes", text)]


def _prefetched(queue: Queue, consumers: Sequence[Worker]) -> list[Field]:
    """Return which of its consumers have received more tasks than they have free slots for."""
    hoarded = {worker.name: worker.hoarded for worker in consumers if worker.hoarded}
    if not hoarded:
        return []
    worst = sorted(hoarded, key=lambda name: -(hoarded[name] or 0))
    texts = [f"{hoarded[name]:,} in {name}" for name in worst]
    if len(texts) > MAX_NAMED:
        texts[MAX_NAMED:] = [f"and in {len(texts) - MAX_NAMED:,} more workers"]
    return [_field("Without free slot", (", ".join(texts), "text"))]


def _busy(queue: Queue, consumers: Sequence[Worker]) -> str:
    """Return `5 of 8 on 2 workers`: workers share their slots among all their queues."""
    if queue.consumers is None:
        return units.UNKNOWN
    if not queue.consumers:
        return "none"
    busy = [worker.running for worker in consumers if worker.running is not None]
    room = [worker.slots for worker in consumers if worker.slots is not None]
    if not len(busy) == len(room) == len(queue.consumers):
        return units.UNKNOWN
    text = f"{sum(busy)} of {sum(room)} on {counted(len(consumers), 'worker')}"
    others = {one.name: None for worker in consumers for one in worker.queues or ()}
    others.pop(queue.name, None)
    return visible(f"{text}, shared with {named(list(others))}" if others else text, _MAX_TEXT)
