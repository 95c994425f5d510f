"""Every field of a queue, as labels and values for its page."""

from __future__ import annotations

from collections.abc import Sequence

from ...model.entities.delayed import Due, times_text
from ...model.entities.queue import STATISTICS_DELAY, Queue
from ...model.entities.worker import Worker
from ...model.text import units
from ...model.text.phrases import counted
from ...model.text.sanitize import visible
from ...widgets.fields import Field
from ...widgets.table.cells import Cell
from ...widgets.table.column import Frame
from ..columns import numbers, queues

_MAX_TEXT = 300


def queue_fields(
    queue: Queue, consumers: Sequence[Worker], frame: Frame, delayed: Sequence[Due] = ()
) -> list[Field]:
    """Return the fields of a queue; `?` stands for values that are unknown.

    Args:
        queue: The queue.
        consumers: The workers that are known to consume from it.
        frame: The time and the glyphs.
        delayed: When the messages of delayed delivery are due, for whatever queue.
    """
    measured = "never"
    if queue.measured_at is not None:
        measured = f"{units.age(queue.measured_at, frame.now)} ago"
    found = [
        _field("Waiting", queues.depth(queue, frame)),
        _unacked(queue, frame),
        _field("In", numbers.per_second(queue.in_per_s)),
        _field("Out", numbers.per_second(queue.out_per_s)),
        _field("Drains in", queues.drain_or_no_consumers(queue, frame)),
        _field("Oldest message", queues.oldest(queue, frame)),
        _field("Consumers", queues.consumers(queue, frame)),
        Field("Slots busy", _busy(queue, consumers)),
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
    return f"{sum(busy)} of {sum(room)} on {counted(len(consumers), 'worker')}"
