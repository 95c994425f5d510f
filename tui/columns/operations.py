"""The columns of past operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ...lists import numbers
from ...widgets.table.cells import Cell
from ...widgets.table.column import Column, Frame

if TYPE_CHECKING:
    from ...history.rows import StoredOperation

_AT_WIDTH: Final = 11


def _at(row: StoredOperation, frame: Frame) -> Cell:
    return numbers.time_or_date(row.began_at, frame, _AT_WIDTH)


def _user(row: StoredOperation, frame: Frame) -> Cell:
    return row.user, "muted"


def _text(row: StoredOperation, frame: Frame) -> Cell:
    return row.text, "text"


OPERATIONS: Final[Sequence[Column[StoredOperation]]] = (
    Column("at", "At", _AT_WIDTH, _at),
    Column("user", "User", 10, _user, 2),
    Column("text", "Operation", 20, _text, grow=1),
)
