"""Saving what is shown: as JSON by the snapshot contract, as plain text, or as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.cells import cell_len

from ...export.json import encode
from ...export.snapshot import take_snapshot
from ...files import replace_file
from ...model.text.sanitize import visible
from ...model.workflow.view import WorkflowRow as WorkflowRow
from ...widgets.table.column import Column
from .clipboard import only

if TYPE_CHECKING:
    from ..app import CeltopApp
    from ..context import AppContext
    from ..screens.base import MonitorScreen

FORMATS: Final = (".json", ".txt", ".svg")
_WIDEST: Final = 120


class SaveError(Exception):
    """A file that cannot be written, in words."""


def default_name(view: str, now: float) -> str:
    """Return a file name that is not yet taken by an earlier second."""
    moment = datetime.fromtimestamp(now, UTC).astimezone()
    return f"celtop-{view}-{moment:%Y%m%d-%H%M%S}.json"


def save(app: CeltopApp, screen: MonitorScreen, path: Path) -> str:
    """Write what a screen shows; the name's ending tells how. Overwrites without asking.

    Returns:
        What was saved, in words.

    Raises:
        SaveError: The ending is unknown, or the file cannot be written.
    """
    rows = shown_rows(screen)
    if path.suffix == ".svg":
        content, what = app.export_screenshot(title="celtop"), "the screen"
    elif path.suffix == ".json":
        rows = [row.node.task or row.node if isinstance(row, WorkflowRow) else row for row in rows]
        snapshot = take_snapshot(only(screen.context.state, rows), screen.context.now())
        content, what = encode(snapshot).decode(), f"{len(rows):,} rows"
    elif path.suffix == ".txt":
        table = screen.table
        columns = () if table is None else table.columns
        content, what = as_text(columns, rows, screen.context), f"{len(rows):,} rows"
    else:
        raise SaveError(f"{path.name}: the name has to end in {', '.join(FORMATS)}")
    try:
        replace_file(path, content.encode())
    except OSError as error:
        raise SaveError(f"{path}: {error.strerror or error}") from error
    return what


def shown_rows(screen: MonitorScreen) -> list[Any]:
    """Return the marked rows, else all that the screen's table lists."""
    table = screen.table
    if table is None:
        return list(screen.copied())
    if table.marks:
        indexes = (table.rows.index(row_id) for row_id in table.marks)
        return [table.rows[index] for index in indexes if index is not None]
    return [table.rows[index] for index in range(len(table.rows))]


def as_text(columns: Sequence[Column[Any]], rows: Sequence[Any], context: AppContext) -> str:
    """Return rows as an aligned table."""
    frame = context.frame()
    lines = [[column.title for column in columns]]
    lines += [[_plain(column.cell(row, frame)) for column in columns] for row in rows]
    widths = [min(_WIDEST, max(map(cell_len, cells))) for cells in zip(*lines, strict=True)]
    text = []
    for cells in lines:
        padded = (
            cell + " " * (width - cell_len(cell)) for cell, width in zip(cells, widths, strict=True)
        )
        text.append("  ".join(padded).rstrip())
    return "\n".join(text) + "\n"


def _plain(cell: Any) -> str:
    parts = (cell,) if isinstance(cell[0], str) else cell
    return visible("".join(part[0] for part in parts), _WIDEST)
