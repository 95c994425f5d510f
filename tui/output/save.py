"""Saves what is shown, in any format: JSON is a snapshot, SVG is a picture of the screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ...export.encoding.document import Document
from ...export.formats import SUFFIXES, format_of
from ...export.lists.document import screen_document
from ...export.snapshot.snapshot import take_snapshot
from ...files.files import replace_file
from ...lists.context import ListContext
from ...model.workflow.view import WorkflowRow as WorkflowRow
from ...widgets.table.column import Column
from .clipboard import only

if TYPE_CHECKING:
    from ..context import AppContext

MAX_TEXT_WIDTH: Final = 100_000
"""Cells of a line of text: no column is left out."""


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
    picture: Callable[[], str],
) -> str:
    """Write rows to a file in the format of its suffix, overwriting an existing file.

    Args:
        path: The file.
        rows: The rows of a table, or the subject of a page.
        columns: The table's columns.
        context: The model and the clock.
        picture: Returns the screen as SVG.

    Returns:
        What was saved: `12 rows`.

    Raises:
        SaveError: The suffix is unknown, or the file cannot be written.
    """
    what = f"{len(rows):,} rows"
    chosen = format_of(path.suffix)
    if chosen is None:
        raise SaveError(f"Cannot save {path.name}: the name must end in {', '.join(SUFFIXES)}")
    if chosen.name == "svg":
        content, what = picture().encode(), "the screen"
    else:
        document = _document(path.stem, rows, columns, context)
        try:
            content = chosen.encode(document, MAX_TEXT_WIDTH)
        except ImportError as error:
            text = f"Cannot save {path.name}: the package {error.name} is missing"
            raise SaveError(text) from error
    try:
        replace_file(path, content)
    except OSError as error:
        raise SaveError(f"Cannot save {path}: {error.strerror or error}") from error
    return what


def _document(
    name: str, rows: Sequence[Any], columns: Sequence[Column[Any]], context: AppContext
) -> Document:
    subjects = [row.node.task or row.node if isinstance(row, WorkflowRow) else row for row in rows]
    listed = ListContext(
        context.state,
        context.now(),
        context.settings,
        context.progress_unavailable,
        context.glyphs,
        context.utc,
    )
    snapshot = take_snapshot(only(context.state, subjects), listed.now)
    return screen_document(name, columns, rows, listed, context.frame(), snapshot)
