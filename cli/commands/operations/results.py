"""`celtop results`: operations on the result backend."""

from __future__ import annotations

import click

from ...operations.run import RunOptions, connected, operation_options, print_outcome, run_operation
from ...options import Command, Group, settings_of
from ...output import stderr
from ...session import pump_until, wait_for
from ...targets.selection import HISTORY_TIMEOUT, read_filter


@click.group(cls=Group)
def results() -> None:
    """Manage the results in the result backend."""


@results.command(cls=Command)
@click.argument("filter_text", metavar="FILTER")
@operation_options
@click.pass_context
def purge(ctx: click.Context, filter_text: str, options: RunOptions) -> int:
    """Delete the results that match FILTER from the result backend.

    For example `celtop results purge 'state:success finished:>30d'`. This cannot be undone. The
    number of results and the newest of them are shown first; to confirm, type the number. Results
    of unfinished tasks are kept, unless FILTER names their state. django-db, SQLAlchemy and Redis
    are supported.
    """
    settings = settings_of(ctx)
    read_filter(filter_text, settings, "FILTER")
    # The workers name the backend, unless a setting does.
    with connected(settings, options, workers_needed=not settings.result_backend) as session:
        # The newest results are loaded by then, so the backend can be read.
        pump_until(session, HISTORY_TIMEOUT, lambda: session.history_loaded)
        if not options.as_json:
            stderr.echo("Counting the matching results")
        planning = session.lookups.plan_results_purge(filter_text, utc=settings.timezone == "utc")
        operation = wait_for(session, planning, "the results")
        outcome = run_operation(session, operation, options)
    return print_outcome(outcome, options)
