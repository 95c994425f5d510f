"""`celtop replay`: shows a recording on the screen, or prints its last snapshot."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ....export.formats import FORMATS
from ...exit_codes import ExitCode, InvalidUsage
from ...monitor import open_replay
from ...options import Command, settings_of
from ...output import stderr
from ...output.document import encoded, list_context, require_package
from ...output.stdout import is_terminal, write

if TYPE_CHECKING:
    from ....recording.session import ReplaySession

PUMP_BUDGET: Final = 0.5
PUMP_INTERVAL: Final = 0.02
"""Seconds between two looks at the clock, at a given speed."""


def _number(ctx: click.Context, option: click.Parameter, value: float | None) -> float | None:
    if value is not None and math.isnan(value):  # which is in every range
        raise click.BadParameter("it is not a number")
    return value


@click.command(cls=Command)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--speed", type=click.FloatRange(0.01, 1000.0), metavar="N", callback=_number,
              help="Replay at N times the recorded speed (default: 1).")  # fmt: skip
@click.option("--step", is_flag=True, help="Begin paused; keys move on in steps of a second.")
@click.option("--snapshot", is_flag=True,
              help="Print the snapshot at the end of the recording, without a screen; as fast as"
              " possible unless --speed is given.")  # fmt: skip
@click.option("--format", "format_name", type=click.Choice(list(FORMATS)), default="text",
              show_default=True, callback=require_package,
              help="The output format of --snapshot.")  # fmt: skip
@click.option("--limit", type=click.IntRange(0), default=50, show_default=True, metavar="N",
              help="Print the N newest tasks (JSON and NDJSON always contain all).")  # fmt: skip
@click.pass_context
def replay(
    ctx: click.Context,
    file: Path,
    speed: float | None,
    step: bool,
    snapshot: bool,
    format_name: str,
    limit: int,
) -> int:
    """Replay a recording made with `celtop record`.

    It opens the monitor on the recording: no broker is needed, and every operation is refused. A
    line shows the position; `p` pauses, and further keys change the speed and move the position.

    A recording that was interrupted or is damaged is replayed up to that point, with a note.
    """
    session = _open(ctx, file, speed or 1.0, paused=step)
    if not snapshot:
        return open_replay(session)
    from ....export.snapshot.document import snapshot_document

    if speed is None:
        session.run_to_end()
    else:
        while not session.playback.is_over:
            if not session.pump(0.0, PUMP_BUDGET).more:
                time.sleep(PUMP_INTERVAL)
    context = list_context(session, session.settings, session.playback.position, format_name)
    document = snapshot_document(context, limit=limit)
    if session.problem is not None:
        stderr.echo(f"{file} is incomplete: {session.problem}")
    write(encoded(document, format_name, drawn=is_terminal()))
    return ExitCode.OK


def _open(ctx: click.Context, file: Path, speed: float, *, paused: bool) -> ReplaySession:
    """Open the recording.

    Raises:
        InvalidUsage: It cannot be read, or a setting is invalid.
    """
    from ....recording.playback import Playback
    from ....recording.reader import InvalidRecording, Recording
    from ....recording.session import ReplaySession
    from ....recording.settings import replay_settings

    settings = settings_of(ctx, broker_needed=False)
    try:
        recording = Recording(file)
        settings = replay_settings(settings, recording)
    except InvalidRecording as error:
        raise InvalidUsage(str(error)) from error
    playback = Playback(recording.header.started_at, speed, paused=paused)
    return ReplaySession(settings, recording, playback)
