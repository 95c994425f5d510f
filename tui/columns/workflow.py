"""The columns of a workflow: its tree, and a bar for each task on a common time axis."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

from ...lists import numbers, tasks
from ...model.entities.states import FAILURE, PENDING, RETRY, REVOKED, STARTED, SUCCESS
from ...model.entities.styles import state_style
from ...model.text import units
from ...model.text.phrases import short_id, short_worker
from ...model.workflow.members import MemberStatus
from ...model.workflow.tree import NodeKind
from ...model.workflow.view import TreeGuide, WorkflowRow, WorkflowView
from ...widgets.charts.timeline import PHASE_KINDS, timed_attempts
from ...widgets.table.cells import Cell
from ...widgets.table.column import Column, Frame

_GUIDES: Final[dict[TreeGuide, str]] = {
    "none": "  ",
    "line": "│ ",
    "branch": "├ ",
    "last": "└ ",
    "deeper": "… ",
}
_ASCII_GUIDES: Final[dict[TreeGuide, str]] = {
    "none": "  ",
    "line": "| ",
    "branch": "|-",
    "last": "`-",
    "deeper": "~ ",
}
_ROLES: Final[dict[NodeKind, str]] = {
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
_GROUP_STATES: Final[tuple[tuple[MemberStatus, str], ...]] = (
    ("failed", FAILURE),
    ("rejected", FAILURE),
    ("lost", FAILURE),
    ("revoked", REVOKED),
    ("retrying", RETRY),
    ("running", STARTED),
    ("waiting", PENDING),
)
"""The state shown for a group: the first one that any of its members has."""

MEMBER_STYLES: Final[dict[MemberStatus, str]] = {
    "succeeded": "good",
    "failed": "bad",
    "rejected": "bad",
    "lost": "warn",
    "revoked": "muted",
    "retrying": "state-retry",
    "running": "state-started",
    "waiting": "muted",
}


def workflow_columns(view: WorkflowView) -> tuple[Column[WorkflowRow], ...]:
    """Return the columns of a workflow's rows."""

    def bar(row: WorkflowRow, frame: Frame, width: int) -> Sequence[Cell]:
        return _bar(row, frame, width, view.axis.begin, view.axis.length)

    return (
        Column("state", "State", 12, state),
        Column("name", "Task", 24, name, grow=3, narrow_width=20),
        Column("role", "Role", 6, role, 7),
        Column("worker", "Worker", 16, worker, 6, shorten=short_worker),
        Column("runtime", "Runtime", 8, runtime, 1, justify="right", ticks=ticking),
        Column("retries", "Retry", 5, retries, 8, justify="right"),
        Column("time", "Timeline", 24, _blank, 2, grow=6, narrow_width=18, fill=bar),
        Column("outcome", "Outcome", 18, outcome, 5, grow=2),
    )


def _blank(row: WorkflowRow, frame: Frame) -> Cell:
    return numbers.NOTHING


def ticking(row: WorkflowRow) -> bool:
    """Return whether a row's cells change as time passes."""
    task = row.node.task
    if task is not None:
        return not task.finished and task.lost_at is None
    return row.span is not None and row.span[1] is None


def state(row: WorkflowRow, frame: Frame) -> Cell:
    """Return a task's state; for a group, how many of its members succeeded."""
    node, glyphs = row.node, frame.glyphs
    if node.task is not None:
        return tasks.state(node.task, frame)
    if node.kind == "group":
        counts = dict(row.counts)
        worst = next((state for one, state in _GROUP_STATES if counts.get(one)), SUCCESS)
        text = f"{counts.get('succeeded', 0):,} of {sum(counts.values()):,}"
        return f"{glyphs.state(worst)} {text}", state_style(worst)
    if node.kind == "unheard":
        return f"{units.UNKNOWN} no events", "muted"
    if node.given_up:
        return f"{glyphs.state(REVOKED)} not sent", "state-revoked"
    return f"{glyphs.state(PENDING)} upcoming", "muted"


def name(row: WorkflowRow, frame: Frame) -> Sequence[Cell]:
    """Return the tree guides of a row, and its name; `!` marks the path to a failure."""
    node, glyphs = row.node, frame.glyphs
    lines = _ASCII_GUIDES if glyphs.name == "ascii" else _GUIDES
    cells: list[Cell] = [("".join(lines[turn] for turn in row.guides), "muted")]
    if node.failed:
        cells.append(("! ", "bad"))
    if node.kind == "group":
        fold = glyphs.tree_closed if row.folded else glyphs.tree_open
        cells.append((f"{fold} group", "accent"))
        cells += [(f"  {number:,} {one}", MEMBER_STYLES[one]) for one, number in _other_counts(row)]
    elif node.kind == "unheard":
        cells.append((f"{short_id(node.id)} (no events received)", "muted"))
    elif node.task is None:
        cells.append((node.name, "muted"))
    else:
        text, style = node.name or f"{units.UNKNOWN} {short_id(node.id)}", "text"
        quiet = row.context or node.task.state == REVOKED
        cells.append((text, "muted" if quiet else "bad" if node.failed else style))
    return cells


def _other_counts(row: WorkflowRow) -> list[tuple[MemberStatus, int]]:
    """Return the counts of a group's members that did not succeed."""
    return [(one, number) for one, number in row.counts if number and one != "succeeded"]


def role(row: WorkflowRow, frame: Frame) -> Cell:
    """Return the role of a row in its workflow."""
    return _ROLES[row.node.kind], "muted"


def worker(row: WorkflowRow, frame: Frame) -> Cell:
    """Return a task's worker."""
    task = row.node.task
    return (task.worker, "text") if task is not None and task.worker else numbers.NOTHING


def runtime(row: WorkflowRow, frame: Frame) -> Cell:
    """Return how long a task ran; for a group, from its first start to its last end."""
    task = row.node.task
    if task is not None:
        return tasks.elapsed(task, frame)
    if row.span is None:
        return numbers.NOTHING
    begin, end = row.span
    return numbers.seconds((frame.now if end is None else end) - begin, "muted")


def retries(row: WorkflowRow, frame: Frame) -> Cell:
    """Return a task's number of retries."""
    task = row.node.task
    return numbers.NOTHING if task is None else tasks.retries(task, frame)


def outcome(row: WorkflowRow, frame: Frame) -> Cell | Sequence[Cell]:
    """Return a task's result or exception; for a group, the counts of its members by status."""
    task = row.node.task
    if task is not None:
        return tasks.outcome(task, frame)
    if not row.counts:
        return numbers.NOTHING
    return [(f"{number:,} {one}  ", MEMBER_STYLES[one]) for one, number in row.counts if number]


def _bar(row: WorkflowRow, frame: Frame, width: int, begin: float, length: float) -> Sequence[Cell]:
    """Return when a task, or a group's members, waited and ran, on the time axis."""
    cells: list[Cell] = [(" ", "text")] * width
    glyphs, task = frame.glyphs, row.node.task

    def draw(start: float, end: float, glyph: str, style: str) -> None:
        first = int((start - begin) / length * width)
        # Even a short phase takes one cell; a later phase in the same cell is drawn over it.
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
            # Of some tasks only the end is known.
            style = state_style(task.state)
            ended = frame.to_local(task.finished_at, task.worker)
            draw(ended, ended, glyphs.phases[-1], style)
        for attempt in timed_attempts(task, frame.now, frame.skews):
            for phase in attempt.phases:
                glyph = glyphs.phases[PHASE_KINDS.index(phase.kind)]
                ran = phase.kind == "run"
                style = state_style(attempt.state) if ran else "muted"
                draw(phase.start, phase.end, glyph, style)
    return [
        ("".join(glyph for glyph, _ in run), style)
        for style, run in ((style, list(cells)) for style, cells in groupby(cells, itemgetter(1)))
    ]
