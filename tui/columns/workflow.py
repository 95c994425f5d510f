"""The columns of a workflow: its tree, and what took when on one axis of time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from ...model.entities.states import FAILURE, PENDING, RETRY, REVOKED, STARTED, SUCCESS
from ...model.text import units
from ...model.workflow.members import MemberStatus
from ...model.workflow.tree import NodeKind
from ...model.workflow.view import TreeGuide, WorkflowRow, WorkflowView
from ...widgets.charts.timeline import KINDS, tries
from ...widgets.table.cells import Cell, state_style
from ...widgets.table.column import Column, Frame
from . import numbers, tasks

_LINES: Final[dict[TreeGuide, str]] = {
    "none": "  ",
    "line": "│ ",
    "branch": "├ ",
    "last": "└ ",
    "deeper": "… ",
}
_ASCII_LINES: Final[dict[TreeGuide, str]] = {
    "none": "  ",
    "line": "| ",
    "branch": "|-",
    "last": "`-",
    "deeper": "~ ",
}
_PARTS: Final[dict[NodeKind, str]] = {
    "root": "",
    "step": "then",
    "member": "member",
    "body": "body",
    "callback": "then",
    "child": "child",
    "retry": "retry",
    "group": "group",
    "unheard": "",
}
_STATES: Final[tuple[tuple[MemberStatus, str], ...]] = (
    ("failed", FAILURE),
    ("rejected", FAILURE),
    ("lost", FAILURE),
    ("revoked", REVOKED),
    ("retrying", RETRY),
    ("running", STARTED),
    ("waiting", PENDING),
)
"""What a group stands for, the first that any of its members is."""


def workflow_columns(view: WorkflowView) -> tuple[Column[WorkflowRow], ...]:
    """Return the columns of a workflow's rows; the axis of time is the view's."""

    def bar(row: WorkflowRow, frame: Frame, width: int) -> Sequence[Cell]:
        return _bar(row, frame, width, view.axis.begin, view.axis.length)

    def on_time(row: WorkflowRow, frame: Frame) -> Cell:
        return numbers.NOTHING

    return (
        Column("state", "State", 12, state),
        Column("name", "Task", 24, name, grow=3, narrow_width=20),
        Column("part", "Part", 6, part, 6),
        Column("worker", "Worker", 16, worker, 5, narrow_width=12),
        Column("runtime", "Runtime", 8, runtime, 1, justify="right", ticks=goes_on),
        Column("retries", "Rty", 3, retries, 7, justify="right"),
        Column("time", "When", 24, on_time, 2, grow=6, narrow_width=18, fill=bar),
        Column("outcome", "Outcome", 18, outcome, 8, grow=2),
    )


def goes_on(row: WorkflowRow) -> bool:
    """Tell whether a row changes with the time alone."""
    task = row.node.task
    if task is not None:
        return not task.finished and task.lost_at is None
    return row.span is not None and row.span[1] is None


def state(row: WorkflowRow, frame: Frame) -> Cell:
    """Return a task's state; of a group how many of its members succeeded."""
    node, glyphs = row.node, frame.glyphs
    if node.task is not None:
        return tasks.state(node.task, frame)
    if node.kind == "group":
        counts = dict(row.counts)
        worst = next((state for one, state in _STATES if counts.get(one)), SUCCESS)
        text = f"{counts.get('succeeded', 0):,} of {sum(counts.values()):,}"
        return f"{glyphs.state(worst)} {text}", state_style(worst)
    if node.kind == "unheard":
        return f"{units.UNKNOWN} unheard", "muted"
    if node.given_up:
        return f"{glyphs.state(REVOKED)} not sent", "state-revoked"
    return f"{glyphs.state(PENDING)} to come", "muted"


def name(row: WorkflowRow, frame: Frame) -> Sequence[Cell]:
    """Return the lines that lead to a row, and its name; `!` marks the way to a failure."""
    node, glyphs = row.node, frame.glyphs
    lines = _ASCII_LINES if glyphs.name == "ascii" else _LINES
    cells: list[Cell] = [("".join(lines[turn] for turn in row.guides), "muted")]
    if node.failed:
        cells.append(("! ", "bad"))
    if node.kind == "group":
        fold = glyphs.tree_closed if row.folded else glyphs.tree_open
        cells.append((f"{fold} group", "accent"))
        cells += [(f"  {number:,} {one}", _style(one)) for one, number in _apart(row)]
    elif node.kind == "unheard":
        cells.append((f"{node.id[:8]}, of which nothing was heard", "muted"))
    elif node.task is None:
        cells.append((node.name, "muted"))
    else:
        text, style = node.name or f"{units.UNKNOWN} {node.id[:8]}", "text"
        quiet = row.context or node.task.state == REVOKED
        cells.append((text, "muted" if quiet else "bad" if node.failed else style))
    return cells


def _apart(row: WorkflowRow) -> list[tuple[MemberStatus, int]]:
    """Return what stands out among a group's members."""
    return [(one, number) for one, number in row.counts if number and one != "succeeded"]


def _style(one: MemberStatus) -> str:
    if one in ("failed", "rejected"):
        return "bad"
    return {"lost": "warn", "retrying": "state-retry", "running": "state-started"}.get(one, "muted")


def part(row: WorkflowRow, frame: Frame) -> Cell:
    """Return what a row is to the one before or above it."""
    return _PARTS[row.node.kind], "muted"


def worker(row: WorkflowRow, frame: Frame) -> Cell:
    """Return who has a task."""
    task = row.node.task
    return (task.worker, "text") if task is not None and task.worker else numbers.NOTHING


def runtime(row: WorkflowRow, frame: Frame) -> Cell:
    """Return how long a task ran; of a group, from its first task on to its last one's end."""
    task = row.node.task
    if task is not None:
        return tasks.elapsed(task, frame)
    if row.span is None:
        return numbers.NOTHING
    begin, end = row.span
    return numbers.seconds((frame.now if end is None else end) - begin, "muted")


def retries(row: WorkflowRow, frame: Frame) -> Cell:
    """Return how often a task was tried again."""
    task = row.node.task
    number = 0 if task is None else task.retries
    return (str(number), "state-retry") if number else numbers.NOTHING


def outcome(row: WorkflowRow, frame: Frame) -> Cell | Sequence[Cell]:
    """Return what came of a task; of a group how many of its members are how far."""
    task = row.node.task
    if task is not None:
        return tasks.outcome(task, frame)
    if not row.counts:
        return numbers.NOTHING
    return [(f"{number:,} {one}  ", _style(one)) for one, number in row.counts if number]


def _bar(row: WorkflowRow, frame: Frame, width: int, begin: float, length: float) -> Sequence[Cell]:
    """Return when a task waited and ran, or a group's members did, on the axis of time."""
    cells: list[Cell] = [(" ", "text")] * width
    glyphs, task = frame.glyphs, row.node.task

    def draw(start: float, end: float, glyph: str, style: str) -> None:
        first = int((start - begin) / length * width)
        # What is short is seen, too; what comes later in the same cell is drawn over it.
        last = max(first + 1, round((end - begin) / length * width))
        first = max(0, min(first, width - 1))
        for at in range(first, max(first + 1, min(last, width))):
            cells[at] = (glyph, style)

    if task is None:
        if row.span is not None:
            start, end = row.span
            draw(start, frame.now if end is None else end, glyphs.bar_estimated, "bar-rest")
    else:
        if task.finished_at is not None:
            # Of some nothing but the end is known.
            style = state_style(task.state)
            ended = frame.ours(task.finished_at, task.worker)
            draw(ended, ended, glyphs.phases[-1], style)
        for attempt in tries(task, frame.now, frame.skews):
            for phase in attempt.phases:
                glyph = glyphs.phases[KINDS.index(phase.kind)]
                ran = phase.kind == "run"
                style = state_style(attempt.state) if ran else "muted"
                draw(phase.start, phase.end, glyph, style)
    return [
        ("".join(glyph for glyph, _ in run), style)
        for style, run in ((style, list(cells)) for style, cells in groupby(cells, _second))
    ]


def _second(cell: Cell) -> str:
    return cell[1]
