"""`celtop snapshot`: listens to events, asks workers and queues, prints the cluster's state."""

from __future__ import annotations

import time
from pathlib import Path

import click

from ...export.formats import FORMATS
from ..arguments import duration_option
from ..exit_codes import ExitCode
from ..options import Command, settings_of
from ..selection import read_filter, report_unknown_states, search_history
from ..session import collect, open_session
from ..stdout import output_width, write


@click.command(cls=Command)
@click.option("--format", "format_name", type=click.Choice(list(FORMATS)), default="text",
              show_default=True, help="The output format.")  # fmt: skip
@duration_option("--wait", zero=True, default="2s", show_default=True,
              help="Listen for events this long.")  # fmt: skip
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write to FILE instead of stdout.")  # fmt: skip
@click.option("--limit", type=click.IntRange(0), default=50, show_default=True, metavar="N",
              help="Show the N newest tasks (JSON always contains all).")  # fmt: skip
@click.option("--filter", "query", metavar="FILTER",
              help="Only tasks that match; the result backend is searched too.")  # fmt: skip
@click.pass_context
def snapshot(
    ctx: click.Context,
    format_name: str,
    wait: float,
    output: Path | None,
    limit: int,
    query: str | None,
) -> int:
    """Print the state of the cluster: workers, queues and tasks.

    The snapshot includes the events received during --wait. For that time, task events are enabled
    on workers that do not send them (see --events); with --wait 0 none are enabled.
    """
    settings = settings_of(ctx)
    parsed = None if query is None else read_filter(query, settings)
    if not wait:
        settings = settings.model_copy(update={"enable_events": False})
    with open_session(settings, one_shot=True) as session:
        from ...export.snapshot import take_snapshot
        from ...model.query.language import EVERY_TASK

        collect(session, wait)
        if parsed is not None:
            search_history(session, parsed, max(limit, settings.load_results))
            report_unknown_states(session, parsed)
        taken = take_snapshot(session.state, time.time(), parsed or EVERY_TASK)
    width = output_width()
    write(FORMATS[format_name].encode(taken, width, limit), output)
    return ExitCode.OK if session.state.broker.phase == "live" else ExitCode.UNREACHABLE
