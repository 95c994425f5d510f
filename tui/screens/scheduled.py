"""The Scheduled screen: tasks that wait for their time."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import ClassVar

from ...model.entities.states import RETRY
from ...model.entities.task import Task
from ...model.query.language import Query, parse_query
from ...model.query.order import Order
from ...model.query.task_view import TaskView
from ...widgets.table.live_table import LiveTable
from ..columns.progress import with_progress
from ..columns.tasks import SCHEDULED
from .tasks import TaskListScreen, task_id, task_version


class ScheduledScreen(TaskListScreen):
    """Tasks that wait for their time or for their next attempt, the next one first."""

    EMPTY: ClassVar[str] = "No task waits for its time"
    FAULTS: ClassVar[str] = "retries only"

    def make_table(self) -> LiveTable[Task]:
        """List the one that is due next first."""
        self.tasks = TaskView(
            self.context.state,
            self.query_of(""),
            Order("eta", False),
            now=self.context.now(),
            clock=time.perf_counter,
        )
        return LiveTable(
            with_progress(SCHEDULED, self.context),
            self.tasks,
            row_id=task_id,
            row_version=task_version,
            empty=self.EMPTY,
            sort=("countdown", False),
        )

    def query_of(self, text: str) -> Query:
        """Return what is typed, within the tasks that wait for a time."""
        typed = parse_query(text)
        matches = typed.matches
        return replace(typed, matches=lambda task, now: _waits(task) and matches(task, now))

    @property
    def total(self) -> int:
        """How many tasks wait for a time, as far as this list shows them."""
        return len(self.tasks)


def _waits(task: Task) -> bool:
    return task.state == RETRY or (task.eta_at is not None and task.waiting)
