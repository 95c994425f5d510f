"""The Overview screen: tiles whose rows open the lists and pages behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll

from ...model.entities.queue import Queue
from ...model.entities.worker import Worker
from ...model.ingest.failure_groups import FailureGroup
from ...model.query.language import exact_term, parse_query
from ...model.query.order import Order
from ...model.query.row_list import RowList
from ...model.query.task_view import TaskView
from ...model.text import units
from ...widgets.charts.graph import Graph, Series
from ...widgets.table.column import Column
from ...widgets.table.live_table import LiveTable
from ...widgets.tile import Tile
from ..bars.header import failure_share, workers_online
from ..bars.states import StateStrip
from ..columns.failures import FAILURE_KEYS, TILE_COLUMNS, group_title
from ..columns.overview import ALERTS, queue_tile_columns, worker_columns
from ..columns.progress import running_columns
from ..context import AppContext
from ..keymap import bindings
from ..navigation import DrillDown, Location
from ..text.alerts import Alert, alerts
from ..text.queues import depths_age
from .base import MonitorScreen

if TYPE_CHECKING:
    from ...model.entities.changes import Changes
    from ...widgets.table.viewport import Motion

GRAPH_SECONDS: Final = 600
GRAPH_STEP: Final = 4
"""Seconds per point of the graph."""
MAX_ALERT_ROWS: Final = 4
MAX_FAILURE_AGE: Final = 3600.0
"""Seconds since the last failure after which a group is no longer listed."""
TITLES: Final = {
    "attention": "Attention",
    "workers": "Workers",
    "failures": "Failures (last hour, grouped)",
    "queues": "Queues",
    "running": "Running",
}


class OverviewScreen(MonitorScreen):
    """Throughput, failures, queues, workers, running tasks, and what needs attention."""

    CSS_PATH = "overview.tcss"
    BINDINGS = bindings("overview", "tasks", "workers", "queues")
    CONTEXTS = ("overview", "tasks", "workers", "queues")

    def __init__(self, context: AppContext, location: Location) -> None:
        super().__init__(context, location)
        state, now = context.state, context.now()
        self.running_tasks = TaskView(
            state, parse_query("state:running"), Order("runtime", True), now=now
        )
        self.queue_rows = RowList[Queue](
            state.queues.values, _name, {"worst": _queue_rank}, Order("worst", True)
        )
        self.worker_rows = RowList[Worker](
            state.workers.values, _name, {"worst": self._worker_rank}, Order("worst", True)
        )
        self.failure_rows = RowList[FailureGroup](
            self._failing, lambda group: group.id, FAILURE_KEYS, Order("count", True)
        )
        self.alert_rows = RowList[Alert](
            lambda: alerts(self.context.state, self.context.now()),
            lambda alert: alert.id,
            {"level": lambda alert: alert.level == "bad"},
            Order("level", True),
        )
        self._second = -1
        self._drawn_step = (-1, True)
        self.small_tables: list[LiveTable[Any]] = []
        self.strip = StateStrip(id="states")
        self.graph = Graph(glyphs=context.glyphs, id="graph")
        throughput = self.pane("throughput", "Throughput", self.graph)
        throughput.can_focus = True
        self.tiles = {
            "throughput": throughput,
            "attention": self._tile("attention", ALERTS, self.alert_rows, ""),
            "workers": self._tile(
                "workers", worker_columns(state), self.worker_rows, "no workers so far"
            ),
            "failures": self._tile("failures", TILE_COLUMNS, self.failure_rows, "no failures"),
            "queues": self._tile(
                "queues",
                queue_tile_columns(lambda: context.paused_queues),
                self.queue_rows,
                "no queues so far",
            ),
            "running": self._tile(
                "running", running_columns(context), self.running_tasks, "no running tasks"
            ),
        }

    @property
    def topics(self) -> frozenset[str]:
        """Queues and workers, polled slowly."""
        return frozenset({"overview", "workers", "queues"})

    @property
    def title_parts(self) -> tuple[str, ...]:
        """The name of the view."""
        return ("Overview",)

    def compose_body(self) -> ComposeResult:
        """Yield the tiles in two columns; the style sheet stacks them on a narrow terminal."""
        tiles = self.tiles
        yield self.strip
        yield tiles["attention"]
        with VerticalScroll(id="tiles", can_focus=False):
            with Vertical(id="left", classes="column"):
                yield tiles["throughput"]
                yield tiles["workers"]
                yield tiles["failures"]
            with Vertical(id="right", classes="column"):
                yield tiles["queues"]
                yield tiles["running"]

    def _tile(self, name: str, columns: Sequence[Column[Any]], rows: Any, empty: str) -> Tile:
        table: LiveTable[Any] = LiveTable(
            columns, rows, empty=empty, markable=False, id=f"{name}-table"
        )
        self.small_tables.append(table)
        return self.pane(name, TITLES[name], table)

    # Painting

    def catch_up(self) -> None:
        """Read all tasks again."""
        self.running_tasks.refresh(self.context.now())

    def take(self, changes: Changes) -> None:
        """Apply the changes to the running tasks."""
        self.running_tasks.apply(changes, self.context.now())

    def paint_body(self) -> None:
        """Update each tile."""
        self.queue_rows.refresh()
        self.worker_rows.refresh()
        self.failure_rows.refresh()
        second = int(self.context.now())
        if second != self._second:
            self._second = second
            self.alert_rows.refresh()
        self.strip.paint(self.context)
        frame = self.context.frame()
        for table in self.small_tables:
            table.paint(frame)
        self._update_levels()
        self._draw_graph()

    def _update_levels(self) -> None:
        """Set the level and subtitle of each tile."""
        state, now = self.context.state, self.context.now()
        attention = self.tiles["attention"]
        count = len(self.alert_rows)
        bad = any(alert.level == "bad" for alert in self.alert_rows)
        attention.set_class(count > 0, "-shown")
        # On a short terminal there is one line, without column titles.
        attention.styles.height = 3 if self.has_class("-low") else min(count, MAX_ALERT_ROWS) + 3
        attention.show("bad" if bad else "warn", subtitle=f"{count}" if count > 1 else "")
        unattended = any(queue.unattended for queue in state.queues.values())
        idle = not any(queue.waiting for queue in state.queues.values())
        self.tiles["queues"].show(
            "bad" if unattended else "idle" if idle else "good",
            # The budget of commands makes this screen's measurements less frequent.
            subtitle=depths_age(state, 2 * self.context.settings.queue_interval, now),
        )
        online, known = workers_online(state, now)
        shown = units.UNKNOWN if online is None else f"{online}"
        self.tiles["workers"].show(
            "idle" if not known or online is None else "good" if online == known else "bad",
            subtitle=f"{shown} of {known} online" if known else "",
        )
        failures = sum(group.count for group in self.failure_rows)
        self.tiles["failures"].show(
            "bad" if failures else "idle", subtitle=f"{failures:,}" if failures else ""
        )
        running = len(self.running_tasks)
        self.tiles["running"].show(
            "good" if running else "idle", subtitle=f"{running:,}" if running else ""
        )
        share = failure_share(state, now)
        level: Literal["good", "idle", "warn"] = "idle" if share is None else "good"
        self.tiles["throughput"].show(
            "warn" if share is not None and share > 0.1 else level,
            "Throughput (10 min)" if state.observed else "Throughput (10 min, incomplete)",
        )

    def _draw_graph(self) -> None:
        rates, now = self.context.state.rates, self.context.now()
        observed = self.context.state.observed
        step = (int(now / GRAPH_STEP), observed)
        if step == self._drawn_step:
            return
        self._drawn_step = step
        now -= now % GRAPH_STEP + 1
        lines = []
        for name, ring, style in (
            ("ok", rates.succeeded, "ok"),
            ("failed", rates.failed, "failed"),
            ("retry", rates.retried, "retry"),
        ):
            counts = ring.series(now, GRAPH_SECONDS)
            steps = range(0, GRAPH_SECONDS, GRAPH_STEP)
            values = tuple(sum(counts[at : at + GRAPH_STEP]) / GRAPH_STEP for at in steps)
            # Without events, no line at 0 suggests that no task runs.
            drawn = values if observed or any(values) else ()
            lines.append(Series(name, drawn, style, complete=observed))
        version = (observed, *(series.values for series in lines))
        self.graph.show(lines, version, "-10 min")

    def _worker_rank(self, worker: Worker) -> tuple[int, str]:
        state = self.context.state
        status = worker.health(state.broker.listening(self.context.now()))
        return {"offline": 3, "stalled": 2, "late": 1}.get(status, 0), worker.name

    # Opening

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Open the page or list of a row."""
        name = (message.table.id or "").removesuffix("-table")
        row_id = message.row_id
        if name == "queues":
            self.visit(DrillDown("tasks", exact_term("queue", row_id), row_id))
        elif name == "workers":
            self.visit(DrillDown("worker", row_id))
        elif name == "running":
            self.visit(DrillDown("task", row_id, row_id[:8]))
        elif name == "failures":
            self._open_failures(row_id)
        elif name == "attention":
            self._open_alert(row_id)

    def _open_failures(self, row_id: str) -> None:
        index = self.failure_rows.index(row_id)
        if index is not None:
            group = self.failure_rows[index]
            self.visit(DrillDown("tasks", group.query, group_title(group)))

    def _failing(self) -> list[FailureGroup]:
        """Return the groups with a failure in the last hour."""
        since = self.context.now() - MAX_FAILURE_AGE
        return [one for one in self.context.state.failures if (one.last_at or since) >= since]

    def _open_alert(self, row_id: str) -> None:
        index = self.alert_rows.index(row_id)
        if index is None:
            return
        alert = self.alert_rows[index]
        if alert.drill is not None:
            self.visit(alert.drill)
        else:
            self.app.call_later(self.app.run_action, f"app.view('{alert.view}')")

    def on_tile_opened(self, message: Tile.Opened) -> None:
        """Open the tasks behind the graph."""
        self.app.call_later(self.app.run_action, "app.view('tasks')")

    # Moving between tiles

    def action_open(self) -> None:
        """Open the row, or the tile."""
        if isinstance(self.focused, Tile):
            self.focused.action_open()
        else:
            super().action_open()

    def action_move(self, motion: Motion) -> None:
        """Move within a tile, and from its edge to the next one."""
        table = self.focused
        if not isinstance(table, LiveTable):
            self.action_pane(-1 if motion in ("up", "top", "page_up", "half_up") else 1)
            return
        index = table.rows.index(table.cursor_id) if table.cursor_id is not None else None
        last = len(table.rows) - 1
        if motion == "down" and (index is None or index >= last):
            self.action_pane(1)
        elif motion == "up" and not index:
            self.action_pane(-1)
        else:
            table.action_move(motion)

    def action_scroll(self, direction: Literal["left", "right"]) -> None:
        """Go to the tile on the left or right."""
        here = self.focused
        if here is None:
            return
        way = 1 if direction == "right" else -1
        beside = [
            widget
            for widget in self.focus_chain
            if (widget.region.x - here.region.x) * way > 0 and widget is not here
        ]
        if beside:
            self.set_focus(min(beside, key=lambda widget: abs(widget.region.y - here.region.y)))


def _name(row: Queue | Worker) -> str:
    return row.name


def _queue_rank(queue: Queue) -> tuple[bool, int, str]:
    return queue.unattended, queue.waiting or 0, queue.name
