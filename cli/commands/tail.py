"""`celtop tail`: prints events as they arrive."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import click

from ... import garbage
from ..arguments import read_until
from ..exit_codes import ExitCode
from ..options import Command, settings_of
from ..output.schema import schema_option
from ..output.stdout import is_terminal
from ..session import CONNECT_TIMEOUT, ConnectionCheck, open_session, pump_until, wait_for_broker
from ..targets.selection import read_filter

if TYPE_CHECKING:
    from ...model.query.language import Query

CHECK_INTERVAL: Final = 1.0
"""Seconds between two checks of the connection."""


@click.command(cls=Command)
@click.argument("words", nargs=-1, metavar="[FILTER]")
@click.option("--format", "format_name", type=click.Choice(["text", "ndjson"]),
              help="The output format (default: text on a terminal, else ndjson).")  # fmt: skip
@click.option("--until", metavar="TIME",
              help="Stop at a time (14:30, 2026-11-30T08:00), or after a duration.")  # fmt: skip
@click.option("--count", type=click.IntRange(1), metavar="N", help="Stop after N events.")
@schema_option("tail")
@click.pass_context
def tail(
    ctx: click.Context,
    words: tuple[str, ...],
    format_name: str | None,
    until: str | None,
    count: int | None,
) -> int:
    """Print the events of tasks and workers as they arrive, until ctrl-c.

    FILTER, such as 'name:shop.* state:failure', selects the events of tasks that match when their
    event arrives. Without it, worker-online and worker-offline are printed as well. Heartbeats are
    not printed.

    The exit code is 0 at the end of --until or --count; it is 4 if --until ends before --count
    events have arrived.
    """
    settings = settings_of(ctx)
    query: Query | None = read_filter(" ".join(words), settings, "filter") if words else None
    deadline = None if until is None else read_until(until)
    text = format_name == "text" or (format_name is None and is_terminal())
    from ..tail import Tail

    with open_session(settings, one_shot=True) as session:
        garbage.resume()
        printed = Tail(session.state, query, count, text=text, utc=settings.timezone == "utc")
        session.tap = printed.take
        session.refresh()
        wait_for_broker(session, CONNECT_TIMEOUT)
        check_connection = ConnectionCheck(session)
        while True:
            left = CHECK_INTERVAL
            if deadline is not None:
                left = min(left, deadline - time.time())
            if pump_until(session, max(0.0, left), printed.write):
                return ExitCode.OK
            if deadline is not None and time.time() >= deadline:
                return ExitCode.OK if count is None else ExitCode.TIMEOUT
            check_connection()
