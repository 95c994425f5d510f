"""The base of the pages of a queue and of a task type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any, ClassVar, Final, Generic, TypeVar

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll

from ....lists.failures import FAILURE_KEYS, FAILURES, group_title
from ....lists.progress import with_progress
from ....lists.workers import level_of, trouble
from ....model.entities.series.distribution import Distribution
from ....model.entities.styles import Level
from ....model.entities.task import Task
from ....model.entities.worker import Worker
from ....model.health.finding import SubjectKind
from ....model.ingest.tasks.failure_groups import FailureGroup
from ....model.query.language import exact_term
from ....model.query.order import Order
from ....model.query.row_list import RowList
from ....model.text import units
from ....widgets.charts.histogram import Histogram
from ....widgets.fields import Fields
from ....widgets.table.column import Column
from ....widgets.table.live_table import LiveTable
from ....widgets.tile import Tile
from ...bars.base import Bar, Part
from ...charts.subject_charts import SubjectChart
from ...columns.overview import worker_columns
from ...context import AppContext
from ...navigation import DrillDown, Location, page_of
from ...panes.chart_strip import ChartStrip
from ...panes.heights import Need
from .detail import DetailScreen, Needs, histogram_need, list_need
from .findings import FindingsPane
from .latest_tasks import latest_columns, latest_tasks

K = TypeVar("K")
R = TypeVar("R")

MIN_HISTOGRAM: Final = 2
"""Lines of the run times."""


class SubjectScreen(DetailScreen, Generic[R]):
    """Numbers, findings, run times, failures, workers and latest tasks of a queue or task type."""

    KIND: ClassVar[type]
    """The type of its subject."""
    TERM: ClassVar[str]
    """The field of the filter language that selects its tasks."""
    FINDING: ClassVar[SubjectKind]
    """The kind of findings that are about it."""
    TITLE_OF_FACTS: ClassVar[str]
    CHARTS: ClassVar[tuple[SubjectChart, ...]]
    SAME: ClassVar[str]
    """The column of the Tasks screen that has the same value for all its tasks."""

    def __init__(self, context: AppContext, location: Location) -> None:
        super().__init__(context, location)
        self.name_ = location.path[-1].subject
        state, glyphs = context.state, context.glyphs
        self.filter_text = exact_term(self.TERM, self.name_)
        self.latest = latest_tasks(context, self.filter_text)
        self.findings = FindingsPane(context, self.FINDING, self.name_)
        self.worker_rows = RowList[Worker](
            lambda: sorted(self.runners(), key=attrgetter("name")),
            lambda worker: worker.name,
            {"trouble": lambda worker: trouble(self._level(worker))},
            Order("trouble", True),
        )
        self.failure_rows = RowList[FailureGroup](
            self.failures, lambda group: group.id, FAILURE_KEYS, Order("last", True)
        )
        self.info_bar = Bar(id="info")
        self.chart_strip = ChartStrip(context, self.CHARTS, self.name_)
        self.fields = Fields(glyphs=glyphs, id="fields")
        self.histogram = Histogram(glyphs=glyphs, id="histogram")
        self.lists: dict[str, LiveTable[Any]] = {
            "findings": self.findings.table,
            "workers": self._table("workers", worker_columns(state), self.worker_rows),
            "failures": self._table("failures", FAILURES, self.failure_rows),
            "latest": self._table(
                "latest", with_progress(latest_columns(self.SAME), context), self.latest
            ),
        }
        facts = VerticalScroll(self.fields, id="facts-scroll")
        self.panes: dict[str, Tile] = {
            "facts": self.pane("facts", self.TITLE_OF_FACTS, facts),
            "runtimes": self.pane("runtimes", "Run times", self.histogram),
            "findings": self.findings,
            **{
                name: self.pane(name, title, self.lists[name])
                for name, title in (
                    ("workers", "Workers"),
                    ("failures", "Failures"),
                    ("latest", "Latest tasks"),
                )
            },
        }
        self._second = -1
        self._runs = 0

    def _table(self, name: str, columns: Sequence[Column[Any]], rows: Any) -> LiveTable[Any]:
        return LiveTable(columns, rows, empty="none", markable=False, id=f"{name}-table")

    @property
    def chart_filter(self) -> str:
        """The filter for its tasks."""
        return self.filter_text

    # The differences between the pages

    @property
    def subject(self) -> R | None:
        """The queue or task type; None if it is unknown."""
        raise NotImplementedError

    def runners(self) -> Iterable[Worker]:
        """Return the workers that consume the queue, or that can run the task."""
        raise NotImplementedError

    def failures(self) -> Iterable[FailureGroup]:
        """Return the groups of its failures."""
        raise NotImplementedError

    def run_times(self) -> tuple[Distribution, object]:
        """Return the run times of its tasks, and a value that differs when they differ."""
        raise NotImplementedError

    def show_fields(self, subject: R) -> None:
        """Show its numbers."""
        raise NotImplementedError

    # Painting

    def compose_body(self) -> ComposeResult:
        """Yield the numbers on the left, and the lists on the right."""
        panes = self.panes
        yield self.info_bar
        yield from self.stack(self.findings, self.chart_strip)
        with VerticalScroll(id="panes", can_focus=False):
            with Vertical(id="left", classes="column"):
                yield panes["facts"]
                yield panes["workers"]
                yield panes["runtimes"]
            with Vertical(id="right", classes="column -lists"):
                yield panes["failures"]
                yield panes["latest"]

    def contents(self) -> Mapping[str, object]:
        """Return its findings."""
        self.findings.alerts.refresh()
        return {"findings": self.findings.alerts}

    def on_mount(self) -> None:
        """Give the findings their height before the first layout; focus the latest tasks."""
        self._show_run_times()
        self.fit_findings(self.findings)
        self.focus_first(self.lists["latest"], self.panes["facts"].query_one("#facts-scroll"))

    def catch_up(self) -> None:
        """Read all again, also what is read once a second."""
        self._second = -1
        super().catch_up()

    def paint_body(self) -> None:
        """Update each pane; what is derived from many tasks, once a second."""
        frame = self.context.frame()
        if int(frame.now) != self._second:
            self._second = int(frame.now)
            self.findings.alerts.refresh()
            self.failure_rows.refresh()
            self._show_run_times()
        self.worker_rows.refresh()
        subject = self.subject
        left = self.breadcrumbs
        if subject is None:
            left.append(Part("unknown", "$text-error"))
        else:
            self.show_fields(subject)
        self.info_bar.show(left)
        self.chart_strip.paint()
        self.fit_findings(self.findings)
        self._show_counts()
        self.fit_panes()
        for table in self.lists.values():
            table.paint(frame)

    def _show_run_times(self) -> None:
        run_times, version = self.run_times()
        self.histogram.show(run_times, version)
        self._runs = run_times.count

    def _show_counts(self) -> None:
        failed = sum(group.count for group in self.failure_rows)
        self.panes["failures"].show("idle", subtitle=units.count(failed) if failed else "")
        self.panes["latest"].show("idle", subtitle=units.count(len(self.latest)))
        worst = next(iter(self.worker_rows), None)
        level: Level = "idle" if worst is None else self._level(worst)
        self.panes["workers"].show(level, subtitle=units.count(len(self.worker_rows)))

    def needs(self) -> Needs:
        """Return the lines of the panes; an empty list has one line with a text."""
        empty = Need(1, 2, least=1, whole=1)
        latest = list_need(self.latest) if len(self.latest) else empty
        return {
            "left": {
                "facts": Need(self.fields.lines, 2),
                "workers": list_need(self.worker_rows) if len(self.worker_rows) else empty,
                "runtimes": histogram_need(self._runs, MIN_HISTOGRAM),
            },
            "right": {
                "failures": list_need(self.failure_rows) if len(self.failure_rows) else empty,
                "latest": replace(latest, fills=True),
            },
        }

    def _level(self, worker: Worker) -> Level:
        now = self.context.now()
        return level_of(worker, self.context.state.broker.listening(now), now)

    # Keys

    def listed(self) -> Sequence[Task] | None:
        """Return nothing: operations concern the rows, or the subject of the page."""
        return None

    def chosen(self, kind: type[K]) -> list[K]:
        """Return the subject of the page, or the task under the cursor."""
        if kind is self.KIND:
            return [self.subject] if isinstance(self.subject, kind) else []
        return super().chosen(kind)

    def copied(self) -> Sequence[object]:
        """Copy the row under the cursor, otherwise the subject."""
        focused = self.focused
        if isinstance(focused, LiveTable) and focused.cursor_row is not None:
            return (focused.cursor_row,)
        return () if self.subject is None else (self.subject,)

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Open the page of a task or worker, or the tasks of a group of failures."""
        if message.table is self.lists["latest"]:
            self.visit(page_of(message.row_id))
        elif message.table is self.lists["workers"]:
            self.visit(DrillDown("worker", message.row_id))
        elif message.table is self.lists["failures"]:
            group = self.failure_rows.get(message.row_id)
            if group is not None:
                query = f"{group.query} {self.filter_text}"
                self.visit(DrillDown("tasks", query, group_title(group)))

    def action_list_tasks(self) -> None:
        """List all its tasks."""
        self.visit(DrillDown("tasks", self.filter_text, f"tasks of {self.name_}"))
