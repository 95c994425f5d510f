"""The base of screens with tables: moving, copying and comparing rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ....model.text.sanitize import visible
from ....widgets.table.live_table import LiveTable
from ....widgets.tile import Tile
from ...messages import CopyRequested, DrillRequested
from ...navigation import DrillDown
from ...output.clipboard import copies, row_id
from ...selection import of_kind
from .charted import ChartedScreen

if TYPE_CHECKING:
    from ....widgets.table.viewport import Motion

R = TypeVar("R")


class TableScreen(ChartedScreen, inherit_bindings=False):
    """A screen with tables, one of which has the focus."""

    @property
    def tables(self) -> list[LiveTable[Any]]:
        """The tables on this screen."""
        return list(self.walk_children(LiveTable))  # a query would match styles

    @property
    def table(self) -> LiveTable[Any] | None:
        """The focused table, else the first."""
        focused = self.focused
        if isinstance(focused, LiveTable):
            return focused
        tables = self.tables
        return tables[0] if tables else None

    def copied(self) -> Sequence[object]:
        """Return the rows to copy or save: the marked ones, else the cursor's."""
        table = self.table
        if table is None:
            return ()
        if table.marks:
            return _marked_rows(table)
        return () if table.cursor_row is None else (table.cursor_row,)

    @property
    def current_row(self) -> object | None:
        """The row or item that keys act on if nothing is marked."""
        return None if isinstance(self.focused, Tile) else next(iter(self.copied()), None)

    def shown_rows(self) -> list[Any]:
        """Return the rows to save: the marked ones, otherwise all that the table lists."""
        table = self.table
        if table is None:
            return list(self.copied())
        if table.marks:
            return _marked_rows(table)
        return [table.rows[index] for index in range(len(table.rows))]

    def chosen(self, kind: type[R]) -> list[R]:
        """Return the rows of a type to operate on: the marked ones, else the cursor's."""
        return of_kind(self.copied(), kind, self.context.state)

    def visit(self, drill: DrillDown) -> None:
        """Go one step deeper."""
        self.post_message(DrillRequested(drill))

    def action_move(self, motion: Motion) -> None:
        """Move the cursor."""
        if self.table is not None:
            self.table.action_move(motion)

    def action_scroll(self, direction: Literal["left", "right"]) -> None:
        """Scroll the columns."""
        if self.table is not None:
            self.table.action_scroll_columns(direction)

    def action_open(self) -> None:
        """Open the row under the cursor."""
        if self.table is not None:
            self.table.action_open()

    def action_copy_id(self) -> None:
        """Copy the text selected with the mouse, else the ids of the rows to copy."""
        selected = self.get_selected_text()
        rows = self.copied()
        if selected:
            self.post_message(CopyRequested("the selection", selected))
            self.clear_selection()
        elif rows:
            ids = [row_id(row) for row in rows]
            what = visible(ids[0], 60) if len(ids) == 1 else f"{len(ids):,} ids"
            self.post_message(CopyRequested(what, "\n".join(ids)))

    def action_copy_menu(self) -> None:
        """Choose what to copy from the row."""
        from ...dialogs.menu import Menu

        rows = self.copied()
        if not rows:
            return
        found = {
            each.name: each for each in copies(rows[0], self.context.state, self.context.now())
        }
        choices = [(each.name, each.name, each.preview) for each in found.values()]

        def chosen(name: str | None) -> None:
            if name is not None:
                self.post_message(CopyRequested(name, found[name].text))

        self.app.push_screen(Menu("Copy", choices), chosen)

    def action_compare(self) -> None:
        """Compare the two marked rows, or the marked one with that under the cursor."""
        from ...details.compare import comparison_of

        rows, table = list(self.copied()), self.table
        if len(rows) == 1 and table is not None and table.cursor_row is not None:
            rows += [table.cursor_row] if table.cursor_row is not rows[0] else []
        step = comparison_of(rows)
        if step is not None:
            self.visit(step)
            return
        mark = self.context.keymap.key("mark") or "the mark action"
        text = f"Mark two tasks, workers or task types with {mark} to compare them"
        self.notify(text, severity="warning", markup=False)


def _marked_rows(table: LiveTable[R]) -> list[R]:
    indexes = (table.rows.index(row_id) for row_id in table.marks)
    return [table.rows[index] for index in indexes if index is not None]
