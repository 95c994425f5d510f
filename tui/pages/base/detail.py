"""The base of the task and worker pages: panes, of which the focused one gets the keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, TypeAlias

from textual.app import ComposeResult
from textual.geometry import Size
from textual.widget import Widget

from ....bindings.contexts import Context
from ....model.entities.changes import Changes
from ....model.query.task_view import TaskView
from ....widgets.table.live_table import LiveTable
from ....widgets.tile import Tile
from ....widgets.traceback_view import TracebackView
from ....widgets.value_tree import ValueTree
from ...context import AppContext
from ...keymap import bindings
from ...navigation import Location
from ...panes.chart_strip import ChartStrip
from ...panes.heights import Need, blank_lines, heights
from ...screens.base.screen import MonitorScreen
from ...screens.base.stacking import mount_among
from ...search import SearchedScreen
from .findings import FindingsPane

PaneNeeds: TypeAlias = Mapping[str, Need]
Needs: TypeAlias = Mapping[str, PaneNeeds]
"""For each column of a page, its panes with what they need, the most important first."""

MAX_ROWS: Final = 8
"""Most rows of a list, unless it takes the lines that others leave."""
MAX_HISTOGRAM: Final = 12
"""Lines from which a histogram leaves further ones to the charts above."""
WIDE_FROM: Final = 200
"""Cells from which the column of lists is wider than the other one."""
CHART_STEP: Final = 4
"""Lines by which charts grow into blank ones, so that not every new row of a list moves them."""


class DetailScreen(MonitorScreen, SearchedScreen):
    """The page of a task or worker."""

    CSS_PATH = Path(__file__).with_name("detail.tcss")  # a relative one is that of a subclass
    BINDINGS = bindings("detail", "text")
    CONTEXTS: ClassVar[tuple[Context, ...]] = ("detail", "text")
    AUTO_FOCUS = ""  # Textual would scroll to the first table, in the midst of a narrow page

    searching = SearchedScreen.searching

    panes: Mapping[str, Tile]
    """Its panes, by id."""

    latest: TaskView
    """The latest of the tasks that the page is about."""

    def __init__(self, context: AppContext, location: Location) -> None:
        super().__init__(context, location)
        self._stacks: list[Sequence[Widget]] = []

    def contents(self) -> Mapping[str, object]:
        """Return what the panes that may be empty contain, by id; an empty value is no content."""
        return {}

    def stack(self, *widgets: Widget) -> ComposeResult:
        """Yield widgets below each other; panes without content are mounted when they get some."""
        self._stacks.append(widgets)
        contents = self.contents()
        yield from (widget for widget in widgets if contents.get(widget.id or "", True))

    def show_pane(self, pane: Tile, shown: object) -> None:
        """Show or hide a pane."""
        pane.set_own_class(not shown, "-empty")
        if not shown or pane.is_attached or self.zoomed:
            return
        mount_among(next(stack for stack in self._stacks if pane in stack), pane)

    @property
    def filtering(self) -> bool:
        """Whether the latest tasks have yet to be looked for among all tasks."""
        return self.latest.unseen > 0

    def catch_up(self) -> None:
        """Look for the latest tasks again."""
        self.latest.refresh(self.context.now())

    def take(self, changes: Changes) -> None:
        """Apply the changes to the latest tasks."""
        self.latest.apply(changes, self.context.now())

    def needs(self) -> Needs:
        """Return what the panes of each column need; those without content are hidden."""
        return {}

    @property
    def is_narrow(self) -> bool:
        """Whether the columns are stacked, and the page scrolls as a whole."""
        return self.has_class("-narrow")

    def focus_first(self, *candidates: Widget) -> None:
        """Focus the first candidate; on a narrow page the last one, which is at its top."""
        self.set_focus(candidates[-1 if self.is_narrow else 0], scroll_visible=False)

    def fit_findings(self, pane: FindingsPane) -> None:
        """Make the findings as high as they are many; hide the pane without any."""
        lines = pane.lines
        self.show_pane(pane, lines)
        pane.show_level()
        if not self.zoomed:
            pane.styles.height = lines

    def fit_panes(self) -> None:
        """Share the lines of each column among its panes; before tables are drawn in them."""
        if self.zoomed:
            return
        columns: list[tuple[Widget, PaneNeeds]] = []
        for needs in self.needs().values():
            column = self.panes[next(iter(needs))].parent
            if isinstance(column, Widget) and (column.size or self.is_narrow):
                columns.append((column, needs))  # not before the first layout, or after the last
        grown = self._grow_charts(columns)
        for column, needs in columns:
            wanted = _with_content(needs)
            if self.is_narrow:
                given = {
                    pane: need.frame + need.rows for pane, need in wanted.items() if not need.spare
                }
            else:
                given = shared(wanted, column.size.height - grown)
            for pane in needs:
                self._fit(self.panes[pane], given.get(pane, 0))
        self.lay_out_changes()

    def _grow_charts(self, columns: Sequence[tuple[Widget, PaneNeeds]]) -> int:
        """Give the charts the lines that all columns leave blank; return how many more than now."""
        for strip in self.query(ChartStrip):
            blanks = [
                blank_lines(_with_content(needs), column.size.height + strip.grown)
                for column, needs in columns
                if not self.is_narrow
            ]
            before = strip.grown
            return strip.grow(min(blanks, default=0) // CHART_STEP * CHART_STEP) - before
        return 0

    def _fit(self, pane: Tile, lines: int) -> None:
        self.show_pane(pane, lines)
        if lines:
            pane.styles.height = lines

    def fit(self, size: Size) -> None:
        """Give the charts and the panes of the page their room."""
        super().fit(size)
        self.set_class(size.width >= WIDE_FROM, "-wide", update=self.mounted.is_set())
        for strip in self.query(ChartStrip):
            strip.fit(size.width, size.height)

    def step_back(self) -> bool:
        """Clear the search first."""
        return self.clear_search() or super().step_back()

    def action_move(self, motion: Any) -> None:
        """Move the cursor of the focused pane, or scroll it or the page."""
        target = self.focused
        if target is not None and hasattr(target, "action_move"):
            target.action_move(motion)
        elif target is not None:
            page = self.query_one("#panes")
            _scroll(target if target.max_scroll_y else page, motion)

    def action_scroll(self, direction: Literal["left", "right"]) -> None:
        """Scroll the columns of a table, or another pane sideways."""
        target = self.focused
        if isinstance(target, LiveTable):
            target.action_scroll_columns(direction)
        elif target is not None:
            step = 8 if direction == "right" else -8
            target.scroll_relative(x=step, animate=False)

    def action_open(self) -> None:
        """Open the row of a table, the node of a tree, or the frame of a traceback."""
        target = self.focused
        if isinstance(target, LiveTable | ValueTree | TracebackView):
            target.action_open()


def _with_content(needs: PaneNeeds) -> PaneNeeds:
    return {pane: need for pane, need in needs.items() if need.rows}


def list_need(rows: Sized, most: int = MAX_ROWS, *, fills: bool = False) -> Need:
    """Return what a list needs: its rows, their titles and the frame; an empty one is hidden."""
    return Need(min(len(rows), most), 3, least=1, fills=fills, whole=len(rows))


def histogram_need(runs: int, least: int) -> Need:
    """Return what a histogram of run times needs; with few runs, more lines show nothing new."""
    rows = least if runs else 0
    whole = max(least, min(runs, MAX_HISTOGRAM))
    return Need(rows, 2, least, fills=True, spare=True, whole=whole)


def shared(needs: Mapping[str, Need], room: int) -> dict[str, int]:
    """Share lines; panes for which there is no room are left out, and take no line."""
    wanted = dict(needs)
    while True:
        given = heights(wanted, room)
        left_out = [name for name, lines in given.items() if lines <= 1]
        if not left_out:
            return given
        del wanted[left_out[-1]]


def _scroll(widget: Widget, motion: Any) -> None:
    page = max(1, widget.size.height)
    steps = {"down": 1, "up": -1, "page_down": page, "page_up": -page}
    steps |= {"half_down": page // 2, "half_up": -(page // 2)}
    if motion in steps:
        widget.scroll_relative(y=steps[motion], animate=False)
    elif motion == "top":
        widget.scroll_home(animate=False)
    else:
        widget.scroll_end(animate=False)
