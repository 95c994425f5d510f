"""`celtop tasks`: lists tasks, also those that only the result backend has."""

from __future__ import annotations

from typing import Any

import click

from ...lists import ListOptions, list_options, run_list
from ...options import Command


@click.command(cls=Command)
@list_options("tasks", limit=500)
@click.option("--filter", "query", metavar="FILTER", help="Same as the argument FILTER.")
@click.pass_context
def tasks(ctx: click.Context, /, query: str | None, **options: Any) -> int:
    """List tasks, the newest first.

    The list contains the tasks held by workers, waiting in queues or reported by events during
    --wait, and the newest finished tasks from the result backend. With FILTER, such as
    'state:failure finished:<1d', the whole result backend is searched (Redis: up to 50,000
    results).
    """
    words = (*options.pop("words"), *([] if query is None else [query]))
    return run_list(ctx, "tasks", ListOptions(words, **options))
