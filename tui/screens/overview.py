"""The Overview screen: panes whose rows open the lists and pages behind them."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from textual.app import ComposeResult
from textual.containers import Vertical

from ...widgets.fields import Fields
from ...widgets.table.live_table import LiveTable
from ...widgets.tile import Tile
from ..bars.states import StateStrip
from ..context import AppContext
from ..details.empty_cluster import (
    empty_cluster_fields,
    is_empty,
    is_unreachable,
    unreachable_fields,
)
from ..keymap import bindings
from ..messages import ViewRequested
from ..navigation import DrillDown, FilteredView, Location
from ..panes.attention import AttentionPane
from ..panes.base import Pane
from ..panes.failures import FailuresPane
from ..panes.heights import Need, heights
from ..panes.load import LoadPane
from ..panes.queues import QueuesPane
from ..panes.running import RunningPane
from ..panes.throughput import ThroughputPane
from ..panes.widths import left_width
from ..panes.workers import WorkersPane
from .base.screen import MonitorScreen

if TYPE_CHECKING:
    from ...model.entities.changes import Changes
    from ...widgets.table.viewport import Motion

TWO_COLUMNS: Final = 100
"""Width from which the panes stand in two columns."""
BAR_LINES: Final = 3
"""Lines of header, states and keys, before they are laid out."""
ATTENTION_SHARE: Final = 3
"""Attention takes at most one in this many lines above two columns."""
FIRST_RECORD: Final = "Nothing was recorded earlier"
TIME_OF_FREEZE: Final = "Nothing later: this is the time of the freeze"
LIMIT_SECONDS: Final = 4
"""How long the screen shows that there is no earlier or later time."""
MIN_STEP_PAUSE: Final = 0.01
"""Seconds from a step in time until it is shown, at least. With many tasks that takes a while, and
the next step waits for as long: a key that is held down delays neither other keys nor the model."""


class OverviewScreen(MonitorScreen):
    """Throughput, failures, queues, workers, running tasks, and what needs attention."""

    CSS_PATH = "overview.tcss"
    BINDINGS = bindings("overview", "findings", "tasks", "workers", "queues")
    CONTEXTS = ("overview", "findings", "tasks", "workers", "queues")

    def __init__(self, context: AppContext, location: Location) -> None:
        super().__init__(context, location)
        self._limit_shown_at = 0.0
        self._step_cost = 0.0
        self.strip = StateStrip(id="states")
        self.attention = AttentionPane(context)
        self.throughput = ThroughputPane(context)
        self.workers_pane = WorkersPane(context)
        self.failures = FailuresPane(context)
        self.queues = QueuesPane(context)
        self.running = RunningPane(context)
        self.load_pane = LoadPane(context)
        self.checklist = Fields(glyphs=context.glyphs)
        self.checklist_pane = Tile(self.checklist, glyphs=context.glyphs, id="checklist")
        self.area = Vertical(id="panes")
        self.left = Vertical(id="left", classes="column")
        self._laid_out: object = None
        self._filled = False
        """Whether the panes have read their rows, from which their widths follow."""

    @property
    def topics(self) -> frozenset[str]:
        """Queues and workers, polled slowly."""
        return frozenset({"overview", "workers", "queues"})

    @property
    def title_parts(self) -> tuple[str, ...]:
        """The name of the view."""
        return ("Overview",)

    @property
    def panes(self) -> tuple[Pane, ...]:
        """The panes, the most important first: it gets the first lines if there are few."""
        return (
            self.attention, self.queues, self.failures, self.running, self.workers_pane,
            self.throughput, self.load_pane,
        )  # fmt: skip

    def compose_body(self) -> ComposeResult:
        """Yield the panes in two columns; the style sheet stacks them on a narrow terminal."""
        size = self.app.size
        self._lay_out(size.height - BAR_LINES, size.width >= TWO_COLUMNS)
        yield self.strip
        with self.area:
            yield self.attention
            yield self.checklist_pane
            with Vertical(id="columns"):
                with self.left:
                    yield self.throughput
                    yield self.workers_pane
                    yield self.failures
                with Vertical(id="right", classes="column"):
                    yield self.queues
                    yield self.running
                    yield self.load_pane

    # Painting

    def catch_up(self) -> None:
        """Read all tasks again."""
        self.running.tasks.refresh(self.context.now())

    def take(self, changes: Changes) -> None:
        """Apply the changes to the running tasks."""
        self.running.tasks.apply(changes, self.context.now())

    def paint_body(self) -> None:
        """Update each pane."""
        for pane in self.panes:
            pane.refresh_rows()
        self._show_checklist()
        self._fit()
        self.strip.paint(self.context)
        for pane in self.panes:
            pane.paint()
        self._filled = True
        self._share_width()

    def _show_checklist(self) -> None:
        """Show what to check instead of empty panes."""
        state, now = self.context.state, self.context.now()
        unreachable = is_unreachable(state)
        empty = unreachable or is_empty(state, now)
        self.update_classes({"-empty": empty, "-unreachable": unreachable})
        if unreachable:
            source = self.context.settings.source("broker_url")
            self.checklist.show(unreachable_fields(state, source))
            self.checklist_pane.show("bad", "Not connected")
        elif empty:
            self.checklist.show(empty_cluster_fields(state, now))
            self.checklist_pane.show("idle", "Nothing found")

    def action_zoom(self) -> None:
        """Show the focused pane alone, or all panes again."""
        super().action_zoom()
        self.call_after_refresh(self._fit)
        self.call_after_refresh(self.paint)  # a pane that was a line has not drawn its content
        self._share_width()

    def _fit(self) -> None:
        """Share the lines out if anything that matters to it has changed."""
        room = self.area.size.height
        if room:
            self._lay_out(room, self.size.width >= TWO_COLUMNS)

    def _share_width(self) -> None:
        """Give a column whose texts are cut the cells that the other one has left."""
        if self.size.width < TWO_COLUMNS or self.zoomed:
            if self.left.styles.inline.has_rule("width"):  # otherwise it is a layout each time
                self.left.styles.width = None
            return
        if not self._filled or not self.area.size:
            return
        left, right = (
            tuple(map(max, *(pane.needed_widths() for pane in panes)))
            for panes in ((self.workers_pane, self.failures), (self.queues, self.running))
        )
        self.left.styles.width = left_width(self.area.size.width, left, right)

    def _lay_out(self, room: int, two_columns: bool) -> None:
        if self.zoomed:
            self._laid_out = None
            for pane in self.panes:
                pane.fit(room)
            return
        needs = {pane.NAME: _bounded(pane.need(), room) for pane in self.panes}
        noted = self.attention.acknowledged > 0
        if self.has_class("-empty"):  # the checklist takes the place of the other panes
            two_columns = False
            needs = {"attention": needs["attention"]}
            room = min(room, needs["attention"].frame + needs["attention"].kept)
        if (room, two_columns, needs, noted) == self._laid_out:
            return
        self._laid_out = room, two_columns, needs, noted
        if not needs["attention"].kept and not noted:
            del needs["attention"]
        self.attention.set_class("attention" in needs, "-shown")
        panes = {pane.NAME: pane for pane in self.panes}
        for group, lines in _columns(needs, room) if two_columns else [(list(needs), room)]:
            for name, height in heights({name: needs[name] for name in group}, lines).items():
                panes[name].fit(height)

    # Opening

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Open the page or list of a row."""
        pane = message.table.parent
        if isinstance(pane, Pane):
            self._go(pane.target(message.row_id))

    def on_tile_opened(self, message: Tile.Opened) -> None:
        """Open the list behind a pane."""
        if isinstance(message.tile, Pane):
            self._go(message.tile.target(None))

    def _go(self, target: DrillDown | FilteredView) -> None:
        if isinstance(target, DrillDown):
            self.visit(target)
        else:
            self.post_message(ViewRequested(target))

    def _step_time(self, steps: int) -> None:
        """Show an earlier or later time, of the last hour or of the history."""
        if self.context.freeze.step(steps, self.context.chart_seconds):
            self.set_timer(max(MIN_STEP_PAUSE, self._step_cost), self._show_time)
            return
        self.app.bell()
        now = self.context.clock()
        if not 0 <= now - self._limit_shown_at < LIMIT_SECONDS:  # the key may be held down
            self._limit_shown_at = now
            self.notify(FIRST_RECORD if steps < 0 else TIME_OF_FREEZE, timeout=LIMIT_SECONDS)

    def _show_time(self) -> None:
        """Show the last time of the steps so far."""
        started = time.thread_time()
        if self.context.freeze.take_moment():
            self.catch_up()
            self.paint()
            self._step_cost = time.thread_time() - started

    # Moving between panes

    def action_open(self) -> None:
        """Open the row, or the pane."""
        if isinstance(self.focused, Tile):
            self.focused.action_open()
        else:
            super().action_open()

    def action_move(self, motion: Motion) -> None:
        """Move within a pane, and from its edge to the next one."""
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
        """Go to the pane on the left or right; on a frozen screen, to an earlier or later time."""
        if self.context.frozen:
            self._step_time(-1 if direction == "left" else 1)
            return
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


def _bounded(need: Need, room: int) -> Need:
    """Return a need of at most the lines that can be shown."""
    return replace(need, rows=min(need.rows, room), held=min(need.held, room))


def _columns(needs: dict[str, Need], room: int) -> list[tuple[list[str], int]]:
    """Return the panes that share their lines, the most important first, and how many lines."""
    top = 0
    groups: list[tuple[list[str], int]] = []
    if "attention" in needs:
        need = needs["attention"]
        top = min(need.frame + need.kept, max(need.frame + 1, room // ATTENTION_SHARE))
        groups.append((["attention"], top))
    left, right = ["failures", "workers", "throughput"], ["queues", "running", "load"]
    return [*groups, (left, room - top), (right, room - top)]
