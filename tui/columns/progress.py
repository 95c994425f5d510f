"""How far running tasks are, in tables: bars of what they tell, or estimates drawn otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ...model.entities.task import Progress, Task
from ...model.ingest.progress_rate import MAX_ESTIMATE
from ...model.text import units
from ...widgets.charts.progress import bar_cells, progress_cells
from ...widgets.table.cells import Cell
from ...widgets.table.column import Column, Frame
from ..text.attempts import retried
from . import numbers, tasks

if TYPE_CHECKING:
    from ..context import AppContext

JUST_NOW: Final = 1.5
"""Seconds: what was told so lately has no age that matters."""
_IN_LIST: Final = 8
"""Cells of a bar in the list of tasks."""


def shown(task: Task, context: AppContext, now: float) -> tuple[Progress | None, bool]:
    """Return how far a running task is, and whether that is only our estimate."""
    told = task.progress
    if told is not None and told.fraction is not None:
        return told, False
    guess = context.state.estimate(task, now)
    return (told, False) if guess is None else (guess, True)


def words(task: Task, context: AppContext, now: float) -> tuple[str, ...]:
    """Return what there is to say beside a running task's bar, the most telling first."""
    progress, estimated = shown(task, context, now)
    if progress is None:
        return ()
    found = []
    if estimated and progress.fraction is not None:
        there = now + context.state.skew(task.worker)
        found.append(_expected(task, progress.fraction, there))
    left = context.state.time_left(task, now)
    if left is not None:
        found.append(f"~{units.duration(left)} left")
    if progress.current is not None and progress.total:
        found.append(f"{progress.current:g} of {progress.total:g}")
    if progress.text:
        found.append(progress.text)
    return tuple(found)


def large_words(task: Task, context: AppContext, now: float) -> tuple[str, ...]:
    """Return what there is to say below a running task's large bar: text, pace, time left."""
    said = list(words(task, context, now))
    progress = task.progress
    if progress is not None and progress.text:
        said.remove(progress.text)
        said.insert(0, progress.text)
    pace = context.state.rate(task)
    if pace is not None and progress is not None:
        whole = progress.total
        said.append(units.rate(pace * whole) if whole else f"{units.percent(pace)}/s")
    return tuple(said)


def source_words(task: Task, context: AppContext, now: float) -> str:
    """Return who says how far a running task is, and when."""
    progress, estimated = shown(task, context, now)
    if estimated:
        return "estimated from earlier tasks of its name"
    if progress is None:
        return ""
    heard = progress.source == "event"
    who = "its events" if heard else "the result backend"
    # Events bear their sender's time; when the backend was read is by our clock.
    age = (now + context.state.skew(task.worker) if heard else now) - progress.at
    return f"by {who}, {units.duration(age)} ago" if age >= JUST_NOW else f"by {who}"


def _expected(task: Task, fraction: float, now: float) -> str:
    """Return how long it may take yet; `now` is by its worker's clock."""
    elapsed = task.elapsed(now)
    if fraction >= MAX_ESTIMATE:
        return "longer than usual"
    if not elapsed or fraction <= 0:
        return "estimate"
    return f"~{units.duration(elapsed / fraction - elapsed)} left (estimate)"


def bar_of(context: AppContext, width: int) -> Callable[[Task, Frame], Sequence[Cell]]:
    """Return what draws a running task's bar, `width` cells wide and the number behind it."""

    def bar(task: Task, frame: Frame) -> Sequence[Cell]:
        if not task.running:
            return (numbers.NOTHING,)
        progress, estimated = shown(task, context, frame.now)
        if progress is None:
            return (numbers.UNKNOWN if context.progress_unavailable else numbers.NOTHING,)
        step = int(frame.now) + task.arrival
        if progress.fraction is None:
            return bar_cells(None, width, frame.glyphs, step=step)
        return progress_cells(
            progress.fraction, width, frame.glyphs, estimated=estimated, step=step
        )

    return bar


def words_of(context: AppContext) -> Callable[[Task, Frame], Cell]:
    """Return what tells the words beside a bar."""

    def cell(task: Task, frame: Frame) -> Cell:
        said = words(task, context, frame.now) if task.running else ()
        return "  ".join(said), "warn" if "longer than usual" in said else "muted"

    return cell


def running_columns(context: AppContext, width: int = 14) -> tuple[Column[Task], ...]:
    """Return the columns of a small table of running tasks."""
    return (
        Column("name", "Task", 18, tasks.name, grow=2),
        Column("bar", "Progress", width + 6, bar_of(context, width), ticks=_running),
        Column(
            "elapsed", "For", 8, tasks.elapsed, 1, justify="right", ticks=_running
        ),
        Column("left", "", 14, words_of(context), 2, grow=2, ticks=_running),
    )  # fmt: skip


def with_progress(columns: Sequence[Column[Task]], context: AppContext) -> tuple[Column[Task], ...]:
    """Return columns of tasks in which running ones have bars, and retries their most."""
    bar, beside = bar_of(context, _IN_LIST), words_of(context)

    def outcome(task: Task, frame: Frame) -> Cell | Sequence[Cell]:
        if not task.running or task.revoking or task.exception is not None:
            return tasks.outcome(task, frame)
        text, style = beside(task, frame)
        return (*bar(task, frame), (f"  {text}" if text else "", style))

    def retries(task: Task, frame: Frame) -> Cell:
        text = retried(task, context.settings.max_retries_of(task.name)) if task.retries else ""
        return text, "state-retry"

    changed = {
        "outcome": lambda column: replace(column, cell=outcome, ticks=_running),
        "retries": lambda column: replace(column, cell=retries),
    }
    return tuple(
        changed[column.id](column) if column.id in changed else column for column in columns
    )


def _running(task: Task) -> bool:
    return task.running
