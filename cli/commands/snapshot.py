"""`celtop snapshot`: listens to events, asks workers and queues, prints the cluster's state."""

from __future__ import annotations

import time
from pathlib import Path

import click

from ..arguments import duration_option
from ..exit_codes import ExitCode
from ..options import Command, settings_of
from ..output import encoded, list_context, output_options
from ..schema import schema_option
from ..selection import read_filter, report_unknown_states, search_history
from ..session import collect, open_session
from ..stdout import is_terminal, write


@click.command(cls=Command)
@output_options
@duration_option("--wait", zero=True, default="2s", show_default=True,
              help="Listen for events this long.")  # fmt: skip
@click.option("--limit", type=click.IntRange(0), default=50, show_default=True, metavar="N",
              help="Show the N newest tasks (JSON and NDJSON always contain all).")  # fmt: skip
@click.option("--filter", "query", metavar="FILTER",
              help="Only tasks that match; the result backend is searched too.")  # fmt: skip
@schema_option("snapshot")
@click.pass_context
def snapshot(
    ctx: click.Context,
    format_name: str,
    output: Path | None,
    wait: float,
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
        from ...export.snapshot_document import snapshot_document
        from ...model.query.language import EVERY_TASK

        collect(session, wait)
        if parsed is not None:
            search_history(session, parsed, max(limit, settings.load_results))
            report_unknown_states(session, parsed)
        context = list_context(session, settings, time.time(), format_name)
        document = snapshot_document(context, parsed or EVERY_TASK, limit)
        data = encoded(document, format_name, drawn=output is None and is_terminal())
    write(data, output)
    return ExitCode.OK if session.state.broker.phase == "live" else ExitCode.UNREACHABLE
