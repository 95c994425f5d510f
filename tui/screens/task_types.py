"""The Types screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from ...lists import task_types
from ...lists.limits import common_limits
from ...model.entities.task_type import TaskType
from ...widgets.table.column import Column
from ...widgets.table.live_table import LiveTable
from ..bars.base import Part
from ..charts import charts
from ..columns.deploys import deploy_columns
from ..details.deploys import deploy_fields, deploy_text
from ..details.task_type import type_fields
from ..keymap import bindings
from ..navigation import DrillDown
from ..panes.preview import Previewed
from .base.row_lists import RowListScreen


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
        """Return the columns of types, with those of the latest deploy if there is a history."""
        columns, deploys = task_types.type_columns(self.context.state), self.context.deploys
        return (*columns, *deploy_columns(deploys)) if deploys.available else columns

    def row_version(self, row: TaskType) -> object:
        """Return a value that changes with the type, its limits and the effects of a deploy."""
        effect = self.context.deploys.of(row.name)
        return row.version, common_limits(self.context.state, row.name), effect

    def notes(self) -> Sequence[Part]:
        """Return the latest deploy, and whether the numbers are those of a later time."""
        self.context.deploys.refresh()
        text = deploy_text(self.context)
        notes = [Part(text, "$text-muted", 5)] if text else []
        if self.context.freeze.stepped_back and self.context.freeze.moment is None:
            notes.insert(0, Part("numbers from when the screen was frozen", "$text-warning"))
        return notes

    def source(self) -> Iterable[TaskType]:
        """Return all types."""
        return self.context.state.types.values()

    def previewed(self, row: TaskType) -> Previewed:
        """Return the numbers of a task type, its rates, run times and waits."""
        builds = (charts.type_rates, charts.type_runtimes, charts.type_waits)
        return Previewed(
            row.id,
            f"Task type {row.name}",
            [
                *type_fields(row, self.context.state, self.context.frame()),
                *deploy_fields(row, self.context),
            ],
            [partial(build, name=row.name) for build in builds],
        )

    def faulty(self, row: TaskType) -> bool:
        """Return whether any of its tasks failed."""
        return row.failed > 0

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Open the task type's page."""
        self.visit(DrillDown("type", message.row_id))
