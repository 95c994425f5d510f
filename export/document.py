"""A document: what a command prints or a screen saves, before it is encoded in a format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias, cast

import msgspec

from ..lists.listing import ListContext
from ..model.text.sanitize import visible
from ..widgets.table.cells import Cell as ListCell
from ..widgets.table.cells import is_single
from ..widgets.table.column import Column as ListColumn
from ..widgets.table.column import Frame
from .tables import ELLIPSIS, Cell, Column

MAX_CELL_LENGTH: Final = 200
"""Characters of a text before a table shortens it further."""


Record: TypeAlias = tuple[str, msgspec.Struct | Mapping[str, object]]
"""The record of a row, with the name of its list."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: cells for people, and values for programs."""

    name: str
    """The list that it shows, `tasks` for example."""
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    """Cells as on the screen; their text is free of control characters, and shortened."""
    fields: Sequence[str]
    """The names of the values."""
    values: Sequence[Sequence[object]]
    """The values of each row: whole texts, numbers, times in ISO 8601, None if unknown."""
    total: int
    """How many rows there are, with those beyond the limit."""
    footer: str = ""
    """A line below the table."""
    empty: str = ""
    """The line shown without rows."""


@dataclass(frozen=True)
class Document:
    """What a command prints or a screen saves."""

    name: str
    record: msgspec.Struct
    """The document of the JSON contract."""
    records: Sequence[Record]
    """The record of each row."""
    draw: Callable[[], Sequence[Table]]
    """Draws the tables, which not every format needs."""
    lead: Sequence[Sequence[Cell]] = ()
    """Lines above the tables."""
    notes: Sequence[str] = ()
    """Lines below the tables."""
    context: ListContext | None = None
    """The model; None if the rows are from the history."""

    @cached_property
    def tables(self) -> Sequence[Table]:
        """The tables."""
        return self.draw()


def table_columns(
    columns: Sequence[ListColumn[Any]], *, chosen: bool = False
) -> tuple[Column, ...]:
    """Return a list's columns for a table of text.

    Args:
        columns: The columns.
        chosen: Whether the user chose them: the last one is then left out first.
    """
    return tuple(
        Column(
            column.title,
            column.justify == "right",
            _min_width(column),
            0 if chosen else column.priority,
        )
        for column in columns
    )


def _min_width(column: ListColumn[Any]) -> int | None:
    if column.narrow_width is not None:
        return column.narrow_width + len(ELLIPSIS) - 1
    return column.width if column.grow else None


def cells(columns: Sequence[ListColumn[Any]], row: object, frame: Frame) -> list[Cell]:
    """Return the cells of a row, each with one style."""
    return [_cell(column.cell(row, frame)) for column in columns]


def _cell(content: ListCell | Sequence[ListCell]) -> Cell:
    parts = (content,) if is_single(content) else cast("Sequence[ListCell]", content)
    text = "".join(text for text, _ in parts)
    styles = [style for part, style in parts if part.strip()]
    return visible(text.strip(), MAX_CELL_LENGTH, ELLIPSIS), styles[0] if styles else ""
