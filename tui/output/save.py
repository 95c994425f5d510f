"""Saves what is shown: as JSON (the snapshot schema), plain text or SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.cells import cell_len

from ...export.formats import SUFFIXES, format_of
from ...export.snapshot import take_snapshot
from ...files import replace_file
from ...model.text.sanitize import visible
from ...model.workflow.view import WorkflowRow as WorkflowRow
from ...widgets.table.column import Column
from .clipboard import only

if TYPE_CHECKING:
    from ..context import AppContext

MAX_CELL_WIDTH: Final = 120


class SaveError(Exception):
    """A file that cannot be written, with the reason."""


def default_name(view: str, now: float) -> str:
    """Return a file name with the view and the local time."""
    moment = datetime.fromtimestamp(now, UTC).astimezone()
    return f"celtop-{view}-{moment:%Y%m%d-%H%M%S}.json"


def save(
    path: Path,
    rows: Sequence[Any],
    columns: Sequence[Column[Any]],
    context: AppContext,
    screenshot: Callable[[], str],
) -> str:
    """Write rows to a file in the format of its suffix, overwriting an existing file.

    Args:
        path: The file.
        rows: The rows of a table, or the subject of a page.
        columns: The table's columns, for plain text.
        context: The model and the clock.
        screenshot: Returns the screen as SVG.

    Returns:
        What was saved: `12 rows`.

    Raises:
        SaveError: The suffix is unknown, or the file cannot be written.
    """
    what = f"{len(rows):,} rows"
    chosen = format_of(path.suffix)
    if chosen is None:
        raise SaveError(f"Cannot save {path.name}: the name must end in {', '.join(SUFFIXES)}")
    # An image and a text show the screen as it is, with its columns; data is the snapshot's.
    if chosen.name == "svg":
        content, what = screenshot().encode(), "the screen"
    elif chosen.name == "text":
        content = as_text(columns, rows, context).encode()
    else:
        rows = [row.node.task or row.node if isinstance(row, WorkflowRow) else row for row in rows]
        snapshot = take_snapshot(only(context.state, rows), context.now())
        content = chosen.encode(snapshot, MAX_CELL_WIDTH, len(rows))
    try:
        replace_file(path, content)
    except OSError as error:
        raise SaveError(f"Cannot save {path}: {error.strerror or error}") from error
    return what


def as_text(columns: Sequence[Column[Any]], rows: Sequence[Any], context: AppContext) -> str:
    """Return rows as an aligned table."""
    frame = context.frame()
    lines = [[column.title for column in columns]]
    lines += [[_plain(column.cell(row, frame)) for column in columns] for row in rows]
    widths = [min(MAX_CELL_WIDTH, max(map(cell_len, cells))) for cells in zip(*lines, strict=True)]
    text = []
    for cells in lines:
        padded = (
            cell + " " * (width - cell_len(cell)) for cell, width in zip(cells, widths, strict=True)
        )
        text.append("  ".join(padded).rstrip())
    return "\n".join(text) + "\n"


def _plain(cell: Any) -> str:
    parts = (cell,) if isinstance(cell[0], str) else cell
    return visible("".join(part[0] for part in parts), MAX_CELL_WIDTH)
