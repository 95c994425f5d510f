"""Every field of a queue, as labels and values for its page."""

from __future__ import annotations

from collections.abc import Sequence

from ...model.entities.queue import Queue
from ...model.entities.worker import Worker
from ...model.text import units
from ...model.text.phrases import counted
from ...model.text.sanitize import visible
from ...widgets.fields import Field
from ...widgets.table.cells import Cell
from ...widgets.table.column import Frame
from ..columns import numbers, queues

_MAX_TEXT = 300


def queue_fields(queue: Queue, consumers: Sequence[Worker], frame: Frame) -> list[Field]:
    """Return the fields of a queue; `?` stands for values that are unknown.

    Args:
        queue: The queue.
        consumers: The workers that are known to consume from it.
        frame: The time and the glyphs.
    """
    measured = "never"
    if queue.measured_at is not None:
        measured = f"{units.age(queue.measured_at, frame.now)} ago"
    found = [
        _field("Waiting", queues.depth(queue, frame)),
        _field("Unacknowledged", queues.unacked(queue, frame)),
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
    found += [Field("Note", visible(note, _MAX_TEXT), "muted") for note in queue.notes]
    return found


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
