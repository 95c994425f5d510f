"""The Failures screen: failed tasks grouped by exception and location."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from textual.app import ComposeResult
from textual.widget import Widget

from ...lists import failures, numbers
from ...model.entities.states import FAILURE, RETRY
from ...model.entities.styles import state_style
from ...model.entities.task import Task
from ...model.ingest.tasks.failure_groups import FailureGroup
from ...model.text import units
from ...widgets.colours import COLOURS
from ...widgets.table.column import Column
from ...widgets.table.live_table import LiveTable
from ...widgets.traceback_view import TracebackView
from ..bars.base import Bar, Part
from ..charts.chart_window import window_name
from ..context import AppContext
from ..details.task import frame_place
from ..keymap import bindings
from ..navigation import DrillDown, Location
from ..panes.group_tasks import GroupTasks
from ..panes.group_trend import GroupTrend
from ..screens.base.row_lists import RowListScreen
from ..search import SearchedScreen
from ..selection import of_kind
from ..text.unknown import HISTORY_UNAVAILABLE
from .base.tracebacks import TracebackScreen
from .stored_failures import StoredFailures

if TYPE_CHECKING:
    from ...widgets.table.viewport import Motion

R = TypeVar("R")

MAX_WORKERS_SHOWN: Final = 8
MIN_LIST_HEIGHT: Final = 4
"""Lines of the list, with its titles."""
BORDER: Final = 2
"""Lines of a pane's border."""


class FailuresScreen(RowListScreen[FailureGroup], TracebackScreen, SearchedScreen):
    """Groups of failed tasks, the largest first, with the traceback of an example.

    The cursor starts on the group of the location's task, if it has one. Operations are for all
    tasks of the marked groups, or of that at the cursor. Where the traceback is focused, it gets
    the keys, also that of the filter, and operations are for its task alone.
    """

    BINDINGS = bindings("failures", "tasks")
    CONTEXTS = ("list", "failures", "tasks")

    CSS_PATH = "failures.tcss"
    LIST = "failures"
    EMPTY = "No failures so far"
    ORDER = failures.ORDER
    FAULTS = "failed in the last hour"
    KEYS = failures.FAILURE_KEYS

    def __init__(self, context: AppContext, location: Location) -> None:
        self.stored = StoredFailures(context)
        super().__init__(context, location)
        self.example = context.state.tasks.get(location.path[-1].subject)
        """The task whose traceback is shown; kept if it is evicted."""
        self.group_bar = Bar(id="group")
        self.traceback = TracebackView(glyphs=context.glyphs, id="traceback-text")
        self.example_pane = self.pane("example", "Example", self.traceback)
        self.group_tasks = GroupTasks(context)
        self.group_trend = GroupTrend(context)
        self.list_table.add_class("pane")

    searching = SearchedScreen.searching

    @property
    def searched(self) -> Widget:
        """The traceback."""
        return self.example_pane

    def compose_body(self) -> ComposeResult:
        """Yield the groups and, below them, the traceback and the tasks."""
        yield from super().compose_body()
        yield self.group_bar
        yield self.example_pane
        yield self.group_tasks
        yield self.group_trend

    def on_mount(self) -> None:
        """Move the cursor to the group of the task that the screen was opened from."""
        super().on_mount()
        group = None if self.example is None else self.context.state.failures.of(self.example.id)
        if group is not None:
            self.list_table.move_to(group.id)

    def columns(self) -> tuple[Column[FailureGroup], ...]:
        """Return the columns of groups."""
        return failures.FAILURES

    def source(self) -> Iterable[FailureGroup]:
        """Return all groups: those in memory, or in a longer window of the history."""
        if self.stored.covers:
            return self.stored.groups()
        return self.context.state.failures

    def row_text(self, row: FailureGroup) -> str:
        """Return exception, location, task names and workers."""
        return failures.search_text(row)

    def faulty(self, row: FailureGroup) -> bool:
        """Return whether the group had failures in the last hour."""
        return any(row.trend.series(self.context.now()))

    def counts(self) -> list[Part]:
        """Return the number of groups, and of their tasks by state."""
        states = self.context.state.totals.by_state
        groups = super().counts()[0].text
        counted = Part(f"{groups} group{'s' * (groups != '1')}", "$text-muted")
        if self.stored.covers:
            tasks = sum(group.count for group in self.rows)
            number = units.UNKNOWN if self.unknown_reason and not tasks else units.count(tasks)
            window = units.duration(self.context.chart_seconds)
            text = f"{number} task{'s' * (tasks != 1)} in {window}"
            return [counted, Part(text, "$text-muted", 2)]
        return [
            counted,
            *(
                Part(f"{units.count(states[state])} {state}", f"{COLOURS[state_style(state)]}", 2)
                for state in (FAILURE, RETRY)
                if state in states
            ),
        ]

    @property
    def unknown_reason(self) -> str:
        """Why an empty list is not conclusive."""
        if self.stored.covers:
            return HISTORY_UNAVAILABLE if self.stored.unavailable else ""
        return super().unknown_reason

    def empty_text(self) -> str:
        """Return the text of an empty list; groups may still have to be read."""
        if self.stored.loading:
            return "Reading the history"
        shows_all = not self.filter_text and not self.faults_only
        if self.stored.covers and shows_all and not self.unknown_reason:
            return f"No failures in {units.duration(self.context.chart_seconds)}"
        return super().empty_text()

    def notes(self) -> Sequence[Part]:
        """Note the failures that are in no group."""
        groups = self.context.state.failures
        found = []
        if self.stored.covers and self.stored.unavailable:
            found.append(Part(HISTORY_UNAVAILABLE, "$text-warning", 1))
        if self.stored.is_cut:
            found.append(Part("only the groups that failed last", "$text-warning"))
        elif groups.left_out:
            text = f"{units.count(groups.left_out)} failed tasks in further groups, not listed"
            found.append(Part(text, "$text-warning"))
        if groups.unexplained:
            text = f"{units.count(groups.unexplained)} without a known exception, not listed"
            found.append(Part(text, "$text-muted", 3))
        return found

    def paint_body(self) -> None:
        """Show an example of the cursor's group."""
        super().paint_body()
        self._share_height()
        task, group = self._example(), self.list_table.cursor_row
        if group is not None and self.stored.covers:
            self.stored.load_example(group)
        self.example_pane.display = group is not None
        self.group_bar.show(() if group is None else self._group_parts(group))
        if task is None:
            self.traceback.show("")
            self.example_pane.show("idle", subtitle="")
        else:
            self.traceback.show(task.traceback or task.exception or "", task.name)
            self.example_pane.show(
                "bad", f"Example: {task.id}", subtitle=frame_place(self.traceback.own_frame)
            )
        self._share_rest(group)

    def _share_rest(self, group: FailureGroup | None) -> None:
        """Give the example and the tasks the lines that they need, and a chart those left over."""
        if self.zoomed:
            _set_height(self.example_pane, None)
            _set_height(self.group_tasks, None)
            return
        needed = self.traceback.virtual_size.height + BORDER
        above = self.list_table.styles.height
        room = self.query_one("#body").size.height - int(above.value if above is not None else 0)
        room -= int(self.group_bar.display) + needed
        tasks = self.group_tasks.paint(group, room)
        lines = self.group_tasks.needed
        trend = self.group_trend.paint(group, room - lines if tasks else 0)
        _set_height(self.example_pane, needed if tasks else None)
        _set_height(self.group_tasks, lines if trend else None)

    def _share_height(self) -> None:
        """Give the list the lines that it needs, up to half, and the example the rest."""
        if self.zoomed:
            return
        if not len(self.list_table.rows):
            self.list_table.styles.clear_rule("height")
            return
        most = max(MIN_LIST_HEIGHT, self.size.height // 2 - 2)
        height = min(max(MIN_LIST_HEIGHT, len(self.list_table.rows) + 1), most)
        self.list_table.styles.height = height

    def _group_parts(self, group: FailureGroup) -> list[Part]:
        """Return facts about the failures of a group that its row does not show."""
        state, frame = self.context.state, self.context.frame()
        workers = sorted(group.workers.items(), key=lambda one: (-one[1], one[0]))
        names = ", ".join(
            f"{name} {units.count(number)}" if number else name
            for name, number in workers[:MAX_WORKERS_SHOWN]
        )
        if len(workers) > MAX_WORKERS_SHOWN:
            names += f" and {units.count(len(workers) - MAX_WORKERS_SHOWN)} more"
        known = (state.workers.get(name) for name in group.workers)
        versions = {worker.software_version for worker in known if worker is not None}
        texts = ", ".join(sorted(filter(None, versions)))
        times = [
            f"{label} {numbers.time_or_date(at, frame, 11)[0]}"
            for label, at in (("first", group.first_at), ("last", group.last_at))
            if at is not None
        ]
        parts = [
            Part(f"{units.count(group.count)} {group.error or 'failed'}", "bold $text-error", gap=1)
        ]
        parts += [Part(", ".join(times), "$text-muted", 1)] if times else []
        parts += [Part(f"Celery {texts}", "$text-muted", 2)] if texts else []
        parts += [Part(f"failed runs: {names}", "", 3)] if names else []
        if self.stored.covers:
            # All operations but a retry are for those.
            parts.append(Part(f"{units.count(len(group.tasks))} in memory", "$text-muted", 1))
        return parts

    def _example(self) -> Task | None:
        """Return a task of the cursor's group: the last one shown, while it is in the group."""
        group = self.list_table.cursor_row
        if group is None:
            return None
        shown = self.example
        if shown is None or (shown.id not in group.tasks and shown.id != group.example):
            shown = self.context.state.tasks.get(group.example or "", None)
        self.example = shown
        return shown

    def copied(self) -> Sequence[object]:
        """Copy the example, as a group itself has no id."""
        return () if self.example is None else (self.example,)

    @property
    def current_row(self) -> object | None:
        """The frame at the cursor of the focused traceback, otherwise the group."""
        if self.focused is self.traceback:
            return super().current_row
        return self.list_table.cursor_row

    def chosen(self, kind: type[R]) -> list[R]:
        """Return the tasks of the marked groups or the cursor's; the example if it is focused."""
        if self.focused is self.traceback:
            return super().chosen(kind)
        return of_kind(super().copied(), kind, self.context.state)

    def step_back(self) -> bool:
        """Clear the search first."""
        return self.clear_search() or super().step_back()

    async def action_filter(self) -> None:
        """Filter the groups, or search the traceback if it is focused."""
        if self.focused is self.traceback:
            await self.action_search()
        else:
            await super().action_filter()

    def action_pane(self, step: int) -> None:
        """Go to the list or the traceback, which may have yet to follow the cursor."""
        self.paint_body()
        super().action_pane(step)
        # A frame that was opened or closed takes another number of lines.
        self._share_rest(self.list_table.cursor_row)

    def action_open(self) -> None:
        """Open the frame at the cursor of the traceback, or list the group's tasks."""
        if self.focused is self.traceback:
            self.traceback.action_open()
        else:
            super().action_open()

    def action_scroll(self, direction: Literal["left", "right"]) -> None:
        """Scroll the columns, or the traceback if it is focused."""
        if self.focused is self.traceback:
            step = 8 if direction == "right" else -8
            self.traceback.scroll_relative(x=step, animate=False)
        else:
            super().action_scroll(direction)

    def action_move(self, motion: Motion) -> None:
        """Move in the list, or in the traceback if it is focused."""
        if self.focused is self.traceback:
            self.traceback.action_move(motion)
        else:
            super().action_move(motion)

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """List the group's tasks."""
        group = self.rows.get(message.row_id)
        if group is not None:
            query = group.query
            if self.stored.covers:
                query += f" finished:<{window_name(self.context.chart_seconds)}"
            self.visit(DrillDown("tasks", query, failures.group_title(group)))


def _set_height(pane: Widget, lines: int | None) -> None:
    """Give a pane a number of lines, or with None those of the style sheet."""
    if lines is None:
        pane.styles.clear_rule("height")
    else:
        pane.styles.height = lines
