"""The output of the commands that print a document: its format, its file, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from ...export.formats import FORMATS
from ..metrics_server import require_prometheus_client
from .stdout import has_colours, is_utf8, output_size

if TYPE_CHECKING:
    from ...cluster.session import Session
    from ...export.encoding.document import Document
    from ...lists.context import ListContext
    from ...settings import Settings

UNLIMITED: Final = 100_000
"""The width of a pipe in cells, for columns that were chosen."""


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of the output: `--format` and `--output`."""
    for option in reversed(
        (
            click.option(
                "--format",
                "format_name",
                type=click.Choice(list(FORMATS)),
                default="text",
                show_default=True,
                callback=require_package,
                help="The output format.",
            ),
            click.option(
                "--output",
                type=click.Path(dir_okay=False, path_type=Path),
                metavar="FILE",
                help="Write to FILE instead of stdout.",
            ),
        )
    ):
        command = option(command)
    return command


def require_package(ctx: click.Context, option: click.Parameter, value: str) -> str:
    """Check that the format can be written; return its name.

    Raises:
        InvalidUsage: Its package is not installed.
    """
    if value == "prometheus":
        require_prometheus_client()
    return value


def encoded(document: Document, format_name: str, *, drawn: bool, whole: bool = False) -> bytes:
    """Return a document in a format.

    Args:
        document: The document.
        format_name: One of `FORMATS`.
        drawn: Whether a terminal shows it, and not a file or a pipe.
        whole: Whether a text that no terminal shows is not fitted into a width.
    """
    width = UNLIMITED if whole and not drawn else output_size().columns
    if format_name == "text" and drawn and has_colours():
        from ...export.encoding.ansi import coloured
        from ...export.encoding.text import render

        return render(document, width, coloured).encode(errors="backslashreplace")
    return FORMATS[format_name].encode(document, width)


def list_context(session: Session, settings: Settings, now: float, format_name: str) -> ListContext:
    """Return what the rows and cells of a document need to know."""
    from ...lists.context import ListContext
    from ...widgets.glyphs import ASCII, UNICODE

    ascii_only = settings.ascii
    if ascii_only is None:
        ascii_only = format_name == "text" and not is_utf8()
    return ListContext(
        session.state,
        now,
        settings,
        session.progress_unavailable,
        ASCII if ascii_only else UNICODE,
        settings.timezone == "utc",
    )
