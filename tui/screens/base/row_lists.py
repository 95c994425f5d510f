"""The base of the short lists: workers, queues, task types, failures and the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from ....model.query.order import Order
from ....model.query.row_list import RowList
from ....widgets.table.column import Column
from ....widgets.table.live_table import LiveTable
from ...context import AppContext
from ...navigation import Location
from .previewing import PreviewingList

if TYPE_CHECKING:
    from ....model.entities.changes import Changes

R = TypeVar("R")

SHORT_LIST: Final = 200
"""Rows up to which a list is read and sorted again with each frame, and not just once a second.
What visible rows show is up to date in any case."""
READ_INTERVAL: Final = 1.0
"""Seconds after which a longer list is read again."""


class RowListScreen(PreviewingList[R]):
    """A list of few rows, which are read and sorted again with each frame."""

    ORDER: ClassVar[tuple[str, bool]]
    """The id of the initial sort column, and whether the largest is first."""
    KEYS: ClassVar[Mapping[str, Callable[[Any], Any]]]
    """The functions of the columns' sort keys."""
    FOLLOWS: ClassVar[bool] = False
    PREVIEWS: ClassVar[bool] = False

    def __init__(self, context: AppContext, location: Location) -> None:
        self._total = 0
        self._read_at = 0.0
        super().__init__(context, location)

    def make_table(self) -> LiveTable[R]:
        """Return a table of all rows."""
        column_id, descending = self.ORDER
        columns = self.columns()
        key = next(column.sort_key or "" for column in columns if column.id == column_id)
        self.rows: RowList[R] = RowList(
            self._listed, self.row_id, self.sort_keys(), Order(key, descending), self.row_text
        )
        return LiveTable(
            columns,
            self.rows,
            row_id=self.row_id,
            row_version=self.row_version,
            empty=self.EMPTY,
            sort=self.ORDER,
            follow=self.FOLLOWS,
            begins_at_top=not self.FOLLOWS,
        )

    def sort_keys(self) -> Mapping[str, Callable[[R], Any]]:
        """Return the functions of the columns' sort keys."""
        return self.KEYS

    def columns(self) -> tuple[Column[R], ...]:
        """Return the columns."""
        raise NotImplementedError

    def source(self) -> Iterable[R]:
        """Return all rows."""
        raise NotImplementedError

    def row_id(self, row: R) -> str:
        """Return a row's id."""
        return str(getattr(row, "id"))  # noqa: B009 - a type variable has no attributes

    def row_version(self, row: R) -> object:
        """Return a value that changes when the row has changed."""
        return getattr(row, "version", 0)

    def row_text(self, row: R) -> str:
        """Return the text that a filter matches."""
        return self.row_id(row)

    def faulty(self, row: R) -> bool:
        """Return whether the row is listed with `!`."""
        raise NotImplementedError

    @property
    def total(self) -> int:
        """The number of rows without any filter, when they were last read."""
        return self._total

    def refilter(self) -> None:
        """Apply the filter."""
        self.rows.set_filter(self.filter_text)

    def take(self, changes: Changes) -> None:
        """Read the rows again, if it is time to."""
        now = self.context.now()
        if self._total <= SHORT_LIST or not 0 <= now - self._read_at < READ_INTERVAL:
            self.rows.refresh()

    def catch_up(self) -> None:
        """Read the rows again."""
        self.rows.refresh()

    def _listed(self) -> Iterable[R]:
        rows = list(self.source())
        self._total, self._read_at = len(rows), self.context.now()
        # The table is created before the filter attributes are set.
        if getattr(self, "faults_only", False):
            return [row for row in rows if self.faulty(row)]
        return rows
