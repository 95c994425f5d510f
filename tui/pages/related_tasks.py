"""The tasks related to a task, as a pane of its page: its workflow, and its retries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ...lists import tasks
from ...model.entities.task import Task
from ...model.query.order import Order
from ...model.query.row_list import RowList
from ...model.text.phrases import short_id
from ...widgets.table.cells import Cell
from ...widgets.table.column import Column, Frame
from ...widgets.table.live_table import LiveTable
from ..context import AppContext

MAX_RELATED: Final = 200
"""Related tasks that are listed; `o` shows the whole workflow."""


class RelatedTasks:
    """The related tasks, each with its role.

    Args:
        context: The model.
        shown: Returns the task of the page; None while it is unknown.
    """

    def __init__(self, context: AppContext, shown: Callable[[], Task | None]) -> None:
        self._context = context
        self._shown = shown
        self.rows = RowList[Task](
            self._read,
            lambda task: task.id,
            {"arrival": lambda task: task.arrival},
            Order("arrival", False),
        )
        columns = (
            Column("role", "Role", 8, self._role),
            tasks.STATE,
            Column("name", "Task", 18, tasks.name, grow=2, keeps_end=True),
            Column("id", "ID", 8, _short_id, 2, keeps_end=True),
            tasks.RUNNING_TIME,
        )
        self.table: LiveTable[Task] = LiveTable(
            columns, self.rows, empty="none known", markable=False, id="related-table"
        )

    def _read(self) -> list[Task]:
        task = self._shown()
        if task is None:
            return []
        known = self._context.state.tasks
        found = {one.id: one for one in self._context.state.related(task, MAX_RELATED)}
        for id_ in _retries(task):
            if id_ in known:
                found[id_] = known[id_]
        return list(found.values())

    def _role(self, task: Task, frame: Frame) -> Cell:
        shown = self._shown()
        if shown is None:
            return "", "text"
        if task.id in _retries(shown):
            earlier = shown.extra is not None and task.id == shown.extra.retry_of
            return "original" if earlier else "retry", "accent"
        if task.id == shown.parent_id:
            return "parent", "accent"
        if task.parent_id == shown.id:
            return "child", "accent"
        return ("root", "accent") if task.id == shown.root_id else ("related", "muted")


def _short_id(task: Task, frame: Frame) -> Cell:
    return short_id(task.id), "muted"


def _retries(task: Task) -> tuple[str, ...]:
    extra = task.extra
    return () if extra is None else tuple(filter(None, (extra.retry_of, extra.retried_as)))
