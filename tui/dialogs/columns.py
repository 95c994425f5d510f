"""The column chooser: which columns a list shows, in what order, how wide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ...bindings.keymap import Keymap
from ...widgets.table.column import Column
from ...widgets.table.layout import (
    MAX_COLUMN_WIDTH,
    MIN_COLUMN_WIDTH,
    ChosenColumn,
    Layout,
    own_layout,
)
from ...widgets.table.live_table import LiveTable
from ..keymap import bindings
from .base import Dialog


class ColumnOptions(OptionList, inherit_bindings=False):
    """The columns; all keys are the dialog's."""


@dataclass(slots=True)
class _Entry:
    column: Column[Any]
    shown: bool
    width: int | None


class ColumnChooser(Dialog[Layout]):
    """Returns the chosen columns; empty are the list's own ones.

    Args:
        title: The name of the list.
        table: The table of the list.
        show: Shows a layout in the table behind the dialog; called with each change.
        keymap: The user's keys.
    """

    BINDINGS = bindings("columns")
    CONTEXTS = ("dialog", "columns")
    CLOSES_BY_CLICK_BESIDE = False
    MIN_WIDTH = 48

    def __init__(
        self,
        title: str,
        table: LiveTable[Any],
        show: Callable[[Layout], None],
        keymap: Keymap,
    ) -> None:
        super().__init__(f"Columns of {title}")
        self._table = table
        self._show_layout = show
        self._keymap = keymap
        self._entries: list[_Entry] = []
        self._read(table.column_layout)

    def _read(self, layout: Layout) -> None:
        """List the columns: those of the layout in its order, then the others."""
        rest = {column.id: column for column in self._table.columns}
        self._entries = [
            _Entry(rest.pop(one.id), True, one.width) for one in layout if one.id in rest
        ]
        own = not self._entries
        self._entries += [
            _Entry(column, own and not column.wide_only, None) for column in rest.values()
        ]

    @property
    def chosen(self) -> Layout:
        """The chosen columns; empty if they are the list's own ones."""
        layout = tuple(
            ChosenColumn(entry.column.id, entry.width) for entry in self._entries if entry.shown
        )
        return () if layout == own_layout(self._table.columns) else layout

    def compose_box(self) -> ComposeResult:
        """Yield the columns and the keys."""
        yield ColumnOptions(markup=False)
        yield Static(self._keys(), markup=False, id="advice")

    def on_mount(self) -> None:
        """List the columns."""
        self._show(0)

    def on_resize(self) -> None:
        """Mark the columns that have no room in the new width, once the table has it."""
        self.call_after_refresh(lambda: self._show(self._cursor))

    def _keys(self) -> Content:
        lines = (
            (
                ("columns.toggle", "on/off"),
                ("dialog.accept", "keep"),
                ("dialog.close", "discard"),
            ),
            (
                ("columns.up", "up"),
                ("columns.down", "down"),
                ("columns.narrower", "narrower"),
                ("columns.wider", "wider"),
                ("columns.reset", "reset"),
            ),
        )
        return Content("\n").join(
            Content("  ").join(self._key(id_, text) for id_, text in line if self._keymap[id_].keys)
            for line in lines
        )

    def _key(self, id_: str, text: str) -> Content:
        context = getattr(self.app, "context", None)
        key = self._keymap.key(id_, ascii_only=context is not None and context.ascii)
        return Content.assemble(Content.styled(key, "bold $text-accent"), f" {text}")

    def _show(self, cursor: int) -> None:
        """Update the table behind, and list the columns as they are there."""
        self._show_layout(self.chosen)
        options = self.query_one(ColumnOptions)
        fitting = self._table.fitting
        width = max(len(entry.column.title or entry.column.id) for entry in self._entries)
        options.clear_options()
        for entry in self._entries:
            column = entry.column
            size = "auto" if entry.width is None else str(entry.width)
            note = ""
            if entry.shown and column.id not in fitting:
                note = "  empty" if column.id in self._table.empty_columns else "  no room"
            text = (
                f"[{'x' if entry.shown else ' '}] {column.title or column.id:<{width}}  {size:>4}"
            )
            style = "" if entry.shown else "$text-muted"
            options.add_option(
                Option(
                    Content.assemble(
                        Content.styled(text, style), Content.styled(note, "$text-warning")
                    )
                )
            )
        options.highlighted = cursor

    @property
    def _cursor(self) -> int:
        return self.query_one(ColumnOptions).highlighted or 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Show or hide the clicked column."""
        self.action_switch()

    def action_choose(self, step: int) -> None:
        """Move the cursor."""
        options = self.query_one(ColumnOptions)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_switch(self) -> None:
        """Show or hide the column; one is always shown."""
        entry = self._entries[self._cursor]
        if entry.shown and sum(each.shown for each in self._entries) == 1:
            self.app.bell()
            return
        entry.shown = not entry.shown
        self._show(self._cursor)

    def action_shift(self, step: int) -> None:
        """Move the column."""
        at = self._cursor
        to = at + step
        if 0 <= to < len(self._entries):
            self._entries[at], self._entries[to] = self._entries[to], self._entries[at]
            self._show(to)

    def action_widen(self, step: int) -> None:
        """Make the column wider or narrower than it is."""
        entry = self._entries[self._cursor]
        width = entry.width
        if width is None:
            width = self._table.fitting.get(entry.column.id, entry.column.width)
        entry.width = max(MIN_COLUMN_WIDTH, min(width + step, MAX_COLUMN_WIDTH))
        entry.shown = True
        self._show(self._cursor)

    def action_reset(self) -> None:
        """Restore the list's own columns."""
        self._read(())
        self._show(0)

    def action_accept(self) -> None:
        """Keep the columns."""
        self.dismiss(self.chosen)
