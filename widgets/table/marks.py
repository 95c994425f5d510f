"""The marked rows: ids, in the order in which they were marked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from .column import Rows

R = TypeVar("R")


class Marks(Generic[R]):
    """Marked ids, and the row from which a range of marks starts."""

    def __init__(self, row_id: Callable[[R], str]) -> None:
        self._row_id = row_id
        self._ids: dict[str, None] = {}
        self._from: str | None = None

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, row_id: object) -> bool:
        return row_id in self._ids

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def toggle(self, row_id: str) -> None:
        """Mark or unmark a row; the next range starts here."""
        if row_id in self._ids:
            del self._ids[row_id]
        else:
            self._ids[row_id] = None
        self._from = row_id

    def extend(self, rows: Rows[R], to: int) -> None:
        """Mark all rows from the start of the range to an index, both included."""
        start = None if self._from is None else rows.index(self._from)
        if start is None:
            start = to
        for index in range(min(start, to), max(start, to) + 1):
            self._ids[self._row_id(rows[index])] = None
        self._from = self._row_id(rows[to])

    def add_all(self, rows: Rows[R]) -> None:
        """Mark every row."""
        for index in range(len(rows)):
            self._ids[self._row_id(rows[index])] = None

    def add(self, row_id: str) -> None:
        """Mark a row, shown or not."""
        self._ids[row_id] = None

    def discard(self, row_id: str) -> None:
        """Unmark a row."""
        self._ids.pop(row_id, None)

    def clear(self) -> None:
        """Remove all marks."""
        self._ids.clear()
        self._from = None
