"""`celtop snapshot`: listen for a while, ask everyone once more, print what is known."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from .. import stderr
from ..exit_codes import ExitCode
from ..interrupts import orderly_end
from ..options import Command, settings_of
from ..session import ask_all, listen, reach, started
from ..stdout import write

if TYPE_CHECKING:
    from ...cluster.session import Session
    from ...export.records import Snapshot

UNKNOWN_WIDTH: Final = (120, 24)
"""Columns and rows where no terminal tells."""


@click.command(cls=Command)
@click.option(
    "--format", "form", type=click.Choice(["json", "text", "svg"]), default="text",
    show_default=True,
)  # fmt: skip
@click.option(
    "--wait", type=click.FloatRange(0, 86_400), default=2.0, show_default=True, metavar="S",
    help="Listen for S seconds from when the broker answers.",
)  # fmt: skip
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Write to FILE instead of stdout.",
)  # fmt: skip
@click.option(
    "--limit", type=click.IntRange(0), default=50, show_default=True, metavar="N",
    help="Tasks shown in text and SVG, the newest; JSON holds all.",
)  # fmt: skip
@click.pass_context
def snapshot(ctx: click.Context, form: str, wait: float, output: Path | None, limit: int) -> int:
    """Print the cluster's state once: workers, queues and tasks.

    Whatever happens while it listens is in it, also on workers that had task events off.
    """
    settings = settings_of(ctx)
    with orderly_end(), started(settings) as session:
        reach(session, wait)
        listen(session, wait)
        ask_all(session)
        taken = _take(session)
    write(_encode(taken, form, limit), output)
    if session.state.broker.phase == "live":
        return ExitCode.OK
    stderr.say(f"the broker was lost meanwhile: {session.state.broker.fault}")
    return ExitCode.UNREACHABLE


def _take(session: Session) -> Snapshot:
    from ...export.snapshot import take

    return take(session.state, time.time())


def _encode(taken: Snapshot, form: str, limit: int) -> bytes:
    if form == "json":
        from ...export.json import encode

        return encode(taken)
    width = shutil.get_terminal_size(UNKNOWN_WIDTH).columns
    if form == "svg":
        from ...export.svg import render
    else:
        from ...export.text import render
    return render(taken, width, limit).encode()
