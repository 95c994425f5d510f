"""The past operations on a task, as a pane of its page."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final

from ...history.rows import StoredOperation
from ...model.query.order import Order
from ...model.query.row_list import RowList
from ...widgets.table.live_table import LiveTable
from ..columns.operations import OPERATIONS
from ..context import AppContext

READ_INTERVAL: Final = 5.0
"""Seconds after which the operations are read again: there may be a new one."""

MAX_ROWS: Final = 5
"""Rows that are visible at once."""


class PastOperations:
    """The operations on one target that the history has, of all users and celtops.

    Args:
        context: The session.
        target: The id of a task, or the name of a queue or worker.
    """

    def __init__(self, context: AppContext, target: str) -> None:
        self._history = context.session.history.stored
        self._target = target
        self._rows: Sequence[StoredOperation] = ()
        self._asked: Future[Sequence[StoredOperation]] | None = None
        self._asked_at = float("-inf")
        self.rows = RowList[StoredOperation](
            lambda: self._rows,
            lambda row: row.id,
            {"at": lambda row: row.began_at},
            Order("at", True),
        )
        self.table: LiveTable[StoredOperation] = LiveTable(
            OPERATIONS, self.rows, markable=False, id="operations-table"
        )

    @property
    def height(self) -> int:
        """The lines of the pane: those of the rows, the titles and the frame."""
        return min(len(self.rows), MAX_ROWS) + 3

    def refresh(self) -> None:
        """Take what was read, and read again from time to time."""
        asked = self._asked
        if asked is not None and asked.done():
            self._asked = None
            if not asked.cancelled() and asked.exception() is None:
                self._rows = asked.result()
        now = time.monotonic()
        due = self._asked is None and now - self._asked_at >= READ_INTERVAL
        if self._history is not None and due:
            self._asked, self._asked_at = self._history.operations(self._target), now
        self.rows.refresh()
