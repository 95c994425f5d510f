"""The columns of the Overview's panes."""

from __future__ import annotations

from typing import Final

from ...lists import numbers, queues
from ...lists.workers import busy_column, level_of
from ...model.entities.queue import Queue
from ...model.entities.worker import Worker
from ...model.state import ClusterState
from ...widgets.table.cells import Cell
from ...widgets.table.column import Column, Frame

_TREND_WIDTH: Final = 8


QUEUES: Final[tuple[Column[Queue], ...]] = (
    queues.NAME,
    queues.WAITING,
    queues.trend_column(_TREND_WIDTH),
    queues.IN,
    queues.OUT,
    Column("drain", "Drains in", 12, queues.drain_or_no_consumers, 1, justify="right"),
)


def worker_columns(state: ClusterState) -> tuple[Column[Worker], ...]:
    """Return the columns of workers: load, or since when they are late, stalled or offline."""

    def name(worker: Worker, frame: Frame) -> Cell:
        style = level_of(worker, state.broker.listening(frame.now), frame.now)
        return f"{frame.glyphs.level(style)} {worker.name}", "text" if style == "good" else style

    def done(worker: Worker, frame: Frame) -> Cell:
        return numbers.count(worker.processed)

    def load(worker: Worker, frame: Frame) -> Cell:
        return (f"{worker.load[0]:.1f}", "muted") if worker.load else numbers.UNKNOWN

    return (
        Column("name", "Worker", 16, name, grow=1, ticks=numbers.always),
        busy_column(state.broker),
        Column("processed", "Done", 8, done, 2, justify="right"),
        Column("load", "Load", 7, load, 3, justify="right"),
    )
