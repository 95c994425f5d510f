"""The grid of a chart: the numbers and times on its axes, its lines, and the marks of workers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...model.entities.series.time_series import MarkKind
from ..glyphs import Glyphs
from .axis import Unit
from .chart_data import ChartData
from .plot import BLANK, Cell

MIN_LABEL_WIDTH: Final = 6
"""Cells of the numbers beside a chart: charts above each other have one axis of time."""
NOW: Final = "now"
MARK_STYLES: Final[dict[MarkKind, str]] = {
    "lost": "failed",
    "restarted": "retry",
    "started": "ok",
    "stopped": "axis",
    "deployed": "first",
}
_MARK_RANKS: Final[tuple[MarkKind, ...]] = ("stopped", "started", "restarted", "lost", "deployed")
"""Of several marks in one column, the last one in this order is drawn."""


def number_labels(numbers: Sequence[float], rows: int, unit: Unit) -> dict[int, str]:
    """Return the label of each row that has one, all of one width."""
    top = numbers[-1]
    texts: dict[int, str] = {}
    for number in (top, *numbers[:-1]):
        row = min(rows - 1, max(0, round((1 - number / top) * rows)))
        texts.setdefault(row, unit.tick(number, top))
    size = max(MIN_LABEL_WIDTH, *map(len, texts.values()))
    return {row: f"{text.rjust(size)} " for row, text in texts.items()}


def time_labels(data: ChartData, times: Sequence[tuple[int, str]], room: int) -> list[Cell]:
    """Return the axis of time: each label begins at its column."""
    cells: list[Cell] = []
    at = 0
    end = data.time(data.end) if data.past else NOW
    for column, label in (*times, (room - len(end), end)):
        is_last = label == end
        if column >= at and (is_last or column + len(label) < room - len(end)):
            cells += [(" " * (column - at), ""), (label, "axis")]
            at = column + len(label)
    return cells


def add_grid(
    cells: list[list[Cell]], columns: set[int], rows: set[int], marks: dict[int, MarkKind],
    glyphs: Glyphs,
) -> None:  # fmt: skip
    """Draw lines and marks where nothing else is drawn.

    Args:
        cells: The lines of the chart, which are changed.
        columns: The columns with a vertical line.
        rows: The rows with a horizontal line.
        marks: The mark of each column that has one.
        glyphs: The characters to draw with.
    """
    horizontal, vertical = ("-", "|") if glyphs.name == "ascii" else ("╌", "┊")
    for row, line in enumerate(cells):
        for x, cell in enumerate(line):
            if cell != BLANK:
                continue
            if x in marks:
                line[x] = (vertical, MARK_STYLES[marks[x]])
            elif row in rows and row < len(cells) - 1:
                line[x] = (horizontal, "grid")
            elif x in columns:
                line[x] = (vertical, "grid")
    for x, kind in marks.items():
        if 0 <= x < len(cells[0]):
            cells[0][x] = (_mark(kind, glyphs), MARK_STYLES[kind])


def marks_by_column(data: ChartData, seconds_per_column: float) -> dict[int, MarkKind]:
    """Return the mark to draw in each column; a column may lie outside the chart."""
    by_rank = sorted(data.marks, key=lambda mark: _MARK_RANKS.index(mark.kind))
    return {int((mark.at - data.start) // seconds_per_column): mark.kind for mark in by_rank}


def _mark(kind: MarkKind, glyphs: Glyphs) -> str:
    return {
        "lost": glyphs.bad,
        "restarted": glyphs.state("RETRY"),
        "started": glyphs.ascending,
        "stopped": glyphs.descending,
        "deployed": glyphs.deployed,
    }[kind]
