"""`celtop failures`: list failures grouped by exception and location."""

from __future__ import annotations

from typing import Any

import click

from ...lists import ListOptions, list_options, run_list
from ...options import Command


@click.command(cls=Command)
@list_options("failures")
@click.pass_context
def failures(ctx: click.Context, /, **options: Any) -> int:
    """List failures grouped by exception and location.

    The columns are those of the Failures screen. FILTER is one or more words, as in its filter: a
    group matches if its exception, location, task names and workers contain them all, `!word`
    excludes it. The failed tasks are those of `celtop tasks state:failure`.
    """
    return run_list(ctx, "failures", ListOptions(**options))
