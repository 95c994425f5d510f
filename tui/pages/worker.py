"""The worker page: pool, processes, tasks, usage and configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll

from ...lists import numbers, tasks
from ...lists.limits import limits_text
from ...lists.progress import with_progress
from ...lists.workers import health_level
from ...model.entities.task import Task
from ...model.entities.worker import UNLIMITED, Worker, WorkerHealth
from ...model.health.broker.questions import failures
from ...model.query.language import exact_term
from ...model.query.order import Order
from ...model.query.row_list import RowList
from ...model.text import units
from ...model.text.phrases import short_id
from ...widgets.colours import COLOURS
from ...widgets.fields import Fields
from ...widgets.table.column import Column
from ...widgets.table.live_table import LiveTable
from ...widgets.value_tree import ValueTree
from ..bars.base import Bar, Part
from ..charts.subject_charts import OF_WORKER
from ..context import AppContext
from ..details.worker import total_fields, usage_fields, worker_fields
from ..keymap import bindings
from ..navigation import Location, page_of
from ..panes.chart_strip import ChartStrip
from ..panes.heights import Need
from .base.detail import DetailScreen, Needs, list_need
from .base.findings import FindingsPane
from .base.latest_tasks import latest_columns, latest_tasks

_TASK_COLUMNS: Final[tuple[Column[Task], ...]] = (
    Column("name", "Task", 20, tasks.name, grow=2, keeps_end=True),
    Column("id", "ID", 8, lambda task, frame: (short_id(task.id), "muted"), 2, keeps_end=True),
    replace(tasks.RUNNING_TIME, priority=0),
    Column("outcome", "Progress", 14, tasks.outcome, 1),
    Column("args", "Args", 12, lambda task, frame: (task.args or "", "muted"), 3, grow=2),
)
_SCHEDULED_COLUMNS: Final = (tasks.SCHEDULED[0], *_TASK_COLUMNS[:2])

R = TypeVar("R")

MAX_LATEST: Final = 4
"""Rows of the latest tasks for which the usage is cut."""
MIN_TOTALS: Final = 3
"""Lines of the numbers by task type."""
MIN_SETUP: Final = 6
"""Lines of the configuration."""
DATE_WIDTH: Final = len("11-21 14:02")
CHARTS_FROM: Final = 40
"""Lines of the screen from which its other panes leave room for framed charts."""


class WorkerDetailScreen(DetailScreen):
    """The page of a worker."""

    BINDINGS = bindings("findings", "workers", "tasks")
    CONTEXTS = ("detail", "findings", "text", "workers", "tasks")

    def __init__(self, context: AppContext, location: Location) -> None:
        super().__init__(context, location)
        self.worker_name = location.path[-1].subject
        self._tasks = {
            "active": self._list(lambda worker: worker.active_ids),
            "reserved": self._list(lambda worker: worker.reserved_ids or ()),
            "scheduled": self._list(lambda worker: worker.scheduled_ids or ()),
        }
        self.latest = latest_tasks(context, self.chart_filter)
        glyphs = context.glyphs
        self.info_bar = Bar(id="info")
        self.findings = FindingsPane(context, "worker", self.worker_name)
        self.chart_strip = ChartStrip(context, OF_WORKER, self.worker_name, CHARTS_FROM)
        self.fields = Fields(glyphs=glyphs, id="fields")
        self.usage = Fields(glyphs=glyphs, id="usage-fields")
        self.setup = ValueTree(glyphs=glyphs, id="tree")
        self.lists = {
            "active": self._table("active", with_progress(_TASK_COLUMNS, context)),
            "reserved": self._table("reserved", _TASK_COLUMNS),
            "scheduled": self._table("scheduled", _SCHEDULED_COLUMNS),
        }
        self.latest_table: LiveTable[Task] = LiveTable(
            with_progress(latest_columns("worker"), context), self.latest, empty="none",
            markable=False, id="latest-table",
        )  # fmt: skip
        self.totals = Fields(glyphs=glyphs, id="totals-fields")
        facts = VerticalScroll(self.fields, id="facts-scroll")
        totals = VerticalScroll(self.totals, id="totals-scroll")
        usage = VerticalScroll(self.usage, id="usage-scroll")
        self.panes = {
            "facts": self.pane("facts", "Worker", facts),
            "setup": self.pane("setup", "Configuration", self.setup),
            **{
                name: self.pane(name, name.capitalize(), table)
                for name, table in self.lists.items()
            },
            "latest": self.pane("latest", "Latest tasks", self.latest_table),
            "usage": self.pane("usage", "Usage", usage),
            "totals": self.pane("totals", "Processed by task type", totals),
        }

    @property
    def topics(self) -> frozenset[str]:
        """Everything about this worker."""
        return frozenset({f"worker:{self.worker_name}"})

    @property
    def worker(self) -> Worker | None:
        """The worker; None if it is unknown."""
        return self.context.state.workers.get(self.worker_name)

    @property
    def chart_filter(self) -> str:
        """The filter for its tasks."""
        return exact_term("worker", self.worker_name)

    def _list(self, ids: Callable[[Worker], Iterable[str]]) -> RowList[Task]:
        def tasks() -> list[Task]:
            worker, known = self.worker, self.context.state.tasks
            wanted = ids(worker) if worker is not None else ()
            return [known[task_id] for task_id in wanted if task_id in known]

        keys = {"arrival": lambda task: task.arrival}
        return RowList(tasks, lambda task: task.id, keys, Order("arrival", False))

    def compose_body(self) -> ComposeResult:
        """Yield the tasks on the left and the fields on the right."""
        panes = self.panes
        yield self.info_bar
        yield from self.stack(self.findings, self.chart_strip)
        with VerticalScroll(id="panes", can_focus=False):
            with Vertical(id="left", classes="column -lists"):
                names = ("active", "reserved", "scheduled", "latest", "usage", "totals")
                yield from self.stack(*(panes[name] for name in names))
            with Vertical(id="right", classes="column"):
                yield panes["facts"]
                yield panes["setup"]

    def contents(self) -> Mapping[str, object]:
        """Return the findings, and the lists of tasks that are hidden without any."""
        self.findings.alerts.refresh()
        for rows in self._tasks.values():
            rows.refresh()
        totals = () if self.worker is None else total_fields(self.worker)
        lists: dict[str, object] = {name: self._tasks[name] for name in ("reserved", "scheduled")}
        return {**lists, "findings": self.findings.alerts, "totals": totals}

    def needs(self) -> Needs:
        """Return the lines of the panes; lists without tasks are hidden, except the active."""
        lists = {name: list_need(rows) for name, rows in self._tasks.items()}
        if not lists["active"].rows:
            lists["active"] = Need(1, 2, least=1)
        totals = self.totals.lines
        return {
            "left": {
                **lists,
                "usage": Need(self.usage.lines, 2, least=1),
                "latest": list_need(self.latest, MAX_LATEST, fills=True),
                "totals": Need(
                    min(totals, MIN_TOTALS), 2, MIN_TOTALS, fills=True, spare=True, whole=totals
                ),
            },
            "right": {
                "facts": Need(self.fields.lines, 2),
                "setup": Need(MIN_SETUP, 2, fills=True, whole=self.setup.lines),
            },
        }

    def _table(self, name: str, columns: Sequence[Column[Task]]) -> LiveTable[Task]:
        return LiveTable(
            columns, self._tasks[name], empty="none", markable=False, id=f"{name}-table"
        )

    def on_mount(self) -> None:
        """Give the findings their height before the first layout; focus the active tasks."""
        self.fit_findings(self.findings)
        self.focus_first(self.lists["active"])

    def paint_body(self) -> None:
        """Show the current state of the worker."""
        frame = self.context.frame()
        worker = self.worker
        for name, rows in self._tasks.items():
            rows.refresh()
            known = self._known(name)
            self.lists[name].empty = "none" if known is not None else self._why_unknown(name)
            self.panes[name].show("idle", subtitle=_task_count(known, len(rows)))
        self.paint_info()
        self.findings.alerts.refresh()
        self.fit_findings(self.findings)
        self.chart_strip.paint()
        if worker is not None:
            status = worker.health(self.context.state.broker.listening(frame.now))
            self.fields.show(worker_fields(worker, status, frame))
            self.usage.show(usage_fields(worker))
            self.totals.show(total_fields(worker))
            self.panes["facts"].show(health_level(worker, status, frame.now))
            self.setup.show(_setup(worker))
        self.panes["latest"].show("idle", subtitle=units.count(len(self.latest)))
        self.fit_panes()
        for table in (self.findings.table, *self.lists.values(), self.latest_table):
            table.paint(frame)

    def _known(self, name: str) -> int | None:
        worker = self.worker
        if worker is None or (name == "active" and not worker.active_ids and worker.running != 0):
            return None
        ids: Any = getattr(worker, f"{name}_ids")
        return None if ids is None else len(ids)

    def _why_unknown(self, name: str) -> str:
        if self.context.freeze.moment is not None:
            return "not stored"
        fault = None if self.worker is None else self.worker.fact(name).fault
        return "not inspected yet" if fault is None else f"unknown: {fault.problem}"

    def paint_info(self) -> None:
        """Show the worker's name, its status, and from when the page's values are."""
        left = self.breadcrumbs
        worker = self.worker
        status: WorkerHealth = "unknown"
        if worker is not None:
            now = self.context.now()
            status = worker.health(self.context.state.broker.listening(now))
            level = health_level(worker, status, now)
            left.append(Part(f"{self.context.glyphs.level(level)} {status}", COLOURS[level]))
        if (age := self._age(worker, status)) is not None:
            left.append(age)
        self.info_bar.show(left)

    def _age(self, worker: Worker | None, status: WorkerHealth) -> Part | None:
        """Return when the worker was inspected, or why it was not."""
        if worker is None:
            return Part("unknown worker", "$text-error")
        if status == "offline" and worker.last_seen_at is not None:
            # An offline worker does not reply anyway: its failed questions are not worth the room.
            at, _ = numbers.time_or_date(worker.last_seen_at, self.context.frame(), DATE_WIDTH)
            return Part(f"values as of {at}", "$text-warning")
        if reasons := failures(worker):
            return Part("; ".join(reasons), "$text-warning")
        if self.context.freeze.stepped_back:
            return None  # it was inspected later
        if worker.inspected_at is None:
            return Part("not inspected yet", "$text-muted")
        ago = units.elapsed(worker.inspected_at, self.context.now())
        return Part(f"inspected {ago} ago", "$text-muted")

    def copied(self) -> Sequence[object]:
        """Copy the task under the cursor, else the worker."""
        focused = self.focused
        if isinstance(focused, LiveTable) and focused.cursor_row is not None:
            return (focused.cursor_row,)
        return () if self.worker is None else (self.worker,)

    def chosen(self, kind: type[R]) -> list[R]:
        """Return this worker, or the task under the cursor."""
        if kind is Worker:
            return [self.worker] if isinstance(self.worker, kind) else []
        return super().chosen(kind)

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Open a task."""
        if message.table is not self.findings.table:
            self.visit(page_of(message.row_id))


def _task_count(known: int | None, shown: int) -> str:
    if known is None:
        return "?"
    # The model may not know all tasks that the worker reports.
    return f"{known}" if known == shown else f"{known}, {shown} shown"


def _setup(worker: Worker) -> dict[str, str | None]:
    queues = None
    if worker.queues is not None:
        names = {queue.name: queue.routing_key for queue in worker.queues}
        queues = repr(names)
    return {
        "queues": queues,
        "limits": _limits(worker),
        "registered": None if worker.registered is None else repr(list(worker.registered)),
        "conf": None if worker.conf is None else repr(worker.conf),
        "stats": None if worker.stats is None else repr(worker.stats),
        "totals": repr(worker.totals) if worker.totals else None,
    }


def _limits(worker: Worker) -> str | None:
    if worker.initial_limits is None:
        return None
    names = sorted({*worker.limits, *worker.initial_limits})
    first = {name: limits_text(worker.initial_limits.get(name, UNLIMITED)) for name in names}
    texts = {name: limits_text(worker.limits.get(name, UNLIMITED)) for name in names}
    return repr(
        {
            name: text if text == first[name] else f"{text} (initially {first[name]})"
            for name, text in texts.items()
        }
    )
