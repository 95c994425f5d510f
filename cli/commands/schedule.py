"""`celtop schedule`: lists the periodic tasks of beat."""

from __future__ import annotations

from typing import Any

import click

from ..lists import ListOptions, list_options, run_list
from ..options import Command


@click.command(cls=Command)
@list_options("schedule")
@click.option("--json", "as_json", is_flag=True, help="Same as --format json.")
@click.pass_context
def schedule(ctx: click.Context, /, as_json: bool, **options: Any) -> int:
    """List the periodic tasks of celery beat, the overdue ones first.

    They are read from the app of -A with its django-celery-beat tables, from RedBeat, from the
    file of --beat-schedule-file, and from the beat_schedule of the workers. An entry is reported
    as overdue only if it would have been seen to run: listen at least as long as its interval.

    FILTER is one or more words that name, task, schedule, arguments, queue or status contain;
    `!word` excludes an entry.
    """
    if as_json:
        options["format_name"] = "json"
    return run_list(ctx, "schedule", ListOptions(**options))
