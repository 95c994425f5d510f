"""The Types screen."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from ...lists import task_types
from ...lists.limits import common_limits
from ...model.entities.task_type import TaskType
from ...widgets.table.column import Column
from ...widgets.table.live_table import LiveTable
from .. import charts
from ..details.task_type import type_fields
from ..keymap import bindings
from ..navigation import DrillDown
from ..panes.preview import Previewed
from .row_lists import RowListScreen


class TypesScreen(RowListScreen[TaskType]):
    """Statistics per task name."""

    BINDINGS = bindings("types")
    CONTEXTS = ("list", "types")
    LIST = "types"
    EMPTY = "No task types so far"
    ORDER = task_types.ORDER
    FAULTS = "with failures"
    KEYS = task_types.TYPE_KEYS
    PREVIEWS = True

    def columns(self) -> tuple[Column[TaskType], ...]:
        """Return the columns of types."""
        return task_types.type_columns(self.context.state)

    def row_version(self, row: TaskType) -> object:
        """Return a value that changes with the type and with its limits."""
        return row.version, common_limits(self.context.state, row.name)

    def source(self) -> Iterable[TaskType]:
        """Return all types."""
        return self.context.state.types.values()

    def previewed(self, row: TaskType) -> Previewed:
        """Return the numbers of a task type, its rates, run times and waits."""
        builds = (charts.type_rates, charts.type_runtimes, charts.type_waits)
        return Previewed(
            row.id,
            f"Task type {row.name}",
            type_fields(row, self.context.state, self.context.frame()),
            [partial(build, name=row.name) for build in builds],
        )

    def faulty(self, row: TaskType) -> bool:
        """Return whether any of its tasks failed."""
        return row.failed > 0

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Open the task type's page."""
        self.visit(DrillDown("type", message.row_id))
