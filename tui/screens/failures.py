"""What fails, grouped by exception, task and place, with the traceback of an example."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from ...bindings.actions import Context
from ...model.entities.task import Task
from ...model.ingest.failure_groups import FailureGroup
from ...model.text import units
from ...widgets.table.column import Column
from ...widgets.table.live_table import LiveTable
from ...widgets.tile import Tile
from ...widgets.traceback_view import TracebackView
from ..bars.base import Part
from ..columns.failures import FAILURE_KEYS, FAILURES, title_of
from ..context import AppContext
from ..keymap import bindings
from ..navigation import DrillDown, Location
from .row_lists import RowListScreen

if TYPE_CHECKING:
    from ...widgets.table.viewport import Motion


class FailuresScreen(RowListScreen[FailureGroup]):
    """Groups of failed tasks, the largest first; the place names a task to begin with, if any."""

    CSS_PATH = "failures.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("list")
    CONTEXTS: ClassVar[tuple[Context, ...]] = ("list",)
    EMPTY = "No task failed so far"
    ORDER = ("count", True)
    FAULTS = "failed in the last hour"

    def __init__(self, context: AppContext, location: Location) -> None:
        super().__init__(context, location)
        self.example = context.state.tasks.get(location.path[-1].subject)
        """The task whose traceback is shown; kept when it is evicted."""
        self.traceback = TracebackView(id="traceback-text")
        self.pane = Tile(
            self.traceback, title="Example", glyphs=context.glyphs, id="example", classes="pane"
        )
        self.pane.can_focus = False
        self.list_table.add_class("pane")

    def compose_body(self) -> ComposeResult:
        """Put the traceback below the groups."""
        yield from super().compose_body()
        yield self.pane

    def on_mount(self) -> None:
        """Begin at the group of the task that it was called from."""
        super().on_mount()
        group = None if self.example is None else self.context.state.failures.of(self.example.id)
        if group is not None:
            self.list_table.move_to(group.id)

    def columns(self) -> tuple[Column[FailureGroup], ...]:
        """Return the columns of groups."""
        return FAILURES

    def sort_keys(self) -> Mapping[str, Callable[[FailureGroup], Any]]:
        """Return the keys of groups."""
        return FAILURE_KEYS

    def source(self) -> Iterable[FailureGroup]:
        """Return all groups that have tasks."""
        return self.context.state.failures

    def row_text(self, row: FailureGroup) -> str:
        """Look into all that makes it a group."""
        return row.id

    def faulty(self, row: FailureGroup) -> bool:
        """Return whether it is of late."""
        return any(row.trend.series(self.context.now()))

    def notes(self) -> Sequence[Part]:
        """Say what no group has room for."""
        left_out = self.context.state.failures.left_out
        if not left_out:
            return ()
        return (Part(f"{units.count(left_out)} more tasks in further groups", "$text-warning"),)

    def paint_body(self) -> None:
        """Show an example of the group that the cursor is on."""
        super().paint_body()
        task = self._example()
        if task is None:
            self.traceback.show("")
            self.pane.tell("idle", subtitle="")
            return
        self.traceback.show(task.traceback or task.exception or "")
        self.pane.tell("bad", f"Example: {task.id}", subtitle=task.worker or "")

    def _example(self) -> Task | None:
        """Return a task of the cursor's group: the same for as long as it is in it."""
        group = self.list_table.cursor_row
        if group is None:
            return None
        shown = self.example
        if shown is None or shown.id not in group.tasks:
            shown = self.context.state.tasks.get(group.example or "", None)
        self.example = shown
        return shown

    def copied(self) -> Sequence[object]:
        """Copy the example: a group has no id of its own."""
        return () if self.example is None else (self.example,)

    def action_move(self, motion: Motion) -> None:
        """Move in the groups, or in the traceback."""
        if self.focused is self.traceback:
            self.traceback.action_move(motion)
        else:
            super().action_move(motion)

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """List the group's tasks."""
        message.stop()
        index = self.rows.index(message.row_id)
        if index is not None:
            group = self.rows[index]
            self.visit(DrillDown("tasks", group.query, title_of(group)))
