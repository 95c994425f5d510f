"""The user's choice of a table's columns: which ones, in what order, how wide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias, TypeVar

from .column import Column

R = TypeVar("R")

MIN_COLUMN_WIDTH: Final = 3
MAX_COLUMN_WIDTH: Final = 200
_CHOSEN_PRIORITY: Final = 1
"""The priority of a column that the user chose, but that is otherwise shown in wide mode only."""


@dataclass(frozen=True, slots=True)
class ChosenColumn:
    """A column that is shown, by its id."""

    id: str
    width: int | None = None
    """Cells; None is the column's own width, which adapts to the table's."""

    def __str__(self) -> str:
        return self.id if self.width is None else f"{self.id}:{self.width}"


Layout: TypeAlias = tuple[ChosenColumn, ...]
"""The shown columns in their order; empty is the table's own layout."""


def parse_layout(texts: Iterable[str]) -> Layout:
    """Read a layout from texts such as `state` and `name:30`.

    Raises:
        ValueError: A width is not a number, or out of range.
    """
    return tuple(map(_parse, texts))


def _parse(text: str) -> ChosenColumn:
    id_, colon, width = text.partition(":")
    if not colon:
        return ChosenColumn(id_)
    if not width.isdecimal() or not MIN_COLUMN_WIDTH <= int(width) <= MAX_COLUMN_WIDTH:
        limits = f"from {MIN_COLUMN_WIDTH} to {MAX_COLUMN_WIDTH}"
        raise ValueError(f"column {text!r}: the width must be a number {limits}")
    return ChosenColumn(id_, int(width))


def own_layout(columns: Sequence[Column[Any]]) -> Layout:
    """Return the table's own layout."""
    return tuple(ChosenColumn(column.id) for column in columns if not column.wide_only)


def laid_out(
    columns: Sequence[Column[R]], layout: Layout, *, wide: bool = False
) -> tuple[Column[R], ...]:
    """Return the columns of a layout; the others follow if the table is wide.

    Ids of unknown columns are ignored: they may be from another version.
    """
    by_id = {column.id: column for column in columns}
    chosen = tuple(_chosen(by_id.pop(one.id), one.width) for one in layout if one.id in by_id)
    if not chosen:
        return tuple(columns)
    return (*chosen, *by_id.values()) if wide else chosen


def _chosen(column: Column[R], width: int | None) -> Column[R]:
    if column.wide_only:
        priority = min(column.priority, _CHOSEN_PRIORITY)
        column = replace(column, wide_only=False, priority=priority)
    if width is not None:
        column = replace(
            column, width=width, narrow_width=None, grow=0, max_width=None, equal=False, fixed=True
        )
    return column
