"""The columns of queues."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isinf
from typing import Any, Final

from ..model.entities.queue import Queue
from ..model.health.newness import backlog_grew_at, is_new
from ..model.state import ClusterState
from ..model.text import units
from ..model.text.phrases import counted
from ..widgets.charts.sparkline import spark
from ..widgets.table.cells import Cell
from ..widgets.table.column import Column, Frame
from . import numbers

PAUSED: Final = "paused"
_TREND_WIDTH: Final = 12
_MAX_TREND_WIDTH: Final = 60


def by_name(state: ClusterState) -> list[Queue]:
    """Return all queues by name, the order of those that no other order distinguishes."""
    return [queue for _, queue in sorted(state.queues.items())]


def trouble(queue: Queue) -> tuple[int, int]:
    """Return a sort key, the largest for the worst: without consumers, not consumed, paused."""
    waiting = queue.waiting or 0
    if queue.paused:
        return 1, waiting
    if queue.unattended:
        return 3, waiting
    return 2 if waiting and queue.out_per_s == 0 and queue.due_at is None else 0, waiting


def style_of(queue: Queue, frame: Frame, otherwise: str = "text") -> str:
    """Return the style of a queue: red if its messages without consumers are new or grow."""
    if queue.unattended:
        return "bad" if is_new(backlog_grew_at(queue), frame.now) else "warn"
    return "warn" if queue.paused or queue.missing_since is not None else otherwise


def status_word(queue: Queue) -> str:
    """Return the status of a queue in one or two words."""
    if queue.unattended:
        return "no consumers"
    if queue.paused:
        return PAUSED
    if queue.missing_since is not None:
        return "missing"
    if not queue.waiting:
        return units.UNKNOWN if queue.waiting is None else "empty"
    if queue.due_at is not None:
        return "not due"
    if queue.out_per_s == 0:
        return "not moving"
    if queue.drain is None:
        return "waiting"
    return "filling" if isinf(queue.drain) else "draining"


def status(queue: Queue, frame: Frame) -> Cell:
    """Return the status of a queue."""
    style = style_of(queue, frame, "text" if queue.waiting else "muted")
    glyph = f"{frame.glyphs.level(style)} " if style in ("bad", "warn") else ""
    return f"{glyph}{status_word(queue)}", style


def depth(queue: Queue, frame: Frame) -> Cell:
    """Return the number of waiting messages."""
    return numbers.count(queue.waiting, style_of(queue, frame))


def trend(queue: Queue, frame: Frame, width: int) -> Sequence[Cell]:
    """Return a sparkline of the last measured depths."""
    depths = [waiting for _, waiting in list(queue.history)[-width:]]
    return ((spark(depths, width, frame.glyphs), style_of(queue, frame, "accent")),)


def trend_column(width: int) -> Column[Queue]:
    """Return the column of the sparkline, which takes at least `width` cells."""
    return Column(
        "trend", "Trend", width, lambda queue, frame: trend(queue, frame, width), 3,
        max_width=_MAX_TREND_WIDTH, fill=trend,
    )  # fmt: skip


def drain(queue: Queue, frame: Frame) -> Cell:
    """Return when the queue will be empty at the current rates."""
    left = queue.drain
    if left is None:
        return numbers.UNKNOWN
    if isinf(left):
        return "never" if frame.glyphs.name == "ascii" else "∞", "warn"
    return numbers.seconds(left, "text" if left else "muted")


def drain_or_no_consumers(queue: Queue, frame: Frame) -> Cell:
    """Return when the queue will be empty, or that it is paused or has no consumers."""
    if queue.paused:
        return PAUSED, "warn"
    return ("no consumers", style_of(queue, frame)) if queue.unattended else drain(queue, frame)


def drain_beside_status(queue: Queue, frame: Frame) -> Cell:
    """Return when the queue will be empty; `-` if the status shows why it will not be."""
    return ("-", "muted") if queue.paused or queue.unattended else drain(queue, frame)


def consumers(queue: Queue, frame: Frame) -> Cell:
    """Return a queue's consumers; having none is an error while messages are waiting."""
    if queue.paused:
        return _paused(queue), "warn"
    if queue.unattended:
        return "none", style_of(queue, frame)
    if queue.known_consumers:
        known = queue.known_consumers
        return ", ".join(known if queue.consumers is not None else (*known, units.UNKNOWN)), "text"
    if queue.consumer_count:
        return counted(queue.consumer_count, "consumer"), "text"
    return ("none", "warn") if queue.has_no_consumers else numbers.UNKNOWN


def _paused(queue: Queue) -> str:
    """Return that it is paused, and which workers consume it nevertheless."""
    still = ", ".join(queue.known_consumers)
    return f"{PAUSED}; still consumed by {still}" if still else PAUSED


def unacked(queue: Queue, frame: Frame) -> Cell:
    """Return the number of unacknowledged messages, or its minimum."""
    if queue.unacked is None and queue.unacked_at_least is not None:
        return f"{_at_least(frame)} {units.count(queue.unacked_at_least)}", "text"
    return numbers.count(queue.unacked)


def delayed(queue: Queue, frame: Frame) -> Cell:
    """Return the number of messages of delayed delivery; empty if there are none."""
    return numbers.NOTHING if queue.delayed == 0 else numbers.count(queue.delayed)


def oldest(queue: Queue, frame: Frame) -> Cell:
    """Return how long the oldest message has been waiting, or its minimum; `-` if none is."""
    if queue.waiting == 0:
        return "-", "muted"
    if queue.oldest_age is None and queue.oldest_age_at_least is not None:
        return f"{_at_least(frame)} {units.duration(queue.oldest_age_at_least)}", "text"
    return numbers.seconds(queue.oldest_age)


def runnable(queue: Queue, frame: Frame) -> Cell:
    """Return how long the first message that may run has been waiting, or when one may run."""
    if queue.waiting == 0:
        return "-", "muted"
    if queue.due_at is not None:
        return units.age(queue.due_at, frame.now), "muted"
    if queue.runnable_age is None and queue.runnable_age_at_least is not None:
        return f"{_at_least(frame)} {units.duration(queue.runnable_age_at_least)}", "text"
    return numbers.seconds(queue.runnable_age)


def slots(queue: Queue, frame: Frame) -> Cell:
    """Return the busy slots of its consumers, of all of them."""
    if queue.slots_total is None or queue.slots_busy is None:
        return numbers.UNKNOWN
    if not queue.slots_total:
        return "-", "muted"
    full = queue.slots_busy >= queue.slots_total
    style = "warn" if full and queue.waiting else "text" if queue.slots_busy else "muted"
    return f"{queue.slots_busy:,}/{queue.slots_total:,}", style


def _at_least(frame: Frame) -> str:
    return ">=" if frame.glyphs.name == "ascii" else "≥"


def _busy_share(queue: Queue) -> float | None:
    if queue.slots_busy is None or not queue.slots_total:
        return None
    return queue.slots_busy / queue.slots_total


def _name(queue: Queue, frame: Frame) -> Cell:
    return queue.name, style_of(queue, frame)


def _kind(queue: Queue, frame: Frame) -> Cell:
    return queue.kind, "muted"


def _priorities(queue: Queue, frame: Frame) -> Cell:
    if queue.max_priority is not None:
        return f"0 to {queue.max_priority}", "muted"
    filled = [f"{step}:{units.count(n)}" for step, n in queue.by_priority.items() if n]
    return " ".join(filled), "muted"


def _notes(queue: Queue, frame: Frame) -> Cell:
    return ("; ".join(reversed(queue.notes)), "muted") if queue.notes else numbers.NOTHING


NAME: Final = Column[Queue]("name", "Queue", 18, _name, grow=2, narrow_width=14, sort_key="name")
WAITING: Final = numbers.column("waiting", "Waiting", 8, depth)
IN: Final[Column[Queue]] = numbers.column(
    "in", "In", 7, lambda queue, frame: numbers.per_second(queue.in_per_s), 4
)
OUT: Final[Column[Queue]] = numbers.column(
    "out", "Out", 7, lambda queue, frame: numbers.per_second(queue.out_per_s), 4
)
DRAIN: Final = numbers.column("drain", "Drains in", 10, drain_beside_status, 2)


QUEUES: Final[tuple[Column[Queue], ...]] = (
    NAME,
    Column("status", "Status", 14, status, 1, sort_key="trouble", descending=True),
    WAITING,
    trend_column(_TREND_WIDTH),
    IN,
    OUT,
    DRAIN,
    numbers.column("delayed", "Delayed", 8, delayed, 5),
    numbers.column("slots", "Slots", 7, slots, 4),
    numbers.column("backlog", "Backlog", 8, lambda row, _: numbers.count(row.backlog), 6),
    numbers.column("unacked", "Unacked", 8, unacked, 5),
    numbers.column("runnable", "Oldest due", 10, runnable, 5),
    numbers.column("oldest", "Oldest", 10, oldest, 6),
    Column("consumers", "Consumers", 16, consumers, 1, grow=3, sort_key="consumers"),
    Column("kind", "Kind", 8, _kind, 9, remark=True),
    numbers.column("bytes", "Size", 8, lambda row, _: numbers.bytes_of(row.message_bytes), 9),
    Column("priorities", "By priority", 14, _priorities, 7),
    Column("notes", "Notes", 20, _notes, 8, grow=2, remark=True),
)


QUEUE_KEYS: Final[Mapping[str, Callable[[Queue], Any]]] = {
    "trouble": trouble,
    "name": lambda queue: queue.name,
    "waiting": lambda queue: queue.waiting,
    "in": lambda queue: queue.in_per_s,
    "out": lambda queue: queue.out_per_s,
    "drain": lambda queue: queue.drain,
    "unacked": lambda queue: queue.unacked_at_least if queue.unacked is None else queue.unacked,
    "delayed": lambda queue: queue.delayed,
    "bytes": lambda queue: queue.message_bytes,
    "oldest": lambda queue: (
        queue.oldest_age_at_least if queue.oldest_age is None else queue.oldest_age
    ),
    "slots": _busy_share,
    "backlog": lambda queue: queue.backlog,
    "runnable": lambda queue: (
        queue.runnable_age_at_least if queue.runnable_age is None else queue.runnable_age
    ),
    "consumers": lambda queue: queue.consumer_count or len(queue.known_consumers),
}


ORDER: Final = ("status", True)
"""The column that the list is sorted by at first, and whether the largest is first."""


def search_text(queue: Queue) -> str:
    """Return the text that a filter matches: name, consumers and status."""
    return " ".join((queue.name, *queue.known_consumers, status_word(queue)))
