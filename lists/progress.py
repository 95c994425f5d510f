"""The progress of running tasks in tables: reported progress, or an estimate drawn differently."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from ..model.entities.task import Progress, Task
from ..model.ingest.slowdowns import is_much_longer
from ..model.ingest.tasks.progress_rate import MAX_ESTIMATE, typical_runtime
from ..model.text import units
from ..widgets.charts.progress import PERCENT_WIDTH, bar_cells, progress_cells
from ..widgets.table.cells import PART_GAP, Cell
from ..widgets.table.column import Column, Frame
from . import numbers, tasks
from .attempts import retry_count

if TYPE_CHECKING:
    from ..model.state import ClusterState
    from .context import KnowsRetries

MIN_AGE_SHOWN: Final = 1.5
"""Seconds; the age of more recent progress is left out."""
MIN_BAR_WIDTH: Final = 6
MAX_BAR_WIDTH: Final = 40
_LIST_BAR_WIDTH: Final = 8
_TILE_BAR_WIDTH: Final = 8
"""Its texts come first: it takes the cells that they leave."""


class ProgressContext(Protocol):
    """The context of a task's cells: all they need besides the task."""

    @property
    def state(self) -> ClusterState:
        """The model."""

    @property
    def settings(self) -> KnowsRetries:
        """The settings."""

    @property
    def progress_unavailable(self) -> str | None:
        """Why the progress of tasks is unknown; None if it is read."""


def current_progress(
    task: Task, context: ProgressContext, now: float
) -> tuple[Progress | None, bool]:
    """Return a running task's progress, and whether it is celtop's own estimate."""
    reported = task.progress
    if reported is not None and reported.fraction is not None:
        return reported, False
    estimate = context.state.estimate(task, now)
    return (reported, False) if estimate is None else (estimate, True)


def progress_texts(task: Task, context: ProgressContext, now: float) -> tuple[str, ...]:
    """Return the texts beside a running task's bar, the most important first."""
    progress, estimated = current_progress(task, context, now)
    if progress is None:
        return ()
    found = []
    if estimated and progress.fraction is not None:
        found.append(_estimate_text(task, progress.fraction, context, now))
    left = context.state.time_left(task, now)
    if left is not None:
        found.append(f"~{units.duration(left)} left")
    if steps := units.steps(progress.current, progress.total):
        found.append(steps)
    if progress.text:
        found.append(progress.text)
    return tuple(found)


def large_bar_texts(task: Task, context: ProgressContext, now: float) -> tuple[str, ...]:
    """Return the texts below a running task's large bar: text, time left, rate."""
    texts = list(progress_texts(task, context, now))
    progress = task.progress
    if progress is not None and progress.text:
        texts.remove(progress.text)
        texts.insert(0, progress.text)
    rate = context.state.rate(task)
    if rate is not None and progress is not None:
        whole = progress.total
        texts.append(units.rate(rate * whole) if whole else f"{units.percent(rate)}/s")
    return tuple(texts)


def progress_source(task: Task, context: ProgressContext, now: float) -> str:
    """Return where a running task's progress comes from, and its age."""
    progress, estimated = current_progress(task, context, now)
    if estimated:
        return "estimated from earlier runs"
    if progress is None:
        return ""
    from_event = progress.source == "event"
    source = "from task events" if from_event else "from the result backend"
    # Events have their sender's timestamps; the backend was read by this host's clock.
    age = (now + context.state.skew(task.worker) if from_event else now) - progress.at
    return f"{source}, {units.duration(age)} ago" if age >= MIN_AGE_SHOWN else source


def _estimate_text(task: Task, fraction: float, context: ProgressContext, now: float) -> str:
    """Return the estimated time left, or how long such tasks usually run.

    The bar shows that it is an estimate, and the `~` of its percentage.
    """
    elapsed, usual = _runtimes(task, context, now)
    if fraction >= MAX_ESTIMATE and usual:
        return f"usually {units.duration(usual)}"
    if not elapsed or fraction <= 0:
        return "estimate"
    return f"~{units.duration(elapsed / fraction - elapsed)} left"


def _takes_long(task: Task, context: ProgressContext, now: float) -> bool:
    """Return whether a task without progress runs much longer than usual."""
    elapsed, usual = _runtimes(task, context, now)
    if not elapsed or not usual or not current_progress(task, context, now)[1]:
        return False
    return is_much_longer(elapsed, usual, context.state.thresholds)


def _runtimes(
    task: Task, context: ProgressContext, now: float
) -> tuple[float | None, float | None]:
    """Return for how many seconds a task runs, by its worker's clock, and the usual run time."""
    kind = context.state.types.get(task.name or "")
    elapsed = task.elapsed(context.state.running_at(task.worker, now))
    return elapsed, None if kind is None else typical_runtime(kind)


def bar_cell(context: ProgressContext, width: int) -> Callable[[Task, Frame], Sequence[Cell]]:
    """Return the cell function of a running task's bar: `width` cells, then the percentage."""

    def bar(task: Task, frame: Frame) -> Sequence[Cell]:
        if not task.running:
            return (numbers.NOTHING,)
        progress, estimated = current_progress(task, context, frame.now)
        if progress is None:
            return (numbers.UNKNOWN if context.progress_unavailable else numbers.NOTHING,)
        step = int(frame.now) + task.arrival
        if progress.fraction is None:
            return bar_cells(None, width, frame.glyphs, step=step)
        return progress_cells(
            progress.fraction, width, frame.glyphs, estimated=estimated, step=step
        )

    return bar


def text_cell(context: ProgressContext) -> Callable[[Task, Frame], Sequence[Cell]]:
    """Return the cell function of the texts beside a bar."""

    def cell(task: Task, frame: Frame) -> Sequence[Cell]:
        texts = progress_texts(task, context, frame.now) if task.running else ()
        style = "warn" if texts and _takes_long(task, context, frame.now) else "muted"
        return [
            (text if not number else PART_GAP + text, style) for number, text in enumerate(texts)
        ]

    return cell


def running_columns(context: ProgressContext) -> tuple[Column[Task], ...]:
    """Return the columns of a small table of running tasks."""
    return (
        Column("name", "Task", 18, tasks.name, grow=2, keeps_end=True),
        Column(
            "bar",
            "Progress",
            _TILE_BAR_WIDTH + PERCENT_WIDTH,
            bar_cell(context, _TILE_BAR_WIDTH),
            1,
            ticks=_running,
            narrow_width=MIN_BAR_WIDTH + PERCENT_WIDTH,
            max_width=MAX_BAR_WIDTH + PERCENT_WIDTH,
            fill=lambda task, frame, wide: bar_cell(context, wide - PERCENT_WIDTH)(task, frame),
        ),
        replace(tasks.RUNNING_TIME, width=8),
        Column("left", "", 14, text_cell(context), 2, grow=2, narrow_width=8, ticks=_running),
    )


def with_progress(
    columns: Sequence[Column[Task]], context: ProgressContext
) -> tuple[Column[Task], ...]:
    """Return columns of tasks with progress bars and maximum retries added."""
    bar, text_beside = bar_cell(context, _LIST_BAR_WIDTH), text_cell(context)

    def outcome(task: Task, frame: Frame) -> Cell | Sequence[Cell]:
        if not task.running or task.revoking or task.exception is not None:
            return tasks.outcome(task, frame)
        texts = text_beside(task, frame)
        gap = [(PART_GAP + text, style) for text, style in texts[:1]]
        return (*bar(task, frame), *gap, *texts[1:])

    def retries(task: Task, frame: Frame) -> Cell:
        if not task.known_retries:
            return tasks.retries(task, frame)
        return retry_count(task, context.settings.max_retries_of(task.name)), "state-retry"

    changed = {
        "outcome": lambda column: replace(column, cell=outcome, ticks=_running),
        "retries": lambda column: replace(column, cell=retries),
    }
    return tuple(
        changed[column.id](column) if column.id in changed else column for column in columns
    )


def _running(task: Task) -> bool:
    return task.running
