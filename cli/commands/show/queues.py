"""`celtop queues`: list queues, those without consumers first."""

from __future__ import annotations

from typing import Any

import click

from ...lists import ListOptions, list_options, run_list
from ...options import Command


@click.command(cls=Command)
@list_options("queues")
@click.pass_context
def queues(ctx: click.Context, /, **options: Any) -> int:
    """List queues, those without consumers first.

    The columns are those of the Queues screen. FILTER is one or more words, as in its filter: a
    queue matches if its name, consumers and status contain them all, `!word` excludes it.
    """
    return run_list(ctx, "queues", ListOptions(**options))
