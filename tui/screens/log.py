"""The Log screen."""

from __future__ import annotations

from collections.abc import Iterable

from ...model.entities.cluster.log import LogEntry
from ...widgets.table.column import Column
from ...widgets.table.live_table import LiveTable
from ..columns.log import LOG, LOG_KEYS
from ..keymap import bindings
from ..panes.preview import Previewed, column_fields
from .base.row_lists import RowListScreen


class LogScreen(RowListScreen[LogEntry]):
    """Connections, lost events, workers and operations, newest first."""

    BINDINGS = bindings("stream")
    CONTEXTS = ("list", "stream")
    LIST = "log"
    EMPTY = "No log entries so far"
    QUESTION = ""
    ORDER = ("at", True)
    FAULTS = "warnings and errors"
    FOLLOWS = True
    KEYS = LOG_KEYS
    PREVIEWS = True
    PREVIEW_LINES = 0

    def columns(self) -> tuple[Column[LogEntry], ...]:
        """Return the columns of the log."""
        return LOG

    def source(self) -> Iterable[LogEntry]:
        """Return all entries."""
        return self.context.state.log

    def row_text(self, row: LogEntry) -> str:
        """Return the whole entry."""
        return f"{row.level} {row.source} {row.text}"

    def previewed(self, row: LogEntry) -> Previewed:
        """Return the whole message."""
        fields = column_fields((LOG[0], LOG[-1]), row, self.context.frame())
        return Previewed(row.id, f"{row.level} from {row.source}", fields, (), wraps=True)

    def faulty(self, row: LogEntry) -> bool:
        """Return whether it is a warning or an error."""
        return row.level != "info"

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Show the full text; for an operation, its outcome."""
        from ..dialogs.text import TextDialog

        row = self.list_table.cursor_row
        operation = None if row is None else row.operation
        outcome = None if operation is None else self.context.state.operations.get(operation)
        if outcome is not None:
            from ..dialogs.outcome import OutcomeDialog

            self.app.push_screen(OutcomeDialog(outcome, self.context))
        elif row is not None:
            self.app.push_screen(TextDialog(f"{row.level} from {row.source}", row.text))
