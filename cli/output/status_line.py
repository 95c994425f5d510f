"""One line on stderr that shows what is going on, if that is a terminal; cleared at the end."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterator
from typing import Final

import click

from ...model.text.sanitize import visible

MIN_WIDTH: Final = 20
CLEAR_TO_END: Final = "\x1b[K"
CLEAR_LINE: Final = f"\r{CLEAR_TO_END}"


@contextlib.contextmanager
def status_line() -> Iterator[Callable[[str], None]]:
    """Yield a function that shows a text in the line, in place of the one before."""
    on_terminal = sys.stderr.isatty()
    width = max(MIN_WIDTH, shutil.get_terminal_size().columns - 1)

    shown = False

    def show(text: str) -> None:
        nonlocal shown
        if on_terminal:
            shown = True
            click.echo(f"{CLEAR_LINE}{visible(text, width)}", nl=False, err=True)

    try:
        yield show
    finally:
        if shown:
            clear_status_line()


def clear_status_line() -> None:
    """Clear the line, so that another one can be printed in its place."""
    if sys.stderr.isatty():
        click.echo(CLEAR_LINE, nl=False, err=True)
