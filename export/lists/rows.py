"""Rows of a list as a table: cells as the screen draws them, and values of their records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

from ...model.text import units
from ...model.text.sanitize import visible
from ...widgets.table.cells import Cell as ListCell
from ...widgets.table.cells import is_single
from ...widgets.table.column import Column as ListColumn
from ...widgets.table.column import Frame
from ..encoding.document import MAX_CELL_LENGTH, Table
from ..encoding.tables import ELLIPSIS, Cell, Column

Values: TypeAlias = Mapping[str, Callable[[Any], object]]
"""The names of a column's values, each with the function that returns it of a record."""

NO_VALUES: Final[Mapping[str, Values]] = {}


def rows_table(
    name: str,
    columns: Sequence[ListColumn[Any]],
    rows: Sequence[Any],
    frame: Frame,
    records: Sequence[object] = (),
    known: Mapping[str, Values] = NO_VALUES,
) -> Table:
    """Return rows as a table. A value is that of the row's record or, without one, the text.

    Args:
        name: The list.
        columns: Its columns.
        rows: Its rows.
        frame: How cells are drawn.
        records: The rows' records.
        known: The values of columns, by the id of the column.
    """
    texts = [cells(columns, row, frame) for row in rows]
    fields: dict[str, Callable[[object, Sequence[Cell]], object]] = {}
    for place, column in enumerate(columns):
        for field, get in known.get(column.id, {column.id: None}).items():
            fields[field] = _text_at(place) if get is None else _value_of(get)
    values = [
        [value(record, row) for value in fields.values()]
        for record, row in zip(records or rows, texts, strict=True)
    ]
    title = f"{name.capitalize()} ({units.count(len(rows))})"
    return Table(name, title, table_columns(columns), texts, tuple(fields), values, len(rows))


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
            column.keeps_end,
            column.shorten,
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


def _text_at(place: int) -> Callable[[object, Sequence[Cell]], object]:
    def value(record: object, row: Sequence[Cell]) -> object:
        text, _ = row[place]
        return None if text in ("", units.UNKNOWN) else text

    return value


def _value_of(get: Callable[[Any], object]) -> Callable[[object, Sequence[Cell]], object]:
    return lambda record, row: get(record)
