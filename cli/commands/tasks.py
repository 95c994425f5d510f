"""`celtop tasks`: lists tasks, also those that only the result backend has."""

from __future__ import annotations

import time

import click

from ..arguments import duration_option
from ..exit_codes import ExitCode
from ..options import Command, settings_of
from ..selection import read_filter, report_unknown_states, search_history
from ..session import collect, open_session
from ..stdout import output_width, write


@click.command(cls=Command)
@click.option("--filter", "query", metavar="FILTER",
              help="Only tasks that match, such as 'state:failure finished:<1d'.")  # fmt: skip
@click.option("--format", "format_name", type=click.Choice(["json", "text"]), default="text",
              show_default=True, help="The output format.")  # fmt: skip
@duration_option("--wait", zero=True, default="2s", show_default=True,
              help="Listen for events this long.")  # fmt: skip
@click.option("--limit", type=click.IntRange(0), default=500, show_default=True, metavar="N",
              help="List at most the N newest tasks.")  # fmt: skip
@click.pass_context
def tasks(ctx: click.Context, query: str | None, format_name: str, wait: float, limit: int) -> int:
    """List tasks, the newest first.

    The list contains the tasks held by workers, waiting in queues or reported by events during
    --wait, and the newest finished tasks from the result backend. With --filter, the whole result
    backend is searched (Redis: up to 50,000 results).
    """
    from ...model.query.language import EVERY_TASK

    settings = settings_of(ctx)
    parsed = EVERY_TASK if query is None else read_filter(query, settings)
    if not wait:
        settings = settings.model_copy(update={"enable_events": False})
    with open_session(settings, one_shot=True) as session:
        from ...export import tasks as export
        from ...export.snapshot import take_snapshot

        collect(session, wait)
        search_history(session, parsed, limit)
        report_unknown_states(session, parsed)
        taken = take_snapshot(session.state, time.time(), parsed)
    width = output_width()
    encode = export.as_json if format_name == "json" else export.as_text
    write(encode(taken, width, limit))
    return ExitCode.OK if session.state.broker.phase == "live" else ExitCode.UNREACHABLE
