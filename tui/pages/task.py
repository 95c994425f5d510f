"""The task page: all fields, timeline, attempts, arguments, result and traceback."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.geometry import Size

from ...lists import tasks
from ...lists.progress import (
    current_progress,
    large_bar_texts,
    progress_source,
    with_progress,
)
from ...model.entities.series.distribution import Distribution
from ...model.entities.styles import Level
from ...model.entities.task import Task
from ...model.query.language import exact_term
from ...model.query.order import Order
from ...model.query.row_list import RowList
from ...widgets.charts.histogram import Histogram
from ...widgets.charts.large_bar import LargeBar
from ...widgets.charts.timeline import Timeline
from ...widgets.fields import Field, Fields
from ...widgets.table.live_table import LiveTable
from ...widgets.traceback_view import TracebackView
from ...widgets.value_tree import ValueTree
from ..bars.base import Bar, Part
from ..charts.subject_charts import OF_TYPE
from ..columns.attempts import ATTEMPTS, AttemptRow, attempt_rows
from ..context import AppContext
from ..details.retry import retry_field
from ..details.task import frame_place, task_fields, unlisted_field
from ..dialogs.text import TextDialog
from ..dialogs.traceback import TracebackDialog
from ..keymap import bindings
from ..navigation import Location, page_of
from ..panes.chart_strip import ChartStrip
from ..panes.heights import Need
from .base.detail import DetailScreen, Needs, histogram_need, list_need
from .base.latest_tasks import latest_columns, latest_tasks
from .base.tracebacks import TracebackScreen
from .past_operations import PastOperations
from .related_tasks import RelatedTasks

if TYPE_CHECKING:
    from ...model.operations.call import Recovered

CHARTS_FROM: Final = 50
"""Lines of the screen from which there is room for charts of the task's type."""
MIN_FAILURE: Final = 8
"""Lines of the failure even in a low terminal: the exception and an own frame."""
MIN_HISTOGRAM: Final = 5
"""Lines of the run times."""
MAX_RELATIVES: Final = 5
"""Rows of related tasks; the table scrolls."""
MIN_LATEST: Final = 4
"""Rows of the latest tasks of its type."""
MAX_VALUES: Final = 10
"""Lines of arguments and result on a narrow page, before the fields."""

_LEVELS: Final[dict[str, Level]] = {"SUCCESS": "good", "FAILURE": "bad", "RETRY": "warn"}


class TaskDetailScreen(DetailScreen, TracebackScreen):
    """The page of a task."""

    BINDINGS = bindings("tasks")
    CONTEXTS = ("detail", "text", "tasks")

    def __init__(self, context: AppContext, location: Location) -> None:
        super().__init__(context, location)
        self.task_id = location.path[-1].subject
        # Kept, so that the page still works if the task is evicted from the model.
        self.shown: Task | None = context.state.tasks.get(self.task_id)
        self._original: Recovered | None = None
        """The arguments that the task was sent with, searched once when it has finished."""
        self._searching = False
        self._retry: tuple[object, Field] | None = None
        self.related = RelatedTasks(context, lambda: self.shown)
        glyphs = context.glyphs
        self.info_bar = Bar(id="info")
        self.fields = Fields(glyphs=glyphs, id="fields")
        self.timeline = Timeline(glyphs=glyphs)
        self.values = ValueTree(glyphs=glyphs, id="tree")
        self.traceback = TracebackView(glyphs=glyphs, id="traceback-text")
        self.bar = LargeBar(glyphs=glyphs)
        self.histogram = Histogram(glyphs=glyphs, id="histogram")
        name = None if self.shown is None else self.shown.name
        of_type = tuple(replace(kind, title=f"{kind.title} of {name}") for kind in OF_TYPE)
        self.chart_strip = ChartStrip(context, of_type, name or "", CHARTS_FROM)
        self.latest = latest_tasks(context, exact_term("name", name or ""))
        self.latest_table: LiveTable[Task] = LiveTable(
            with_progress(latest_columns("name"), context), self.latest, empty="none",
            markable=False, id="latest-table",
        )  # fmt: skip
        self._attempts = RowList[AttemptRow](
            self._attempt_rows,
            lambda row: row.id,
            {"position": lambda row: row.position},
            Order("position", False),
        )
        self.attempts_table: LiveTable[AttemptRow] = LiveTable(
            ATTEMPTS, self._attempts, markable=False, id="attempts-table"
        )
        self.operations = PastOperations(context, self.task_id)
        facts = VerticalScroll(self.fields, id="facts-scroll")
        self.panes = {
            "progress": self.pane("progress", "Progress", self.bar),
            "attempts": self.pane("attempts", "Attempts", self.attempts_table),
            "time": self.pane("time", "Timeline", self.timeline),
            "facts": self.pane("facts", "Task", facts),
            "operations": self.pane("operations", "Operations", self.operations.table),
            "related": self.pane("related", "Related tasks", self.related.table),
            "values": self.pane("values", "Arguments and result", self.values),
            "runtimes": self.pane("runtimes", f"Run times of {name}", self.histogram),
            "latest": self.pane("latest", f"Latest tasks of {name}", self.latest_table),
            "traceback": self.pane("traceback", "Failure", self.traceback),
        }

    @property
    def topics(self) -> frozenset[str]:
        """The task's worker."""
        task = self.shown
        return frozenset({f"worker:{task.worker}"} if task is not None and task.worker else ())

    @property
    def selected_ids(self) -> tuple[str, ...]:
        """The page's task, and marked rows."""
        return (self.task_id, *super().selected_ids)

    @property
    def watched(self) -> tuple[str, ...]:
        """The task, even if it is still unknown, and the related tasks on the screen."""
        ended = self.shown is not None and self.shown.finished
        return super().watched if ended else (self.task_id, *super().watched)

    def compose_body(self) -> ComposeResult:
        """Yield the failure, if any, then the values on the left and the fields on the right."""
        panes = self.panes
        yield self.info_bar
        yield from self.stack(panes["traceback"], panes["progress"], panes["time"])
        yield self.chart_strip
        with VerticalScroll(id="panes", can_focus=False):
            with Vertical(id="left", classes="column"):
                yield panes["values"]
                yield panes["runtimes"]
            with Vertical(id="right", classes="column -lists"):
                names = ("facts", "attempts", "operations", "related", "latest")
                yield from self.stack(*(panes[name] for name in names))

    def contents(self) -> Mapping[str, object]:
        """Return the failure, the progress, and the lists of what concerns the task."""
        task = self.shown
        self.related.rows.refresh()
        self._attempts.refresh()
        self.operations.refresh()
        return {
            "traceback": task is not None and (task.traceback or task.exception),
            "progress": self._has_progress(),
            "attempts": len(self._attempts) > 1,
            "operations": self.operations.rows,
            "related": self.related.rows,
        }

    def needs(self) -> Needs:
        """Return the lines of the panes; what is known of its type takes what the others leave."""
        values, runs = self.values.lines, self._run_times().count
        name = None if self.shown is None else self.shown.name
        if self.is_narrow:
            values = min(values, MAX_VALUES)
        return {
            "left": {
                "values": Need(max(1, values), 2, least=1),
                "runtimes": histogram_need(runs, MIN_HISTOGRAM),
            },
            "right": {
                "facts": Need(self.fields.lines, 2),
                "attempts": list_need(self._attempts if len(self._attempts) > 1 else ()),
                "operations": list_need(self.operations.rows),
                "related": list_need(self.related.rows, MAX_RELATIVES),
                "latest": replace(
                    list_need(self.latest if name else (), fills=True), least=MIN_LATEST, spare=True
                ),
            },
        }

    def _run_times(self) -> Distribution:
        """Return the run times of the task's type."""
        name = None if self.shown is None else self.shown.name
        task_type = self.context.state.types.get(name or "")
        return Distribution() if task_type is None else task_type.runtime

    def fit(self, size: Size) -> None:
        """Show the charts of the task's type if there is room."""
        super().fit(size)
        known = self.shown is not None and self.shown.name is not None
        self.chart_strip.display = known and size.height >= CHARTS_FROM

    def on_mount(self) -> None:
        """Focus the traceback of a failed task, else the values; read what the history has."""
        if self.shown is not None:
            # Before the first layout: its height is taken from the panes.
            frame = self.context.frame()
            self.timeline.show(self.shown, frame.now, frame.skews)
        if self.context.session.history.stored is not None:
            self.context.session.history.stored.find(self.task_id)
        failed = self.shown is not None and self.shown.traceback is not None
        self.focus_first(self.traceback if failed else self.values)

    def displayed(self) -> None:
        """Find out what the task was sent with."""
        if self.shown is not None:
            self._look_for_original(self.shown)

    def _look_for_original(self, task: Task) -> None:
        if task.finished and self.settled and not self._searching:
            self._searching = True
            self._find_original()

    @work
    async def _find_original(self) -> None:
        """Read the finished task from the result backend, and find out what it was sent with."""
        session = self.context.session
        session.lookups.result(self.task_id)
        search = asyncio.wrap_future(session.lookups.recover_calls((self.task_id,)))
        # `wait` does not cancel the other thread's work when the page is left, `await` would.
        await asyncio.wait({search})
        if search.exception() is None:
            (self._original,) = search.result()
            self.paint_body()

    def _retry_field(self, task: Task) -> Field:
        self._look_for_original(task)
        known = (task.version, self._original)
        # Comparing the arguments with their text takes too long to do it each frame.
        if self._retry is None or self._retry[0] != known:
            found = (
                self._original if task.finished else self.context.session.lookups.sent_task(task.id)
            )
            self._retry = known, retry_field(task, found)
            self.context.unrecoverable.add(task, found)
        return self._retry[1]

    def paint_body(self) -> None:
        """Show the current state of the task."""
        self.shown = self.context.state.tasks.get(self.task_id, self.shown)
        frame = self.context.frame()
        contents = self.contents()
        for name in ("traceback", "progress"):
            self.show_pane(self.panes[name], contents[name])
        task = self.shown
        if task is not None:
            state = self.context.state
            max_retries = self.context.settings.max_retries_of(task.name)
            held = state.unacked.get(task.id)
            gone = None if held is None else state.is_abandoned(held, frame.now)
            self.fields.show(
                [
                    *(
                        field
                        for field in task_fields(
                            task,
                            frame,
                            max_retries,
                            state.redelivery_at(task),
                            held,
                            abandoned=gone,
                        )
                        if field.label not in self._shown_elsewhere
                    ),
                    *unlisted_field(state.workers.get(task.worker or "")),
                    self._retry_field(task),
                ]
            )
            self._paint_progress(task, frame.now)
            self.timeline.show(task, frame.now, frame.skews)
            self.values.show(_values(task))
            self._paint_traceback(task)
            run_times = self._run_times()
            self.histogram.show(run_times, run_times.count)
            self.panes["facts"].show(_LEVELS.get(task.state, "idle"))
        if self.chart_strip.display:
            self.chart_strip.paint()
        self.fit_panes()
        self.related.table.paint(frame)
        self.attempts_table.paint(frame)
        self.operations.table.paint(frame)
        self.latest_table.paint(frame)
        self.paint_info()

    def paint_info(self) -> None:
        """Show the task's id, state and name."""
        left = self.breadcrumbs
        task = self.shown
        if task is None:
            left.append(Part(f"unknown task {self.task_id}", "$text-error"))
        else:
            state, _ = tasks.state(task, self.context.frame())
            left += [Part(state, "bold"), Part(task.name or "?", "$text-accent", keeps_end=True)]
            if task.id not in self.context.state.tasks:
                gone = self.context.replay is None
                text = "evicted from memory" if gone else "unknown at this time"
                left.append(Part(text, "$text-warning"))
        self.info_bar.show(left)

    def copied(self) -> Sequence[object]:
        """Copy the other task under the cursor if its table is focused, else the task."""
        for table in (self.related.table, self.latest_table):
            if self.focused is table and table.cursor_row is not None:
                return (table.cursor_row,)
        return () if self.shown is None else (self.shown,)

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Open a related task, the traceback of an attempt, or an operation."""
        if message.table is self.attempts_table:
            self._open_attempt(message.row_id)
            return
        if message.table is self.operations.table:
            self._open_operation(message.row_id)
            return
        self.visit(page_of(message.row_id))

    @property
    def _shown_elsewhere(self) -> frozenset[str]:
        """The labels of fields that repeat what other panes or fields show."""
        task = self.shown
        own_root = task is not None and task.root_id == task.id
        return frozenset({"Exception", *(("Root",) if own_root else ())})

    def _has_progress(self) -> bool:
        """Return whether there is progress, or a reason for its absence, to show."""
        task, context = self.shown, self.context
        if task is None or not task.running:
            return False
        return (
            current_progress(task, context, context.now())[0] is not None
            or context.progress_unavailable is not None
        )

    def _paint_progress(self, task: Task, now: float) -> None:
        progress, estimated = current_progress(task, self.context, now)
        pane = self.panes["progress"]
        if progress is None:
            self.bar.show(f"?  {self.context.progress_unavailable}", bar=False)
            pane.show("idle", subtitle="")
            return
        text = " · ".join(large_bar_texts(task, self.context, now))
        if self.context.ascii:
            text = text.replace(" · ", "  ")
        self.bar.show(text, progress.fraction, estimated=estimated, step=int(now * 2))
        pane.show(
            "idle" if estimated else "good", subtitle=progress_source(task, self.context, now)
        )

    def _paint_traceback(self, task: Task) -> None:
        """Show the failure in as many lines as it needs, up to half of the page."""
        view, pane = self.traceback, self.panes["traceback"]
        if not pane.is_attached:
            return
        view.show(task.traceback or task.exception or "", task.name)
        pane.show(_LEVELS.get(task.state, "idle"), subtitle=frame_place(view.own_frame))
        frame = view.styles.gutter.height + pane.styles.gutter.height
        height = min(view.virtual_size.height + frame, max(MIN_FAILURE, self.size.height // 2 - 2))
        if not self.zoomed:
            pane.styles.height = height

    def _attempt_rows(self) -> list[AttemptRow]:
        task = self.shown
        return [] if task is None else attempt_rows(task, self.context.frame())

    def _open_attempt(self, row_id: str) -> None:
        row = self._attempts.get(row_id)
        if row is not None:
            attempt = row.attempt
            text = attempt.traceback or attempt.exception or "No exception or traceback is known"
            name = None if self.shown is None else self.shown.name
            glyphs = self.context.glyphs
            title = f"Attempt {attempt.number + 1}"
            self.app.push_screen(TracebackDialog(title, text, name, glyphs))

    def _open_operation(self, row_id: str) -> None:
        row = self.operations.rows.get(row_id)
        if row is not None:
            self.app.push_screen(TextDialog("Operation", row.text))


def _values(task: Task) -> Mapping[str, str | None]:
    values: dict[str, str | None] = {"args": task.args, "kwargs": task.kwargs}
    if task.result is not None or task.state == "SUCCESS":
        values["result"] = task.result
    if task.extra is not None:
        values.update(task.extra.fields)
    return values
