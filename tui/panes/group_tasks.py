"""The pane of the latest tasks of a group of failures, where its traceback leaves room."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from ...lists import tasks
from ...model.entities.task import Task
from ...model.ingest.tasks.failure_groups import FailureGroup
from ...model.query.order import Order
from ...model.query.row_list import RowList
from ...model.text import units
from ...widgets.table.live_table import LiveTable
from ...widgets.tile import Tile
from ..context import AppContext

MIN_LINES: Final = 7
"""Lines that must be left: the border, the titles and a few tasks."""
FRAME_LINES: Final = 3
"""Those of the border and the titles."""
MAX_TASKS: Final = 100
_LEFT_OUT: Final = frozenset({"state", "id", "received", "outcome"})
"""Columns of the Tasks screen that are the same in all rows, or of no use here."""


class GroupTasks(Tile):
    """When, where and with what arguments the tasks of a group failed; it takes no keys."""

    DEFAULT_CSS = """
    GroupTasks { height: 1fr; display: none; }
    GroupTasks.-shown { display: block; }
    GroupTasks.-shown.-hidden { display: none; }
    """

    def __init__(self, context: AppContext) -> None:
        self.context = context
        self._group: FailureGroup | None = None
        self.tasks = RowList[Task](
            self._latest, lambda task: task.id, {"finished": _failed_at}, Order("finished", True)
        )
        columns = [column for column in tasks.TASKS if column.id not in _LEFT_OUT]
        self.table = LiveTable(
            columns, self.tasks, rests=True, markable=False, id="group-tasks-table"
        )
        self.table.can_focus = False
        super().__init__(
            self.table, title="Latest tasks", glyphs=context.glyphs, id="group-tasks",
            classes="pane",
        )  # fmt: skip
        self.can_focus = False

    def paint(self, group: FailureGroup | None, lines: int) -> bool:
        """Show the tasks of a group.

        Args:
            group: The group; None if it has no tasks in memory.
            lines: How many lines are left for the pane.

        Returns:
            Whether they are enough: the pane is hidden otherwise.
        """
        self._group = group
        shown = group is not None and bool(group.tasks) and lines >= MIN_LINES
        self.set_own_class(shown, "-shown")
        if group is not None and shown:
            self.tasks.refresh()
            self.table.paint(self.context.frame())
            self.show("idle", subtitle=units.count(group.count))
        return shown

    @property
    def needed(self) -> int:
        """Lines for all its tasks, with the border and the titles."""
        return len(self.tasks) + FRAME_LINES

    def _latest(self) -> Iterator[Task]:
        if self._group is None:
            return
        known = self.context.state.tasks
        for id_ in islice(reversed(self._group.tasks), MAX_TASKS):
            task = known.get(id_)
            if task is not None:
                yield task


def _failed_at(task: Task) -> float | None:
    return task.finished_at
