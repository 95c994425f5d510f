"""The running tasks, the longest first."""

from __future__ import annotations

from collections.abc import Sequence

from ...lists.progress import running_columns
from ...model.entities.styles import Level
from ...model.entities.task import Task
from ...model.query.language import parse_query
from ...model.query.order import Order
from ...model.query.task_view import TaskView
from ...model.text import units
from ..bars.base import Part
from ..context import AppContext
from ..navigation import DrillDown, FilteredView, page_of
from .base import ListPane


class RunningPane(ListPane[Task]):
    """Tasks with their progress."""

    NAME, TITLE, VIEW, EMPTY = "running", "Running", "tasks", "no running tasks"

    def __init__(self, context: AppContext) -> None:
        self.tasks = TaskView(
            context.state, parse_query("state:running"), Order("runtime", True), now=context.now()
        )
        super().__init__(context, running_columns(context), self.tasks)

    def refresh_rows(self) -> None:
        """Do nothing: the view is updated with each changed task."""

    def status(self) -> tuple[Level, str]:
        """Return the number of running tasks."""
        count = len(self.rows)
        return "good" if count else "idle", f"{count:,}" if count else ""

    def empty_text(self) -> str:
        """Return that there are none, or that the history does not have them."""
        return super().empty_text() if self.context.freeze.moment is None else "not stored"

    def summary(self) -> Sequence[Part]:
        """Return the number of tasks, and the one that has run the longest."""
        if not len(self.rows):
            return super().summary()
        longest: Task = self.rows[0]
        elapsed = longest.elapsed(self.context.frame().running_at(longest.worker))
        name = longest.name or longest.id
        text = f"longest {name} {units.duration(elapsed)}" if elapsed is not None else name
        return Part(units.count(len(self.rows)), "$text-success"), Part(text, "", 1)

    def target(self, row_id: str | None) -> DrillDown | FilteredView:
        """Return the step to a task, or to all running tasks."""
        if row_id is None:
            return DrillDown("tasks", "state:running", "running")
        return page_of(row_id)
