"""The Scheduled screen."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from ...lists.progress import with_progress
from ...lists.tasks import SCHEDULED
from ...model.entities.states import RETRY
from ...model.entities.task import Task
from ...model.query.language import Query, parse_query
from ...model.query.order import Order
from ...model.query.task_view import TaskView
from ...widgets.table.live_table import LiveTable
from ..bars.base import Part
from ..text.queues import delayed_text
from .tasks import TaskListScreen


class ScheduledScreen(TaskListScreen):
    """Tasks with an ETA or countdown, and pending retries; the next one due first."""

    LIST = "scheduled"
    EMPTY = "No scheduled tasks"
    FAULTS = "retries only"
    SEARCHES_HISTORY = False

    @property
    def topics(self) -> frozenset[str]:
        """What workers hold for later, and the messages of delayed delivery."""
        return frozenset({"workers", "queues"})

    def notes(self) -> Sequence[Part]:
        """Note the messages of delayed delivery, and where periodic tasks are listed."""
        delayed = delayed_text(self.context.state.delayed, self.context.now())
        schedule = self.keymap.key("view.schedule")
        parts = [Part(f"delayed delivery: {delayed}", "$text-accent", 3)] if delayed else []
        if schedule:
            parts.append(Part(f"press {schedule} for periodic tasks", "$text-muted", 6))
        return [*parts, *super().notes()]

    def make_table(self) -> LiveTable[Task]:
        """Return a table sorted by due time."""
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
            empty=self.EMPTY,
            sort=("countdown", False),
        )

    def query_of(self, text: str) -> Query:
        """Return the filter, limited to scheduled tasks."""
        typed = parse_query(text)
        matches = typed.matches
        return replace(typed, matches=lambda task, now: _waits(task) and matches(task, now))

    @property
    def total(self) -> int:
        """The number of listed tasks; those that a filter hides are not counted."""
        return len(self.tasks)


def _waits(task: Task) -> bool:
    return task.state == RETRY or (task.eta_at is not None and task.waiting)
