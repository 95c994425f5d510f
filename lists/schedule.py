"""The columns of the schedule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ..model.entities.schedule import SOURCE_NAMES
from ..model.entities.styles import state_style
from ..model.health.tasks.schedule_status import EntryStatus, Word
from ..model.text import units
from ..widgets.table.cells import Cell
from ..widgets.table.column import Column, Frame
from . import numbers

RUNS_WIDTH: Final = 10
_STYLES: Final[Mapping[Word, str]] = {
    "overdue": "bad",
    "scheduled": "good",
    "unknown": "muted",
    "not started": "muted",
    "disabled": "muted",
    "expired": "muted",
    "finished": "muted",
}
_ORDER: Final[tuple[Word, ...]] = (
    *("finished", "expired", "disabled", "unknown", "not started", "scheduled", "overdue"),
)


def status(row: EntryStatus, frame: Frame) -> Cell:
    """Return whether an entry is overdue, scheduled or disabled."""
    style = _STYLES[row.word]
    glyph = f"{frame.glyphs.level(style)} " if style in ("bad", "good") else ""
    return f"{glyph}{row.word}", style


def next_run(row: EntryStatus, frame: Frame) -> Cell:
    """Return when an entry is due: `in 12 s`, `within 1 h`, or for how long it is overdue."""
    at = row.next_run_at
    if row.overdue_s is not None and at is not None:
        return f"{units.duration(int(frame.now - at))} late", "bad"
    if at is None and row.next_run_by is not None and row.entry.every is not None:
        return units.within(row.entry.every), "muted"
    if at is None:
        return ("-", "muted") if row.word != "unknown" else numbers.UNKNOWN
    return ("now", "text") if at <= frame.now else (units.age(at, frame.now), "text")


def last_run(row: EntryStatus, frame: Frame) -> Cell:
    """Return how long ago an entry last ran."""
    at = row.last_run_at
    if at is None:
        return ("never", "muted") if row.entry.total_runs == 0 else numbers.UNKNOWN
    return units.ago(at, frame.now), "text"


def runs(row: EntryStatus, frame: Frame) -> Sequence[Cell]:
    """Return the outcomes of the last runs as glyphs, the newest on the right."""
    shown = row.runs[-RUNS_WIDTH:]
    cells: list[Cell] = (
        [(" " * (RUNS_WIDTH - len(shown)), "text")] if len(shown) < RUNS_WIDTH else []
    )
    return [*cells, *((frame.glyphs.state(task.state), state_style(task.state)) for task in shown)]


def _name(row: EntryStatus, frame: Frame) -> Cell:
    style = {"overdue": "bad", "scheduled": "text"}.get(row.word, "muted")
    return row.entry.name, style


def _total(row: EntryStatus, frame: Frame) -> Cell:
    return numbers.count(row.entry.total_runs)


def _arguments(row: EntryStatus, frame: Frame) -> Cell:
    return arguments(row), "muted"


def arguments(row: EntryStatus) -> str:
    """Return the arguments of an entry as in a call: `1, 'a', kind='daily'`."""
    entry = row.entry
    parts = [repr(value) for value in entry.args]
    return ", ".join([*parts, *(f"{name}={value!r}" for name, value in entry.kwargs.items())])


def _source(row: EntryStatus, frame: Frame) -> Cell:
    return SOURCE_NAMES[row.entry.source], "muted"


def _ticks(row: EntryStatus) -> bool:
    return True


SCHEDULE: Final[tuple[Column[EntryStatus], ...]] = (
    Column("name", "Entry", 18, _name, grow=2, narrow_width=14, sort_key="name"),
    Column("status", "Status", 11, status, 1, sort_key="trouble"),
    Column(
        "next", "Next run", 12, next_run, justify="right", ticks=_ticks, sort_key="next"
    ),
    Column("schedule", "Schedule", 26, lambda row, _: (row.entry.schedule, "text"), 1, grow=3,
           narrow_width=16, sort_key="schedule"),
    Column("task", "Task", 18, lambda row, _: (row.entry.task, "accent"), 3, grow=2,
           sort_key="task", keeps_end=True),
    Column("last", "Last run", 11, last_run, 2, justify="right", ticks=_ticks, sort_key="last",
           descending=True),
    Column("runs", "Last runs", RUNS_WIDTH, runs, 4),
    numbers.column("total", "Runs", 7, _total, 6),
    Column("queue", "Queue", 12, lambda row, _: (row.entry.queue or "", "muted"), 7,
           sort_key="queue"),
    Column("arguments", "Arguments", 16, _arguments, 8, grow=1),
    Column("source", "Source", 20, _source, 9, remark=True),
)  # fmt: skip

_NEVER: Final = float("inf")

SCHEDULE_KEYS: Final[Mapping[str, Callable[[EntryStatus], Any]]] = {
    "trouble": lambda row: (row.word != "overdue", _due(row), -_ORDER.index(row.word)),
    "name": lambda row: row.entry.name,
    "next": lambda row: _due(row),
    "schedule": lambda row: row.entry.schedule,
    "task": lambda row: row.entry.task,
    "last": lambda row: row.last_run_at or 0.0,
    "total": lambda row: row.entry.total_runs,
    "queue": lambda row: row.entry.queue or "",
}


def _due(row: EntryStatus) -> float:
    return _NEVER if row.next_run_by is None else row.next_run_by


ORDER: Final = ("status", False)
"""The column that the list is sorted by at first, and whether the largest is first."""


def search_text(row: EntryStatus) -> str:
    """Return the text that a filter matches: name, task, schedule, arguments, queue and status."""
    entry = row.entry
    words = (entry.name, entry.task, entry.schedule, arguments(row), entry.queue, row.word)
    return " ".join(word for word in words if word)
