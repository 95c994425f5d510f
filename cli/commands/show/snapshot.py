"""`celtop snapshot`: listens to events, asks workers and queues, prints the cluster's state."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...arguments import duration_option
from ...exit_codes import ExitCode
from ...options import Command, settings_of
from ...output.document import encoded, list_context, output_options
from ...output.schema import schema_option
from ...output.stdout import is_terminal, write
from ...session import collect, open_session, wait_for_replies
from ...stored import MAX_STORED, is_stored, live_or_stored, load_stored, refuse_gauges
from ...targets.selection import read_filter, report_unknown_states, search_history

if TYPE_CHECKING:
    from ....cluster.session import Session


@click.command(cls=Command)
@output_options
@duration_option("--wait", zero=True, default="2s", show_default=True,
              help="Listen for events this long.")  # fmt: skip
@click.option("--limit", type=click.IntRange(0), default=50, show_default=True, metavar="N",
              help="Show the N newest tasks (JSON and NDJSON always contain all).")  # fmt: skip
@click.option("--filter", "query", metavar="FILTER",
              help="Include only matching tasks; searches the result backend too.")  # fmt: skip
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
    settings = settings_of(ctx, is_offline=is_stored)
    parsed = None if query is None else read_filter(query, settings)

    def document(session: Session) -> bytes:
        from ....export.snapshot.document import snapshot_document
        from ....model.query.language import EVERY_TASK

        context = list_context(session, settings, time.time(), format_name)
        taken = snapshot_document(context, parsed or EVERY_TASK, limit)
        return encoded(taken, format_name, drawn=output is None and is_terminal())

    def live() -> ExitCode:
        listening = settings if wait else settings.model_copy(update={"enable_events": False})
        with open_session(listening, one_shot=True) as session:
            collect(session, wait)
            if session.inspect_revoked():
                wait_for_replies(session)
            if parsed is not None:
                search_history(session, parsed, max(limit, settings.load_results))
                report_unknown_states(session, parsed)
            data = document(session)
        write(data, output)
        is_live = session.state.broker.phase == "live"
        return ExitCode.OK if is_live else ExitCode.UNREACHABLE

    def stored(session: Session) -> None:
        from ....model.query.language import EVERY_TASK

        refuse_gauges(format_name)
        newest = max(limit, settings.load_results)
        load_stored(session, parsed or EVERY_TASK, MAX_STORED if parsed else newest)
        write(document(session), output)

    return live_or_stored(settings, live, stored)
