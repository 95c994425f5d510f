"""The base of all lists: one table, a filter, and a line with counts and sort order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual.app import ComposeResult
from textual.widget import AwaitMount

from ....bindings.contexts import Context
from ....model.query.completion import Completion
from ....model.query.language import Problem
from ....model.text import units
from ....model.text.sanitize import visible
from ....widgets.filter_bar import FilterBar
from ....widgets.table.cells import plain
from ....widgets.table.layout import Layout, parse_layout
from ....widgets.table.live_table import LiveTable
from ...bars.base import Bar, Part
from ...bars.filter import Filter
from ...bars.mount_line import mount_line
from ...context import AppContext
from ...keymap import bindings
from ...navigation import Location
from ...text.unknown import not_known_yet
from . import column_choice
from .screen import MonitorScreen

if TYPE_CHECKING:
    from ....files.views_file import View


class ListScreen(MonitorScreen):
    """A screen with one table; a subclass provides its rows."""

    BINDINGS = bindings("list")
    CONTEXTS: ClassVar[tuple[Context, ...]] = ("list",)
    LIST: ClassVar[str]
    """Its name in the file of chosen columns."""
    FILTER_HINT: ClassVar[str] = "words to match; !word excludes"
    COMPLETES: ClassVar[bool] = False
    """Whether its filter has completions."""
    EMPTY: ClassVar[str] = ""
    """The text of an empty list."""
    QUESTION: ClassVar[str] = "workers"
    """The question about the cluster from whose answer it follows that there are none; may be
    empty."""
    EQUAL_ROWS: ClassVar[str] = "unsorted"
    """The order of rows whose values are equal, or unknown."""
    FAULTS: ClassVar[str] = "failures only"
    """The name of the filter of `!`."""

    def __init__(self, context: AppContext, location: Location) -> None:
        super().__init__(context, location)
        self.filter_text = ""
        self.faults_only = False
        self.list_table: LiveTable[Any] = self.make_table()
        self.info_bar = Bar(id="info")

    @cached_property
    def filter_bar(self) -> Filter:
        """The filter line."""
        return Filter(
            self.problems,
            complete=self.complete if self.COMPLETES else None,
            earlier=lambda: self.context.history.of(self.filter_history),
            placeholder=self.FILTER_HINT,
            id="filter",
        )

    def make_table(self) -> LiveTable[Any]:
        """Return the table with its rows."""
        raise NotImplementedError

    def compose_body(self) -> ComposeResult:
        """Yield the info bar and the table; the filter line comes between them."""
        yield self.info_bar
        yield self.list_table

    def on_mount(self) -> None:
        """Focus the table, and show the columns that the user chose."""
        self.set_focus(self.list_table)
        for problem in self.context.read_columns():
            self._warn(problem)

    # Rows, as subclasses provide them

    def refilter(self) -> None:
        """Apply `filter_text` and `faults_only` to the rows."""

    def problems(self, text: str) -> Sequence[Problem]:
        """Return the problems of a filter."""
        return ()

    def complete(self, text: str) -> Sequence[Completion]:
        """Return the completions of a filter, the best first."""
        return ()

    @property
    def filter_history(self) -> str:
        """The kind of its filters in the history."""
        return f"{self.LIST} filters"

    @property
    def total(self) -> int:
        """The number of rows without any filter."""
        return len(self.list_table.rows)

    @property
    def scope_text(self) -> str | None:
        """The filter of the drill-down that leads to the list; None if that is no filter."""
        return None

    def notes(self) -> Sequence[Part]:
        """Return further notes for the info bar."""
        return ()

    @property
    def unknown_reason(self) -> str:
        """Why it is unknown whether there are rows, although none is known; otherwise empty."""
        return not_known_yet(self.context.state, self.QUESTION) if self.QUESTION else ""

    def empty_text(self) -> str:
        """Return the text of an empty list: whether rows are hidden by a filter, or missing."""
        hidden = self.total - len(self.list_table.rows)
        if not self.filter_text and not self.faults_only:
            reason = self.unknown_reason
            return f"Unknown: {reason}" if reason else self.EMPTY
        faults = self.keymap.key("faults")
        back = self.keymap.key("back" if self.typing is None else "filter.clear")
        if self.filter_text:
            how, undo = "The filter", back and f"; {back} clears it"
        else:
            how, undo = faults or "Failures only", faults and f"; {faults} shows all"
        rows = f"all {units.count(hidden)} rows" if hidden > 1 else "the only row"
        return f"{how} hides {rows if hidden else 'everything'}{undo}"

    def paint_body(self) -> None:
        """Update the table and the info bar."""
        self.lay_out_changes()  # a scrollbar
        self.list_table.set_column_layout(self.column_layout)
        self.list_table.empty = self.empty_text()
        self.list_table.paint(self.context.frame())
        self.paint_info()

    def paint_info(self) -> None:
        """Show the breadcrumb, counts and sort order; the text of the filter is in its own line."""
        table = self.list_table
        left = [*self.breadcrumbs, *self.counts()]
        if self.faults_only:
            text = f"{self.keymap.key('faults')} {self.FAULTS}".lstrip()
            left.append(Part(text, "bold $text-error", click="screen.faults"))
        if self.filter_text:
            text = f"{self.keymap.key('filter')} filter".lstrip()
            left.append(Part(text, "$text-accent", 3, "screen.filter"))
        left += self.notes()
        right = []
        if table.marks:
            right.append(Part(f"{units.count(len(table.marks))} marked", "bold $text-accent", 1))
        if table.follow:
            right.append(Part("following", "$text-success", 4, "screen.follow"))
        elif table.unseen and table.sort is not None and "follow" in self.CONTEXTS:
            newer = f"{units.count(table.unseen)} newer"
            right.append(Part(newer, "$text-muted", 4, "screen.follow"))
        right.append(Part(f"{self.order_text()} ", "$text-muted", 5, "screen.sort_menu"))
        self.info_bar.show(left, right)

    def counts(self) -> list[Part]:
        """Return the number of rows, for the info bar."""
        counted = units.count(self.total)
        if not self.total and self.unknown_reason:
            counted = units.UNKNOWN
        if self.filter_text or self.faults_only:
            counted = f"{units.count(len(self.list_table.rows))} of {counted}"
        return [Part(counted, "$text-muted")]

    def order_text(self) -> str:
        """Return the sort order, for the info bar."""
        if self.list_table.sort is None:
            return "unsorted"
        column_id, descending = self.list_table.sort
        column = next((one for one in self.list_table.columns if one.id == column_id), None)
        glyphs = self.context.glyphs
        arrow = glyphs.descending if descending else glyphs.ascending
        text = f"by {column.title if column else column_id} {arrow}"
        rows = self.list_table.rows
        if column is None or not len(rows):
            return text
        # Rows without a value are last: if the first one has none, the order is another.
        first = plain(column.cell(rows[0], self.context.frame())).strip()
        return f"{text}, no values: {self.EQUAL_ROWS}" if first in ("", units.UNKNOWN) else text

    # The filter

    def filter_by(self, text: str) -> bool:
        """Filter by a text."""
        self.filter_text = text
        bar = self.filter_bar
        bar.display = bool(text) or self.typing is bar
        if bar.text != text:
            bar.show(text)
            self.set_focus(self.list_table)
        if text:
            self._mount_filter()
        self.refilter()
        self._show_rows()
        return True

    async def action_filter(self) -> None:
        """Focus the filter line."""
        await self._mount_filter()
        self.filter_bar.display = True
        self.set_focus(self.filter_bar.input)

    def _mount_filter(self) -> AwaitMount:
        return mount_line(self.filter_bar, self.query_one("#body"), after=self.info_bar)

    def on_filter_bar_changed(self, message: FilterBar.Changed) -> None:
        """Apply the filter while it is typed."""
        self.filter_text = message.text
        self.refilter()
        self._show_rows()

    def on_filter_bar_submitted(self, message: FilterBar.Submitted) -> None:
        """Keep the filter and go to the list."""
        self.action_keep_filter()

    def on_filter_bar_dismissed(self, message: FilterBar.Dismissed) -> None:
        """Clear the filter and go to the list."""
        self.action_clear_filter()

    def action_keep_filter(self) -> None:
        """Keep the filter and go to the list."""
        self.set_focus(self.list_table)
        # Keys may still be queued for the line: they are handled first.
        self.filter_bar.input.call_later(self._keep)

    def _keep(self) -> None:
        text = self.filter_bar.text
        self.filter_by(text)
        self.context.history.add(self.filter_history, text)

    def action_clear_filter(self) -> None:
        """Clear the filter and go to the list."""
        self.set_focus(self.list_table)
        self.filter_by("")

    def _show_rows(self) -> None:
        self.list_table.empty = self.empty_text()
        self.list_table.show(self.list_table.rows)
        self.paint_info()

    # Actions

    def step_back(self) -> bool:
        """Clear the marks, then the filter."""
        if super().step_back():
            return True
        if self.list_table.marks:
            self.list_table.action_unmark_all()
        elif self.filter_text:
            self.filter_by("")
        elif self.faults_only:
            self.action_faults()
        else:
            return False
        self.paint_info()
        return True

    def action_faults(self) -> None:
        """Show only failures and problems, or everything again."""
        self.faults_only = not self.faults_only
        self.refilter()
        self._show_rows()

    def action_follow(self) -> None:
        """Follow the newest row, or stop following."""
        self.list_table.action_toggle_follow()
        self.paint_info()

    def action_wide(self) -> None:
        """Show all columns, or those that fit."""
        self.list_table.action_toggle_wide()

    def shown_view(self) -> View | None:
        """Return the list with its filter, order and columns; None if it is that of one item."""
        import msgspec

        from ....files.views_file import View

        scope = self.scope_text
        view = super().shown_view() if scope is None else View(self.LIST)
        if view is None:
            return None
        column_id, descending = self.list_table.sort or ("", False)
        return msgspec.structs.replace(
            view,
            filter=" ".join(filter(None, (scope, self.filter_text))),
            faults=self.faults_only,
            sort=column_id,
            descending=descending,
            columns=tuple(map(str, self.column_layout)),
        )

    def show_view(self, view: View) -> None:
        """Filter, sort and arrange the list as in a saved view."""
        super().show_view(view)
        columns = {column.id: column for column in self.list_table.columns}
        try:
            layout = parse_layout(view.columns)
        except ValueError as error:
            self._warn(str(error))
        else:
            self.show_columns(layout)
            if unknown := [chosen.id for chosen in layout if chosen.id not in columns]:
                self._warn(f"Cannot show {', '.join(unknown)}, unknown columns in the view")
        if view.sort:
            if view.sort not in columns or columns[view.sort].sort_key is None:
                self._warn(f"Cannot sort by {view.sort}, the sort column in the view")
            self.list_table.order_by(view.sort, view.descending)
        if view.faults != self.faults_only:
            self.action_faults()
        self.filter_by(view.filter)

    def _warn(self, text: str) -> None:
        self.notify(visible(text), severity="warning", markup=False)

    @property
    def column_layout(self) -> Layout:
        """The columns that the user chose; empty are the list's own ones."""
        return self.context.column_layouts.get(self.LIST, ())

    def show_columns(self, layout: Layout) -> None:
        """Show other columns, here and in other lists of this kind."""
        self.context.column_layouts[self.LIST] = layout
        self.list_table.set_column_layout(layout)

    def choose_columns(self) -> bool:
        """Choose the columns of the list."""
        column_choice.choose(
            self, self.LIST, self.list_table, self.column_layout, self.show_columns
        )
        return True

    def action_mark(self, what: Literal["one", "range", "all", "none"]) -> None:
        """Mark or unmark rows."""
        table = self.list_table
        if what == "one":
            table.action_toggle_mark()
        elif what == "range":
            table.action_mark_range()
        elif what == "all":
            table.action_mark_all()
        else:
            table.action_unmark_all()
        self.paint_info()

    def action_sort(self, how: Literal["next", "previous", "invert"]) -> None:
        """Sort by another column, or reverse the order."""
        table = self.list_table
        if how == "next":
            table.action_sort_next()
        elif how == "previous":
            table.action_sort_previous()
        else:
            table.action_invert()
        self.paint_info()

    def action_sort_menu(self) -> None:
        """Open the menu of sort columns."""
        from ...dialogs.menu import Menu

        table = self.list_table
        choices = [
            (column.id, column.title, "descending" if column.descending else "")
            for column in table.columns
            if column.sort_key is not None
        ]
        if not choices:
            self.notify("This list cannot be sorted", timeout=4)
            return
        chosen = table.sort[0] if table.sort is not None else None
        self.app.push_screen(Menu("Sort by", choices, chosen), self._sort_by)

    def _sort_by(self, column_id: str | None) -> None:
        if column_id is not None:
            self.list_table.action_sort_by(column_id)
            self.paint_info()
