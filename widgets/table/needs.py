"""The room that the visible cells of a table need, measured from time to time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from rich.cells import cell_len

from ...model.text import units
from .cells import plain
from .column import Column, Frame, Rows

R = TypeVar("R")

MAX_MEASURED: Final = 200
"""Cells up to which a text is measured: a longer one does not need more room than others."""
MEASURE_SECONDS: Final = 2.0
"""Seconds between two measurements of visible rows, each of which costs as much as drawing them."""
UNINFORMATIVE: Final = frozenset({"", "-", units.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Needs:
    """The needs of the visible cells of a table: widths, and columns that may give theirs away."""

    widths: Mapping[str, int] = field(default_factory=dict)
    """Cells of the longest text of each column that was measured."""
    blank: frozenset[str] = frozenset()
    """The columns of which every cell is empty or unknown, or has the same remark."""
    empty: frozenset[str] = frozenset()
    """Those of them that have shown nothing so far: they are left out even if there is room."""

    def merged(self, newer: Needs) -> Needs:
        """Return newer needs, in which no column has become narrower, so that none jumps."""
        old = self.widths
        widths = {name: max(width, old.get(name, 0)) for name, width in newer.widths.items()}
        return Needs(widths, newer.blank, newer.empty & self.empty)


class ColumnFit:
    """The widths that the cells of a table need, measured every `MEASURE_SECONDS`.

    A cell that is longer than all that were measured, and is cut for this, is measured immediately.
    While the size of the table stays the same, no column becomes narrower.
    """

    def __init__(self) -> None:
        self.needs: Needs | None = None
        self._shape: tuple[object, ...] = ()
        self._measured: tuple[object, ...] = ()

    def update(
        self,
        columns: Sequence[Column[R]],
        rows: Rows[R],
        visible: range,
        size: tuple[int, int],
        frame: Frame,
        *,
        keep_blank: bool = False,
        force: bool = False,
    ) -> bool:
        """Measure the visible rows if it is time to; return whether the needs have changed.

        `size` is the table's, in cells; `keep_blank` keeps columns without information; `force`
        measures in any case.
        """
        shape = (size, columns, rows)
        measured = (shape, frame.now // MEASURE_SECONDS, len(visible))
        if not visible or (measured == self._measured and not force):
            return False
        same, self._shape, self._measured = shape == self._shape, shape, measured
        needs = measure(columns, (rows[index] for index in visible), frame)
        if keep_blank:
            needs = Needs(needs.widths)
        if same and self.needs is not None:
            needs = self.needs.merged(needs)
        changed = needs != self.needs
        self.needs = needs
        return changed


def measure(columns: Sequence[Column[R]], rows: Iterable[R], frame: Frame) -> Needs:
    """Measure the cells of rows; columns that fill any width are left out."""
    measured = [column for column in columns if column.fill is None or column.max_width]
    widths = dict.fromkeys((column.id for column in measured), 0)
    informative: set[str] = set()
    filled: set[str] = set()
    remarks: dict[str, str] = {}
    for row in rows:
        for column in measured:
            text = plain(column.cell(row, frame))
            if text not in UNINFORMATIVE:
                filled.add(column.id)
            if column.remark and remarks.setdefault(column.id, text) != text:
                informative.add(column.id)
            text = text[:MAX_MEASURED]
            width = len(text) if text.isascii() else cell_len(text)
            if width > widths[column.id]:
                widths[column.id] = width
    informative |= filled - {column.id for column in measured if column.remark}
    known = frozenset(widths)
    return Needs(widths, known - informative, known - filled)
