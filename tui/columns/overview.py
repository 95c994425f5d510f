"""The columns of the Overview's panes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...model.entities.queue import Queue
from ...model.entities.worker import Worker
from ...model.state import ClusterState
from ...model.text import units
from ...widgets.table.cells import Cell
from ...widgets.table.column import Column, Frame
from ..text.workers import level_of
from . import numbers, queues
from .workers import load_cells

_TREND_WIDTH: Final = 8


QUEUES: Final[tuple[Column[Queue], ...]] = (
    queues.NAME,
    queues.WAITING,
    Column("trend", "Trend", _TREND_WIDTH, queues.trend_cell(_TREND_WIDTH), 3),
    queues.IN,
    queues.OUT,
    Column("drain", "Drains in", 12, queues.drain_or_no_consumers, 1, justify="right"),
)


def worker_columns(state: ClusterState) -> tuple[Column[Worker], ...]:
    """Return the columns of workers: load, or since when they are late, stalled or offline."""

    def name(worker: Worker, frame: Frame) -> Cell:
        style = level_of(worker, state.broker.listening(frame.now), frame.now)
        return f"{frame.glyphs.level(style)} {worker.name}", "text" if style == "good" else style

    def bar(worker: Worker, frame: Frame) -> Sequence[Cell]:
        listening = state.broker.listening(frame.now)
        status, style = worker.status(listening), level_of(worker, listening, frame.now)
        if status == "online":
            if worker.stalled_since is not None:
                since = units.age(worker.idle_since or worker.stalled_since, frame.now)
                return ((f"no task for {since}", style),)
            return load_cells(worker, frame)
        ago = units.age(worker.left_at or worker.last_seen_at, frame.now)
        running = len(worker.active_ids)
        left = f", {running} running" if running else ""
        word = "seen" if status == "late" else "shut down" if worker.left_at else "lost"
        return ((f"{word} {ago} ago{left}", style),)

    def done(worker: Worker, frame: Frame) -> Cell:
        return numbers.count(worker.processed)

    def load(worker: Worker, frame: Frame) -> Cell:
        return (f"{worker.load[0]:.1f}", "muted") if worker.load else numbers.UNKNOWN

    return (
        Column("name", "Worker", 16, name, grow=1, ticks=numbers.always),
        Column("busy", "Busy", 16, bar, ticks=numbers.always, grow=1),
        Column("processed", "Done", 8, done, 2, justify="right"),
        Column("load", "Load", 7, load, 3, justify="right"),
    )
