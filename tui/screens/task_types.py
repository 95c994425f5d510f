"""The Types screen."""

from __future__ import annotations

from collections.abc import Iterable

from ...model.entities.task_type import TaskType
from ...widgets.table.column import Column
from ...widgets.table.live_table import LiveTable
from ..columns.task_types import TYPE_KEYS, type_columns
from ..keymap import bindings
from ..navigation import DrillDown
from ..text.limits import common_limits
from .row_lists import RowListScreen


class TypesScreen(RowListScreen[TaskType]):
    """Statistics per task name."""

    BINDINGS = bindings("types")
    CONTEXTS = ("list", "types")
    LIST = "types"
    EMPTY = "No task types so far"
    ORDER = ("tasks", True)
    FAULTS = "with failures"
    KEYS = TYPE_KEYS

    def columns(self) -> tuple[Column[TaskType], ...]:
        """Return the columns of types."""
        return type_columns(self.context.state)

    def row_version(self, row: TaskType) -> object:
        """Return a value that changes with the type and with its limits."""
        return row.version, common_limits(self.context.state, row.name)

    def source(self) -> Iterable[TaskType]:
        """Return all types."""
        return self.context.state.types.values()

    def faulty(self, row: TaskType) -> bool:
        """Return whether any of its tasks failed."""
        return row.failed > 0

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Open the task type's page."""
        self.visit(DrillDown("type", message.row_id))
