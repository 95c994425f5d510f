"""The Failures screen: failed tasks grouped by exception, task and location."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from ...model.entities.task import Task
from ...model.ingest.failure_groups import FailureGroup
from ...model.text import units
from ...widgets.table.column import Column
from ...widgets.table.live_table import LiveTable
from ...widgets.traceback_view import TracebackView
from ..bars.base import Part
from ..columns.failures import FAILURE_KEYS, FAILURES, group_title
from ..context import AppContext
from ..navigation import DrillDown, Location
from .row_lists import RowListScreen

if TYPE_CHECKING:
    from ...widgets.table.viewport import Motion


class FailuresScreen(RowListScreen[FailureGroup]):
    """Groups of failed tasks, the largest first, with the traceback of an example.

    The cursor starts on the group of the location's task, if it has one.
    """

    CSS_PATH = "failures.tcss"
    LIST = "failures"
    EMPTY = "No failures so far"
    ORDER = ("count", True)
    FAULTS = "failed in the last hour"
    KEYS = FAILURE_KEYS

    def __init__(self, context: AppContext, location: Location) -> None:
        super().__init__(context, location)
        self.example = context.state.tasks.get(location.path[-1].subject)
        """The task whose traceback is shown; kept if it is evicted."""
        self.traceback = TracebackView(id="traceback-text")
        self.example_pane = self.pane("example", "Example", self.traceback)
        self.list_table.add_class("pane")

    def compose_body(self) -> ComposeResult:
        """Yield the groups and, below them, the traceback."""
        yield from super().compose_body()
        yield self.example_pane

    def on_mount(self) -> None:
        """Move the cursor to the group of the task that the screen was opened from."""
        super().on_mount()
        group = None if self.example is None else self.context.state.failures.of(self.example.id)
        if group is not None:
            self.list_table.move_to(group.id)

    def columns(self) -> tuple[Column[FailureGroup], ...]:
        """Return the columns of groups."""
        return FAILURES

    def source(self) -> Iterable[FailureGroup]:
        """Return all groups."""
        return self.context.state.failures

    def row_text(self, row: FailureGroup) -> str:
        """Return exception, task and location."""
        return row.id

    def faulty(self, row: FailureGroup) -> bool:
        """Return whether the group had failures in the last hour."""
        return any(row.trend.series(self.context.now()))

    def notes(self) -> Sequence[Part]:
        """Note the failures beyond the maximum number of groups."""
        left_out = self.context.state.failures.left_out
        if not left_out:
            return ()
        text = f"{units.count(left_out)} failed tasks in further groups, not listed"
        return (Part(text, "$text-warning"),)

    def paint_body(self) -> None:
        """Show an example of the cursor's group."""
        super().paint_body()
        task = self._example()
        if task is None:
            self.traceback.show("")
            self.example_pane.show("idle", subtitle="")
            return
        self.traceback.show(task.traceback or task.exception or "")
        self.example_pane.show("bad", f"Example: {task.id}", subtitle=task.worker or "")

    def _example(self) -> Task | None:
        """Return a task of the cursor's group: the last one shown, while it is in the group."""
        group = self.list_table.cursor_row
        if group is None:
            return None
        shown = self.example
        if shown is None or shown.id not in group.tasks:
            shown = self.context.state.tasks.get(group.example or "", None)
        self.example = shown
        return shown

    def copied(self) -> Sequence[object]:
        """Copy the example, as a group itself has no id."""
        return () if self.example is None else (self.example,)

    def action_move(self, motion: Motion) -> None:
        """Move in the list, or in the traceback if it is focused."""
        if self.focused is self.traceback:
            self.traceback.action_move(motion)
        else:
            super().action_move(motion)

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """List the group's tasks."""
        index = self.rows.index(message.row_id)
        if index is not None:
            group = self.rows[index]
            self.visit(DrillDown("tasks", group.query, group_title(group)))
