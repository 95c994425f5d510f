"""`celtop types`: list task types with run times and failures."""

from __future__ import annotations

from typing import Any

import click

from ...lists import ListOptions, list_options, run_list
from ...options import Command


@click.command(cls=Command)
@list_options("types")
@click.pass_context
def types(ctx: click.Context, /, **options: Any) -> int:
    """List task types with run times and failures.

    The columns are those of the Types screen. FILTER is one or more words that the task name
    contains, `!word` excludes it. Counts and run times are those of the tasks reported by events
    during --wait, and of the newest finished tasks in the result backend.
    """
    return run_list(ctx, "types", ListOptions(**options))
