"""`celtop workers`: list workers, the faulty ones first."""

from __future__ import annotations

from typing import Any

import click

from ...lists import ListOptions, list_options, run_list
from ...options import Command


@click.command(cls=Command)
@list_options("workers")
@click.pass_context
def workers(ctx: click.Context, /, **options: Any) -> int:
    """List workers, the faulty ones first.

    The columns are those of the Workers screen. FILTER is one or more words, as in its filter: a
    worker matches if its name, pool, queues, version and status contain them all, `!word` excludes
    it.
    """
    return run_list(ctx, "workers", ListOptions(**options))
