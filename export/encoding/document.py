"""A document: what a command prints or a screen saves, before it is encoded in a format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from ...lists.context import ListContext

if TYPE_CHECKING:
    from .tables import Cell, Column

MAX_CELL_LENGTH: Final = 200
"""Characters of a text before a table shortens it further."""
MAX_NOTE_LENGTH: Final = 500
"""Characters of a note below a table."""


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
    """A document that a command prints or a screen saves."""

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
