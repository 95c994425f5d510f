"""The columns of the overview's small tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

from ..model import units
from ..model.queue import Queue
from ..model.state import ClusterState
from ..model.task import Task
from ..model.worker import Worker
from ..widgets.cells import Cell
from ..widgets.column import Column, Frame
from ..widgets.progress import progress_cells
from . import figures, queue_columns, task_columns
from .alerts import Alert
from .worker_columns import load_cells

_TREND: Final = 8

_BAR: Final = 14


def queue_tile_columns(paused: Callable[[], Collection[str]]) -> tuple[Column[Queue], ...]:
    """Return the columns of queues; `paused` tells which celtop has paused."""

    def drain(queue: Queue, frame: Frame) -> Cell:
        if queue.name in paused():
            return queue_columns.PAUSED, "warn"
        return queue_columns.shouted_drain(queue, frame)

    return (
        queue_columns.NAME,
        queue_columns.WAITING,
        Column("trend", "Trend", _TREND, queue_columns.trend_of(_TREND), 3),
        queue_columns.IN,
        queue_columns.OUT,
        Column("drain", "Empty in", 15, drain, 1, justify="right"),
    )


def worker_columns(state: ClusterState) -> tuple[Column[Worker], ...]:
    """Return the columns of workers: what they do, or since when they are gone."""

    def name(worker: Worker, frame: Frame) -> Cell:
        status = worker.status(frame.now, state.broker.listening_since)
        style = {"online": "good", "late": "warn"}.get(status, "bad")
        return f"{frame.glyphs.level(style)} {worker.name}", "text" if style == "good" else style

    def bar(worker: Worker, frame: Frame) -> Sequence[Cell]:
        status = worker.status(frame.now, state.broker.listening_since)
        if status == "online":
            return load_cells(worker, frame)
        ago = units.age(worker.left_at or worker.heard_at, frame.now)
        running = len(worker.active_ids)
        left = f", {running} running" if running else ""
        word = "silent" if status == "late" else "stopped" if worker.left_at else "lost"
        return ((f"{word} {ago} ago{left}", "warn" if status == "late" else "bad"),)

    def done(worker: Worker, frame: Frame) -> Cell:
        return figures.count(worker.processed)

    def load(worker: Worker, frame: Frame) -> Cell:
        return (f"{worker.load[0]:.1f} ld", "muted") if worker.load else figures.UNKNOWN

    return (
        Column("name", "Worker", 16, name, grow=1, ticks=_always),
        Column("busy", "Busy", 16, bar, ticks=_always, grow=1),
        Column("processed", "Done", 8, done, 2, justify="right"),
        Column("load", "Load", 7, load, 3, justify="right"),
    )


def running_columns(state: ClusterState) -> tuple[Column[Task], ...]:
    """Return the columns of running tasks; without word from a task, its bar is our guess."""

    def expected(task: Task) -> float | None:
        kind = state.types.get(task.name or "")
        return kind.runtime.quantile(0.5) if kind is not None else None

    def fraction(task: Task, frame: Frame) -> tuple[float | None, bool]:
        if task.progress is not None and task.progress.fraction is not None:
            return task.progress.fraction, False
        elapsed, whole = task.elapsed(frame.now), expected(task)
        if elapsed is None or not whole:
            return None, True
        return (elapsed / whole, True) if elapsed < whole else (None, True)

    def bar(task: Task, frame: Frame) -> Sequence[Cell]:
        share, guessed = fraction(task, frame)
        return progress_cells(
            share, _BAR, frame.glyphs, estimated=guessed, step=int(frame.now) + task.arrival
        )

    def left(task: Task, frame: Frame) -> Cell:
        progress = task.progress
        if progress is not None and progress.text:
            return progress.text, "muted"
        if progress is not None and progress.current is not None and progress.total:
            return f"{progress.current:g} of {progress.total:g}", "muted"
        share, _ = fraction(task, frame)
        elapsed = task.elapsed(frame.now)
        if share is None or elapsed is None or share <= 0.01:
            return ("longer than usual", "warn") if expected(task) else figures.NOTHING
        text = f"~{units.duration(elapsed / share - elapsed)} left"
        return text, "muted"

    return (
        Column("name", "Task", 18, task_columns.name, grow=2),
        Column("bar", "Progress", _BAR + 6, bar, ticks=_always),
        Column("elapsed", "For", 8, task_columns.elapsed, 1, justify="right", ticks=_always),
        Column("left", "", 14, left, 2, grow=2, ticks=_always),
    )


def _always(row: object) -> bool:
    return True


def _subject(alert: Alert, frame: Frame) -> Cell:
    return f"{frame.glyphs.level(alert.level)} {alert.subject}", alert.level


def _said(alert: Alert, frame: Frame) -> Cell:
    return alert.text, "text"


ALERTS: Final[tuple[Column[Alert], ...]] = (
    Column("subject", "What", 22, _subject, grow=1),
    Column("text", "Why", 30, _said, grow=4),
)
