"""The base of all screens: header, body, footer, and painting by the app."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size
from textual.widget import AwaitMount, Widget

from ....bindings.contexts import Context
from ....bindings.keymap import Keymap, keymap_while_typing
from ....model.entities.task import Task
from ....widgets.compat.textual_internals import place_notifications
from ....widgets.tile import Tile
from ...bars.banner import Banner
from ...bars.base import Part
from ...bars.command_line import CommandLine
from ...bars.compact import CompactBar
from ...bars.filter import Filter
from ...bars.header import HeaderBar
from ...bars.hint import HintBar
from ...bars.keys import KeyBar
from ...bars.mount_line import mount_line
from ...bars.operation import OperationBar
from ...bars.replay import ReplayBar
from ...bars.search import SearchLine
from ...charts.chart_window import window_name
from ...context import AppContext
from ...navigation import PAGES, Location, workflow_of
from ..here import here
from ..hints import SHOWN_FOR, Hint, has_keys, hint_text, new_hint
from .stacking import mount_among
from .tables import TableScreen

if TYPE_CHECKING:
    from ....files.views_file import View
    from ....model.entities.changes import Changes


class MonitorScreen(TableScreen, inherit_bindings=False):
    """A screen that shows the model. The app calls `take`, `catch_up` and `paint` each frame.

    Args:
        context: The state shared by all screens.
        location: Its place among the views, for breadcrumb and history.
    """

    CONTEXTS: ClassVar[tuple[Context, ...]] = ()
    """The contexts whose keys work here, besides `global`."""
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (40, "-narrow"), (100, "-normal")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (10, "-low"), (20, "-high")]  # noqa: RUF012
    ESCAPE_TO_MINIMIZE = False
    BLANK = True  # widgets cover all of it

    def __init__(self, context: AppContext, location: Location) -> None:
        super().__init__()
        self.context = context
        self.location = location
        self._fitted = Size(0, 0)
        self.is_new = True
        """Whether it has read the model when it was made, and missed no changes since."""
        self.mounted = asyncio.Event()
        """Set when all widgets are mounted: frames and keys may arrive earlier."""
        self.body = Vertical(id="body")
        self.header_bar = HeaderBar(id="header")
        self.tiny_bar = CompactBar(id="tiny")
        self.banner = Banner(id="banner", markup=False)
        self.operation_bar = OperationBar(id="operation")
        self.hint_bar = HintBar()
        self._hint: tuple[float, Hint | None] = (0.0, None)
        """When the hint came, in epoch seconds, and its text."""
        self.replay_bar = ReplayBar(id="replay")
        self.key_bar = KeyBar(id="keys")
        self._stack: Sequence[Widget] = (
            *(self.header_bar, self.banner, self.tiny_bar, self.body),
            *(self.operation_bar, self.hint_bar, self.replay_bar, self.key_bar),
        )
        self._command_line: CommandLine | None = None
        self._painted_keymap = context.keymap

    @property
    def topics(self) -> frozenset[str]:
        """The topics that the session polls while this screen is shown."""
        return frozenset()

    @property
    def watched(self) -> tuple[str, ...]:
        """The ids of unfinished tasks on the screen, whose progress is read from the backend."""
        tasks = self.context.state.tasks
        seen = dict.fromkeys(id_ for table in self.tables for id_ in table.seen)
        return tuple(id_ for id_ in seen if id_ in tasks and not tasks[id_].finished)

    @property
    def selected_ids(self) -> tuple[str, ...]:
        """The ids of marked rows, and of the page's task: these tasks are kept in memory."""
        return tuple(id_ for table in self.tables for id_ in table.marks)

    @property
    def title_parts(self) -> tuple[str, ...]:
        """The breadcrumb, from the view to this screen."""
        return (
            self.location.view.capitalize(),
            *(drill.title or drill.subject for drill in self.location.path),
        )

    @property
    def subject_title(self) -> str:
        """The title of what the page is about; empty on a numbered view."""
        return self.title_parts[-1] if self.location.path else ""

    @property
    def breadcrumbs(self) -> list[Part]:
        """The titles from the view to this screen, for an info bar; a click goes there."""
        *above, here = self.title_parts
        parts: list[Part] = []
        for depth, title in enumerate(above):
            gap = 0 if parts else 1
            parts.append(Part(title, "$text-muted", click=f"app.go_to_step({depth})", gap=gap))
            parts.append(Part(f" {self.context.glyphs.more_right} ", "$text-muted", gap=0))
        dotted = bool(above) and self.location.path[-1].kind == "type"
        return [*parts, Part(here, "bold", gap=0 if parts else 1, keeps_end=dotted)]

    @property
    def ready(self) -> bool:
        """Whether it can be painted: its widgets are mounted, and neither it nor the app ends."""
        return self.mounted.is_set() and self.is_attached and self.app.is_running

    @property
    def is_tiny(self) -> bool:
        """Whether the terminal has room for counters only."""
        return self.has_class("-tiny") or self.has_class("-flat")

    @property
    def has_header(self) -> bool:
        """Whether the terminal is high enough for a header."""
        return self.has_class("-high")

    def compose(self) -> ComposeResult:
        """Yield the body and the bars that are always shown."""
        self.set_class(self.context.ascii, "-ascii", update=False)
        self.fit(self.app.size)
        yield self.header_bar
        with self.body:
            yield from self.compose_body()
        if self.context.replay is not None:
            yield self.replay_bar
        yield self.key_bar

    def _mount_bars(self) -> list[AwaitMount]:
        """Mount the bars that have something to show for the first time."""
        shown = {
            self.banner: self.banner.shown,
            self.tiny_bar: self.is_tiny,
            self.operation_bar: bool(self.operation_bar.text),
            self.hint_bar: bool(self.hint_bar.text),
        }
        return [
            mount_among(self._stack, bar)
            for bar, is_shown in shown.items()
            if is_shown and not bar.is_attached
        ]

    def fit(self, size: Size) -> None:
        """Choose what a terminal of this size has room for.

        Called before the widgets are mounted: Textual sets the breakpoints after the first layout,
        and then styles all of them again.
        """
        self._fitted = size
        classes: dict[str, bool] = {}
        breakpoints = self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS
        for cells, points in zip(size, breakpoints, strict=True):
            _, present = max(point for point in points if point[0] <= cells)
            classes |= {name: name == present for _, name in points}
        self.update_classes(classes, update=self.mounted.is_set())

    def compose_body(self) -> ComposeResult:
        """Yield the widgets between the bars."""
        yield from ()

    async def command_line(self) -> CommandLine:
        """Return the command line, mounted."""
        line = self._command_line = self._command_line or CommandLine()
        await mount_line(line, self)
        return line

    def pane(self, name: str, title: str, *children: Widget) -> Tile:
        """Return a framed pane; its children take the focus, not the pane itself."""
        tile = Tile(*children, title=title, glyphs=self.context.glyphs, id=name, classes="pane")
        tile.can_focus = False
        return tile

    # Painting

    def catch_up(self) -> None:
        """Read the whole model again, after changes that `take` did not get."""

    def take(self, changes: Changes) -> None:
        """Apply the changes since the last frame."""

    def paint_body(self) -> None:
        """Update the body."""

    def paint(self, *, covered: bool = False) -> None:
        """Update the body and the bars; a result on a covered screen does not count as seen."""
        if self.ready:
            self._painted_keymap = self.keymap
            self.paint_body()
            self.paint_bars(covered=covered)
            table = self.table
            line = None if table is None or self.typing is not None else table.cursor_line
            place_notifications(self, line)

    def paint_bars(self, *, covered: bool = False) -> None:
        """Update the bars, which stay live while the body shows a snapshot."""
        self.header_bar.paint(self.context)
        if self.is_tiny:
            self.tiny_bar.paint(self.context)
        self.banner.paint(self.context)
        self.replay_bar.paint(self.context, self.keymap)
        self.operation_bar.paint(self.context, self.keymap, covered=covered)
        if not covered:
            self.paint_hint()
        self._mount_bars()
        self.paint_keys()

    def paint_hint(self) -> None:
        """Show a hint for a while, the first time that it is of use."""
        now = self.context.clock()
        since, hint = self._hint
        if not self.has_header or (hint is not None and not has_keys(hint, self)):
            self.hint_bar.paint("")  # without a header there is no line for hints either
            return
        over = hint is not None and hint.temporary and not hint.applies(self)
        if over or not 0 <= now - since < SHOWN_FOR:
            hint = new_hint(self)
            self._hint = (now if hint else 0.0, hint)
            if hint is not None:
                self.context.seen_hints.add(hint.id)
        self.hint_bar.paint(hint_text(hint, self) if hint else "")

    def paint_keys(self) -> None:
        """Show the keys that work here now; also painted after each key."""
        if self.ready:
            view, with_connection = self.location.view, not self.has_header
            self.key_bar.paint(self.context, self.keymap, view, here(self), with_connection)

    def on_descendant_focus(self) -> None:
        """Let the keys that are named follow the focus."""
        if self.keymap is self._painted_keymap:
            self.paint_keys()
        else:
            self.paint(covered=not self.is_current)

    def on_mount(self) -> Awaitable[None] | None:
        """Paint the current state immediately."""
        return self._begin()

    async def _begin(self) -> None:
        # First the bars whose lines are taken from the other widgets.
        self.banner.paint(self.context)
        self.operation_bar.paint(self.context, self.keymap)
        self.paint_hint()
        for mounting in self._mount_bars():
            await mounting
        self.mounted.set()
        self.lay_out()
        self.paint()

    def settle(self) -> None:
        """Paint what depends on sizes."""
        self.paint()

    def on_resize(self, event: events.Resize) -> None:
        """Fit the screen into another size; it was composed for the present one."""
        if event.size != self._fitted:
            self.fit(event.size)
            self.call_after_refresh(self.paint)

    # Actions

    def step_back(self) -> bool:
        """Undo one step on this screen, such as zoom; return False if there is none."""
        if self.zoomed:
            self.action_zoom()
            return True
        return self.clear_chart_cursors()

    def filter_by(self, text: str) -> bool:
        """Filter by a text; return False if this screen has no filter."""
        return False

    def shown_view(self) -> View | None:
        """Return this screen as a view that can be saved; None for a page of one item."""
        from ....files.views_file import View

        page = self.location.path[-1].kind if self.location.path else self.location.view
        if self.location.path and page not in PAGES:
            return None
        return View(page, window=window_name(self.context.chart_seconds))

    def show_view(self, view: View) -> None:
        """Filter, sort and arrange the list, and set the window of charts, as in a saved view."""
        if view.window:
            self.show_window(view.window)

    def choose_columns(self) -> bool:
        """Choose the columns of the list; return False if this screen has none to choose."""
        return False

    @property
    def typing(self) -> Filter | SearchLine | CommandLine | None:
        """The focused input line, if any: letters are text then, not keys."""
        if self.focused is None:
            return None
        lines = Filter | SearchLine | CommandLine
        return next((node for node in self.focused.ancestors if isinstance(node, lines)), None)

    @property
    def keymap(self) -> Keymap:
        """The keys that act now: while a line is typed into, only those of the line."""
        line, keymap = self.typing, self.context.keymap
        return keymap if line is None else keymap_while_typing(keymap, line.CONTEXT)

    @property
    def searching(self) -> bool:
        """Whether the text of the page is being searched."""
        return False

    @property
    def zoomed(self) -> bool:
        """Whether one pane takes the whole screen."""
        return self.has_class("-zoomed")

    @property
    def filtering(self) -> bool:
        """Whether the filter has yet to be applied to all rows of the list."""
        return False

    def listed(self) -> Sequence[Task] | None:
        """Return all tasks that match the filter; None if this is not a list of tasks."""
        return None

    def action_pane(self, step: int) -> None:
        """Focus the next or previous pane."""
        if step > 0:
            self.focus_next()
        else:
            self.focus_previous()

    def action_workflow(self) -> None:
        """Open the workflow of the selected task."""
        tasks = self.chosen(Task)
        if tasks and (not self.location.path or self.location.path[-1].kind != "workflow"):
            self.visit(workflow_of(tasks[0].id))

    async def action_filter_tasks(self) -> None:
        """Go to the tasks and open their filter, before the next key is looked at."""
        await self.app.run_action("app.view('tasks')")
        screen = self.app.screen
        if isinstance(screen, MonitorScreen):
            await screen.mounted.wait()
            await screen.run_action("filter")

    def action_zoom(self) -> None:
        """Maximize the focused pane, or restore all panes."""
        zoomed = not self.zoomed
        self.set_class(zoomed, "-zoomed")
        focused = self.focused
        for pane in self.query(".pane, .column, #panes"):
            inside = focused is not None and pane in focused.ancestors_with_self
            pane.set_class(zoomed and not inside, "-hidden")
            pane.styles.clear_rule("height")  # as given by its content, which painting sets again
            if isinstance(pane, Tile):
                pane.name_subject(self.subject_title if zoomed and inside else "")
        if not zoomed:
            self.paint()
