"""The choice of a list's columns, which the next start keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....model.text.sanitize import visible
from ....widgets.table.layout import Layout
from ....widgets.table.live_table import LiveTable
from .screen import MonitorScreen


def choose(
    screen: MonitorScreen,
    list_name: str,
    table: LiveTable[Any],
    before: Layout,
    show: Callable[[Layout], None],
) -> None:
    """Open the column chooser.

    Args:
        screen: The screen of the list.
        list_name: Its name in the file of chosen columns.
        table: Its table.
        before: The columns chosen so far.
        show: Called with each choice, and with `before` if the dialog is cancelled.
    """
    from ...dialogs.columns import ColumnChooser

    table.set_column_layout(before)

    def chosen(layout: Layout | None) -> None:
        if layout is None:
            show(before)
        elif layout != before:
            _save(screen, list_name, layout)

    title = screen.location.view.capitalize()
    screen.app.push_screen(ColumnChooser(title, table, show, screen.context.keymap), chosen)


def _save(screen: MonitorScreen, list_name: str, layout: Layout) -> None:
    from ....files.columns_file import save_columns
    from ....files.config_file import InvalidFile

    try:
        save_columns(list_name, [str(column) for column in layout])
    except (InvalidFile, OSError) as error:
        text = visible(f"The columns are only kept until celtop exits: {error}")
        screen.notify(text, severity="warning", markup=False)
