"""The charts page: the cluster, or a queue, worker or task type, over time."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

import msgspec
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.geometry import Size

from ...bindings.contexts import Context
from ...model.entities.series.time_series import STEP
from ...model.text import units
from ...model.text.sanitize import visible
from ...widgets.charts.chart import Chart
from ...widgets.tile import Tile
from ..bars.base import Bar, Part
from ..charts import charts
from ..charts.series_chart import time_zone
from ..charts.subject_charts import charts_of
from ..context import AppContext
from ..keymap import bindings
from ..navigation import Kind, Location
from ..screens.base.screen import MonitorScreen
from ..text.unknown import HISTORY_UNAVAILABLE

if TYPE_CHECKING:
    from ...files.views_file import View

MIN_TILE_HEIGHT: Final = 7
"""Lines of a chart with its frame."""
MAX_MARKS: Final = 3
"""Marks that are named above the charts."""
MAX_NAME: Final = 80
"""Characters of a worker's name."""
MAX_MARK_TEXT: Final = 60
"""Characters of a mark's text."""
BAR_LINES: Final = 3
"""Header, info line and footer."""
COLUMN_WIDTHS: Final = (76, 170)
"""Widths of the screen from which two and three charts stand side by side."""


class ChartsScreen(MonitorScreen):
    """Charts on one axis of time, with a cursor that reads all of them.

    Below the page of a queue, worker or task type they are its charts, otherwise the cluster's.
    """

    CSS_PATH = "charts.tcss"
    BINDINGS = bindings("charts")
    CONTEXTS: ClassVar[tuple[Context, ...]] = ("charts",)

    def __init__(self, context: AppContext, location: Location) -> None:
        super().__init__(context, location)
        self.info_bar = Bar(id="info")
        above = location.path[-2:-1]
        self.subject = next((step for step in above if charts_of(step.kind, step.subject)), None)
        """The step to the page of the queue, worker or task type that the charts are of."""
        self.kinds = charts.CHARTS
        if self.subject is not None:
            self.kinds = charts_of(self.subject.kind, self.subject.subject)
        self.charts = {
            kind.id: Chart(glyphs=context.glyphs, id=f"{kind.id}-chart") for kind in self.kinds
        }
        self.tiles = [self.pane(kind.id, kind.title, self.charts[kind.id]) for kind in self.kinds]
        for tile in self.tiles:
            tile.can_focus = True
        self.grid = VerticalScroll(*self.tiles, id="charts", can_focus=False)
        self.cursor: float | None = None
        """The epoch seconds whose values are read; None for the newest."""

    @property
    def topics(self) -> frozenset[str]:
        """Queues and workers, polled slowly; of a subject, what its page polls."""
        if self.subject is not None:
            kind, name = self.subject.kind, self.subject.subject
            known: dict[Kind, str] = {"queue": "queues", "worker": f"worker:{name}"}
            return frozenset({known[kind]} if kind in known else ())
        return frozenset({"overview", "workers", "queues"})

    @property
    def subject_title(self) -> str:
        """The title of what the charts are of; empty for the whole cluster."""
        return self.title_parts[-2] if self.subject is not None else ""

    def compose_body(self) -> ComposeResult:
        """Yield the info line and the charts."""
        yield self.info_bar
        yield self.grid

    def on_mount(self) -> None:
        """Focus the first chart."""
        self.set_focus(self.tiles[0])

    # Painting

    def paint_body(self) -> None:
        """Update the charts."""
        for kind in self.kinds:
            charts.show(self.charts[kind.id], kind.id, kind.build, self.context)
        if self.cursor is not None:
            self._move_cursor(self.cursor)
        self._paint_info()

    def _paint_info(self) -> None:
        window = units.duration(self.context.chart_seconds)
        # Above the charts there may be the id of a task.
        is_below = self.location.path[:-1] and self.subject is None
        scope = f"whole cluster, {window}" if is_below else window
        left = [*self.breadcrumbs, Part(scope, "$text-muted")]
        if self.context.stored_series.unavailable:
            left.append(Part(HISTORY_UNAVAILABLE, "$text-warning", 1))
        left += self._marks()
        self.info_bar.show(left, [Part(self._window_keys(), "$text-muted", 3), Part("", gap=1)])

    def _window_keys(self) -> str:
        """Return the keys of the time that the charts cover."""
        ways = ["shorter", "longer"]
        if self.context.stored_series.available:
            ways.append("yesterday")
        plain = self.context.ascii
        keys = ((self.keymap.key(f"window.{way}", ascii_only=plain), way) for way in ways)
        return "  ".join(f"{key} {way}" for key, way in keys if key)

    def _marks(self) -> list[Part]:
        """Return the latest marks of workers, or of the worker, or those at the cursor."""
        low, high = self._moment()
        if self.cursor is None:
            low = self.chart.start
        marks = self.context.state.series.marks.between(low - STEP, high + STEP)
        if self.subject is not None and self.subject.kind == "worker":
            marks = [mark for mark in marks if mark.worker == self.subject.subject]
        zone = time_zone(self.context)
        return [
            Part(
                f"{visible(mark.worker, MAX_NAME)} {mark.kind} {units.clock(mark.at, zone)}"
                + (f": {visible(mark.text, MAX_MARK_TEXT)}" if mark.text else ""),
                "$text-error" if mark.kind == "lost" else "$text-muted",
                2 + number,
            )
            for number, mark in enumerate(marks[: -MAX_MARKS - 1 : -1])
        ]

    def fit(self, size: Size) -> None:
        """Share the room out to rows of charts; too many of them scroll."""
        super().fit(size)
        zoomed = self.zoomed
        most = 1 + sum(size.width >= width for width in COLUMN_WIDTHS)
        rows = 1 if zoomed else ceil(len(self.tiles) / most)
        columns = 1 if zoomed else ceil(len(self.tiles) / rows)
        self.tiles[-1].styles.column_span = 1 if zoomed else 1 + columns * rows - len(self.tiles)
        fits = size.height - BAR_LINES >= rows * MIN_TILE_HEIGHT
        self.grid.styles.grid_size_columns = columns
        self.grid.styles.grid_rows = "1fr" if fits else f"{MIN_TILE_HEIGHT}"

    def shown_view(self) -> View | None:
        """Return the charts with their subject and window."""
        view = super().shown_view()
        if view is None or self.subject is None:
            return view
        subject = f"{self.subject.kind}:{self.subject.subject}"
        return msgspec.structs.replace(view, subject=subject)

    # Moving

    @property
    def chart(self) -> Chart:
        """The focused chart."""
        return self.charts[self.kinds[self._index].id]

    @property
    def _index(self) -> int:
        return self.tiles.index(self.focused) if self.focused in self.tiles else 0

    def action_move(self, motion: Any) -> None:
        """Focus another chart."""
        columns, last = self.grid.styles.grid_size_columns, len(self.tiles) - 1
        index = self._index + (columns if "down" in motion else -columns)
        if index > last and self._index // columns < last // columns:
            index = last  # it is below several charts
        if motion in ("top", "bottom"):
            index = 0 if motion == "top" else last
        if 0 <= index < len(self.tiles) and not self.zoomed:
            self.set_focus(self.tiles[index])

    def action_scroll(self, direction: Literal["left", "right"]) -> None:
        """Move the cursor to the column before or after."""
        step = max(float(STEP), self.chart.seconds_per_column)
        if self.cursor is None:
            if direction == "left":
                self._move_cursor(self.chart.end - step / 2)
        else:
            self._move_cursor(self.cursor + (step if direction == "right" else -step))
        self._paint_info()

    def action_newest(self) -> None:
        """Read the newest values again."""
        self._move_cursor(None)
        self._paint_info()

    def _move_cursor(self, at: float | None) -> None:
        """Move the cursor of all charts; to the right of the newest value there is none."""
        chart = self.chart
        if at is not None:
            at = None if at >= chart.end else max(at, chart.start)
        self.cursor = at
        for each in self.charts.values():
            each.cursor = at

    def clear_chart_cursors(self) -> bool:
        """Read the newest values again."""
        had_cursor = self.cursor is not None
        self.action_newest()
        return had_cursor

    def action_zoom(self) -> None:
        """Maximize the focused chart, or restore all."""
        super().action_zoom()
        self.fit(self.size)

    # Opening

    def _moment(self) -> tuple[float, float]:
        """Return the time of the column at the cursor."""
        width = max(float(STEP), self.chart.seconds_per_column)
        at = self.chart.end - width / 2 if self.cursor is None else self.cursor
        return at - width / 2, at + width / 2

    def action_open(self) -> None:
        """Open the tasks of the time at the cursor."""
        kind = self.kinds[self._index]
        self.visit(charts.tasks_between(self.context, *self._moment(), kind.field, kind.also))

    def choose_time(self, message: Chart.TimeChosen) -> None:
        """Move the cursor to a clicked column; open its tasks on a double click."""
        tile = next(tile for tile in self.tiles if message.chart in tile.children)
        self.set_focus(tile)
        self._move_cursor(message.at)
        self._paint_info()
        if message.twice:
            self.action_open()

    def on_tile_opened(self, message: Tile.Opened) -> None:
        """Maximize a chart whose frame was double-clicked."""
        self.action_zoom()
