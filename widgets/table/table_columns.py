"""The columns of a live table: which are shown, where, and by which one the rows are sorted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final, Generic, TypeVar

from .arrangement import are_hidden, arrange, last_offset, needed_widths
from .column import GAP, Column, Frame, Placed, Rows
from .layout import Layout, laid_out
from .lines import sort_mark
from .needs import ColumnFit, measure
from .viewport import Newest

R = TypeVar("R")

MAX_UNSEEN_ROWS: Final = 20
"""Rows that are measured before the table has a size."""
ARRIVAL: Final = "arrival"
"""The `sort_key` of the order in which rows arrive."""


class TableColumns(Generic[R]):
    """The columns as the user has chosen, scrolled and sorted them.

    Args:
        columns: The columns in their order; the first is always shown.
        sort: The id of the column that the rows are sorted by, and whether the largest is first.
    """

    def __init__(self, columns: Sequence[Column[R]], sort: tuple[str, bool] | None) -> None:
        self.all = tuple(columns)
        self.layout: Layout = ()
        """The columns that the user chose; empty is the table's own layout."""
        self.laid_out = self.all
        """The columns of the layout, in their order."""
        self.wide = False
        """Whether all columns are shown, to be scrolled."""
        self.offset = 0
        """How many columns after the first are scrolled away."""
        self.sort = sort
        self._fit = ColumnFit()

    def set_layout(self, layout: Layout) -> bool:
        """Choose other columns, or another order or width; return whether that is a change."""
        changed = layout != self.layout
        self.layout = layout
        self.laid_out = laid_out(self.all, layout, wide=self.wide)
        return changed

    def toggle_wide(self) -> None:
        """Show all columns, or only those that fit."""
        self.wide = not self.wide
        self.offset = 0
        self.laid_out = laid_out(self.all, self.layout, wide=self.wide)

    def scroll(self, step: int, width: int) -> bool:
        """Scroll by some columns, within `width` cells; return whether that is a change."""
        before = self.offset
        last = last_offset(self.laid_out, width, wide=self.wide)
        self.offset = max(0, min(before + step, last))
        return self.offset != before

    # Order

    @property
    def newest(self) -> Newest | None:
        """Where the newest row is, if the rows are sorted by their arrival."""
        if self.sort is None:
            return None
        column_id, descending = self.sort
        if self.sort_key(column_id) != ARRIVAL:
            return None
        return "first" if descending else "last"

    def sort_key(self, column_id: str) -> str | None:
        """Return the key to sort by a column; None if it is unknown or cannot be sorted by."""
        return next((one.sort_key for one in self.all if one.id == column_id), None)

    def sortable_beside(self, step: int) -> Column[R] | None:
        """Return the next column to sort by, or the previous one if `step` is -1."""
        sortable = [
            column
            for column in self.laid_out
            if column.sort_key is not None and (self.wide or not column.wide_only)
        ]
        if not sortable:
            return None
        ids = [column.id for column in sortable]
        if self.sort is None or self.sort[0] not in ids:
            return sortable[0 if step > 0 else -1]
        return sortable[(ids.index(self.sort[0]) + step) % len(ids)]

    # Room; all widths are in cells

    @property
    def measured_widths(self) -> Mapping[str, int]:
        """The longest text of each column that was measured, by its id."""
        return {} if self._fit.needs is None else self._fit.needs.widths

    @property
    def empty(self) -> Collection[str]:
        """The ids of columns that show nothing, and are left out for it."""
        return () if self._fit.needs is None else self._fit.needs.empty

    def measure(
        self,
        rows: Rows[R],
        visible: range,
        size: tuple[int, int],
        frame: Frame,
        *,
        force: bool = False,
    ) -> bool:
        """Measure the visible rows if it is time to, or `force`; return whether needs changed."""
        return self._fit.update(
            self.laid_out,
            rows,
            visible,
            size,
            frame,
            keep_blank=bool(self.layout),
            force=force,
        )

    def needed_widths(self, rows: Rows[R], frame: Frame) -> tuple[int, int]:
        """Return the width in which no name is cut, and the one in which no text at all is."""
        needs = self._fit.needs
        if needs is None:  # it has no size yet
            first = range(min(MAX_UNSEEN_ROWS, len(rows)))
            needs = measure(self.laid_out, map(rows.__getitem__, first), frame)
        names, texts = needed_widths(self.laid_out, needs)
        return min(names + GAP, texts), texts  # with the sign for hidden columns

    def place(self, width: int, frame: Frame) -> list[Placed[R]]:
        """Choose the columns that fit into a width, and place them."""
        placed = self._arranged(width, frame)
        # The sign for hidden columns takes a gap, not the last letter of a title.
        return self._arranged(width - GAP, frame) if self.hides(placed, width) else placed

    def hides(self, placed: Sequence[Placed[R]], width: int) -> bool:
        """Return whether there are columns to the right of those that are placed."""
        return are_hidden(
            self.laid_out, placed, width, self.offset, wide=self.wide, needs=self._fit.needs
        )

    def _arranged(self, width: int, frame: Frame) -> list[Placed[R]]:
        columns = self._with_sort_mark(frame)
        return arrange(columns, width, wide=self.wide, offset=self.offset, needs=self._fit.needs)

    def _with_sort_mark(self, frame: Frame) -> tuple[Column[R], ...]:
        """Return the columns, of which the sorted one has room for the mark at its title."""
        if self.sort is None:
            return self.laid_out
        sorted_by, descending = self.sort
        room = " " * len(sort_mark(frame.glyphs, descending=descending))
        return tuple(
            replace(one, title=one.title + room) if one.id == sorted_by else one
            for one in self.laid_out
        )
