"""`celtop schedule`: lists the periodic tasks of beat."""

from __future__ import annotations

import time

import click

from ..arguments import duration_option
from ..exit_codes import ExitCode
from ..options import Command, settings_of
from ..session import collect, open_session, pump_until, wait_for
from ..stdout import output_width, write


@click.command(cls=Command)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@duration_option("--wait", zero=True, default="2s", show_default=True,
              help="Listen for events this long.")  # fmt: skip
@click.pass_context
def schedule(ctx: click.Context, as_json: bool, wait: float) -> int:
    """List the periodic tasks of celery beat.

    They are read from the app of -A with its django-celery-beat tables, from RedBeat, from the
    file of --beat-schedule-file, and from the beat_schedule of the workers. An entry is reported
    as overdue only if it would have been seen to run: listen at least as long as its interval.
    """
    settings = settings_of(ctx)
    if not wait:
        settings = settings.model_copy(update={"enable_events": False})
    with open_session(settings, one_shot=True) as session:
        from ...export import schedule as export

        read = session.read_schedule()
        collect(session, wait)
        wait_for(session, read, "the schedule")
        wait_for(session, session.read_schedule(), "the schedule")
        pump_until(session, 1.0, lambda: not session.backlog)
        now = time.time()
        session.state.tick(now)
        encode = export.as_json if as_json else export.as_text
        write(encode(session.state, now, output_width()))
    return ExitCode.OK if session.state.broker.phase == "live" else ExitCode.UNREACHABLE
