"""A short list of rows, filtered and sorted, for tables to read by index."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic

from .language import parse_words
from .order import Order, SortValue
from .task_view import R


class RowList(Generic[R]):
    """Rows that are fetched, filtered by their text and sorted with each `refresh`.

    `source` returns them in their natural order; a sort value of None comes last.
    """

    def __init__(
        self,
        source: Callable[[], Iterable[R]],
        row_id: Callable[[R], str],
        sort_keys: Mapping[str, Callable[[R], SortValue]],
        order: Order,
        text: Callable[[R], str] | None = None,
    ) -> None:
        self._source = source
        self._row_id = row_id
        self._sort_keys = sort_keys
        self._order = order
        self._text = text if text is not None else row_id
        self.filter = ""
        """The words that rows must contain; see `set_filter`."""
        self._passes = parse_words("")
        self._rows: list[R] = []
        self._places: dict[str, int] = {}
        self.refresh()

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> R:
        if index < 0:
            raise IndexError(index)
        return self._rows[index]

    def __iter__(self) -> Iterator[R]:
        return iter(self._rows)

    def index(self, id: str) -> int | None:  # noqa: A002 - the field's own name
        """Return a row's index, or None if it is not in the list."""
        return self._places.get(id)

    def get(self, id: str) -> R | None:  # noqa: A002 - the field's own name
        """Return a row, or None if it is not in the list."""
        place = self._places.get(id)
        return None if place is None else self._rows[place]

    def refresh(self) -> None:
        """Fetch, filter and sort the rows."""
        rows: Iterable[R] = self._source()
        if self.filter:
            rows = [row for row in rows if self._passes(self._text(row))]
        value_of = self._sort_keys[self._order.key]
        valued = [(value_of(row), row) for row in rows]
        known = [pair for pair in valued if pair[0] is not None]
        known.sort(key=operator.itemgetter(0), reverse=self._order.descending)
        self._rows = [row for _, row in known]
        self._rows += [row for value, row in valued if value is None]
        self._places = {self._row_id(row): place for place, row in enumerate(self._rows)}

    def set_order(self, key: str, descending: bool) -> None:
        """Sort by another key.

        Raises:
            KeyError: There is no such key.
        """
        if key not in self._sort_keys:
            raise KeyError(key)
        self._order = Order(key, descending)
        self.refresh()

    def set_filter(self, text: str) -> None:
        """Show only rows that contain these words (see `language.parse_words`)."""
        self.filter = text
        self._passes = parse_words(text)
        self.refresh()
