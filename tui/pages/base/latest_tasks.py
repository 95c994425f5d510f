"""The latest tasks of a page's subject, and their columns."""

from __future__ import annotations

import time
from typing import Final

from ....lists import tasks
from ....model.entities.task import Task
from ....model.query.language import parse_query
from ....model.query.task_view import TaskView
from ....widgets.table.column import Column
from ...context import AppContext

FILTER_BUDGET: Final = 0.01
"""Seconds per frame in which the latest tasks are looked for, the newest first: a page opens as
fast among 100,000 tasks as among few."""
FIRST_BUDGET: Final = 0.003
"""Seconds for that while the page is opened: enough for the rows on the screen."""
_LEFT_OUT: Final = frozenset({"id", "retries", "kwargs"})
"""Columns of the Tasks screen that the latest tasks do without."""


def latest_tasks(context: AppContext, filter_text: str) -> TaskView:
    """Return the tasks that match a filter; they are looked for over several frames."""
    query = parse_query(filter_text)
    latest = TaskView(
        context.state, query, now=context.now(), clock=time.perf_counter, budget=FIRST_BUDGET
    )
    latest.budget = FILTER_BUDGET
    return latest


def latest_columns(same: str) -> tuple[Column[Task], ...]:
    """Return the columns of latest tasks, all of which have the `same` value in one column."""
    return tuple(column for column in tasks.TASKS if column.id not in _LEFT_OUT | {same})
