"""The Tasks screen, which also lists the tasks of a queue, type or failure group."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, ClassVar, Final

from ...lists.progress import with_progress
from ...lists.tasks import TASKS
from ...model.entities.task import Task
from ...model.query.completion import Completion, completions
from ...model.query.language import EVERY_TASK, Problem, Query, parse_query
from ...model.query.task_view import TaskView
from ...model.query.unknown_states import unknown_states
from ...model.text.phrases import counted
from ...widgets.table.live_table import LiveTable
from ..bars.base import Part
from ..context import AppContext
from ..keymap import bindings
from ..navigation import DrillDown, Location, page_of
from ..panes.preview import Previewed
from ..panes.task_preview import previewed_task
from ..text.filter_values import filter_values
from ..text.windows import windows
from .base.previewing import PreviewingList
from .older_tasks import OlderTasks

if TYPE_CHECKING:
    from ...model.entities.changes import Changes

FAULTS_FILTER: Final = "state:failure,revoked"
"""The filter for failures and problems in the result backend and the history."""
LOADED_AHEAD: Final = 2
"""Screens of rows below the visible ones that are loaded."""


class TaskListScreen(PreviewingList[Task]):
    """All tasks, or those of the location's last drill-down; newest first."""

    FILTER_HINT = "state:failure name:~^bill worker:w1 !retry age:<5m  or any text"
    EMPTY = "No tasks so far; they appear when workers send task events"
    LIST = "tasks"
    BINDINGS = bindings("stream", "tasks")
    CONTEXTS = ("list", "stream", "tasks")
    EQUAL_ROWS = "newest first"
    COMPLETES = True
    PREVIEW_LINES = 0
    SEARCHES_HISTORY: ClassVar[bool] = True
    """Whether tasks that match the filter are loaded from result backend and history."""

    def __init__(self, context: AppContext, location: Location) -> None:
        steps = [step for step in location.path if step.kind == "tasks"]
        self.scope = _scope(steps[-1]) if steps else EVERY_TASK
        super().__init__(context, location)
        self.older = OlderTasks(context) if self.SEARCHES_HISTORY else None
        """Loads the tasks of the list that are not in memory."""

    def on_mount(self) -> None:
        """Look for the tasks of a drill-down."""
        super().on_mount()
        self._look_for_older()

    def make_table(self) -> LiveTable[Task]:
        """Return a table with the newest task first."""
        self.tasks = TaskView(
            self.context.state, self.query_of(""), now=self.context.now(), clock=time.perf_counter
        )
        return LiveTable(
            with_progress(TASKS, self.context),
            self.tasks,
            empty=self.EMPTY,
            sort=("received", True),
            follow=True,
        )

    def query_of(self, text: str) -> Query:
        """Return the filter, limited to the tasks of this list."""
        return _within(self.scope, self._parse(text))

    def _parse(self, text: str) -> Query:
        return parse_query(text, UTC if self.context.utc else None)

    @property
    def scope_text(self) -> str | None:
        """The filter of the drill-down that leads to the list."""
        return self.scope.text

    @property
    def filtering(self) -> bool:
        """Whether the filter has not been applied to all tasks yet."""
        return self.tasks.unseen > 0

    @property
    def total(self) -> int:
        """The number of tasks without any filter; for a drill-down, of listed tasks."""
        whole = self.scope.empty and not self.location.path
        return len(self.context.state.tasks) if whole else len(self.tasks)

    def problems(self, text: str) -> Sequence[Problem]:
        """Return the invalid terms of a filter, and those with a state that no task has."""
        query = self._parse(text)
        states = unknown_states(query, self.context.state.totals.by_state)
        return [*query.problems, *states]

    def complete(self, text: str) -> Sequence[Completion]:
        """Return the completions of a filter."""
        return completions(text, filter_values(self.context.state))

    @property
    def filter_history(self) -> str:
        """The kind of its filters in the history: all lists of tasks have the same."""
        return "task filters"

    def refilter(self) -> None:
        """Apply the filter to all tasks."""
        changed = False
        if self.tasks.faults_only != self.faults_only:
            self.tasks.set_faults_only(self.faults_only)
            changed = True
        if self.tasks.query.text != self.filter_text:
            self.tasks.set_query(self.query_of(self.filter_text), self.context.now())
            changed = True
        if changed:
            self._look_for_older()

    def notes(self) -> Sequence[Part]:
        """Return how much of the history is loaded, and the windows of time that memory covers.

        The windows are left out if the header shows them. At an earlier time, tasks of which no
        time is known are missing.
        """
        text = "" if self.header_bar.shows_windows else windows(self.context)
        older = () if self.older is None else self.older.notes()
        missing = []
        if undated := self.context.state.undated:
            known = f"{counted(undated, 'task')} read in queues not shown: sent at an unknown time"
            missing = [Part(known, "$text-warning", 1)]
        return [*missing, *older, *([Part(text, "$text-muted", 6)] if text else [])]

    def _look_for_older(self) -> None:
        """Look for the tasks that match the filter and are not in memory."""
        if self.older is None:
            return
        query, faults = self.tasks.query, FAULTS_FILTER if self.faults_only else ""
        name = " ".join(filter(None, (self.scope.text, self.filter_text, faults)))
        if faults:
            query = _within(self._parse(faults), query)
        self.older.look_for(query, name, self.set_timer, stored=not self._lists_ids)

    @property
    def _lists_ids(self) -> bool:
        """Whether the list is limited to tasks by their ids, which are in memory."""
        return any(step.ids is not None for step in self.location.path)

    def empty_text(self) -> str:
        """Return the text of an empty list; tasks may still be on their way."""
        if self.older is not None and self.older.searching:
            return "Searching the history"
        text = super().empty_text()
        return "No such tasks" if text == self.EMPTY and self.scope is not EVERY_TASK else text

    def paint_body(self) -> None:
        """Update the table, and load older tasks if its end is near."""
        super().paint_body()
        if self.older is None or self.context.frozen:
            return
        self.older.resume()
        above, below = self.list_table.hidden
        oldest_first = self.list_table.sort == ("received", False)
        near = LOADED_AHEAD * max(1, self.list_table.size.height)
        if (above if oldest_first else below) < near:
            seen = self.list_table.seen
            self.older.more(len(self.list_table.rows), seen[-1] if seen and above + below else None)

    def previewed(self, row: Task) -> Previewed:
        """Return the values of a task, and charts of its type."""
        return previewed_task(row, self.context)

    def take(self, changes: Changes) -> None:
        """Apply new, changed and evicted tasks."""
        self.tasks.apply(changes, self.context.now())

    def catch_up(self) -> None:
        """Read all tasks again."""
        self.tasks.refresh(self.context.now())

    def listed(self) -> Sequence[Task]:
        """Return all tasks that match the filter."""
        return list(self.tasks)

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Open the task."""
        self.visit(page_of(message.row_id))


def _scope(step: DrillDown) -> Query:
    """Return the query for the tasks of a drill-down."""
    query, ids = parse_query(step.subject), step.ids
    return query if ids is None else replace(query, matches=lambda task, now: task.id in ids)


def _within(scope: Query, typed: Query) -> Query:
    """Return a query for tasks that match both, with the text of the typed one."""
    if scope.empty:
        return typed
    inside, matches = scope.matches, typed.matches
    return replace(
        typed,
        terms=scope.terms + typed.terms,
        matches=lambda task, now: inside(task, now) and matches(task, now),
    )
