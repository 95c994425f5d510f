"""`celtop tail`: prints events as they arrive."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from .... import garbage
from ...arguments import read_until
from ...exit_codes import ExitCode
from ...interrupts import clean_exit
from ...options import Command, settings_of
from ...output import stderr
from ...output.schema import schema_option
from ...output.stdout import is_abandoned, is_terminal
from ...session import (
    CONNECT_TIMEOUT,
    STOP_TIMEOUT,
    ConnectionReports,
    open_session,
    pump_until,
    require_broker,
    wait_for_broker,
)
from ...stored import is_stored, offline_session
from ...targets.selection import read_filter

if TYPE_CHECKING:
    from ....cluster.session import Session
    from ....model.query.language import Query
    from ....settings import Settings
    from ...tail import Tail

CHECK_INTERVAL: Final = 1.0
"""Seconds between two checks of the connection."""


@click.command(cls=Command)
@click.argument("words", nargs=-1, metavar="[FILTER]")
@click.option("--format", "format_name", type=click.Choice(["text", "ndjson", "csv"]),
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

    With --from-history URL, tasks are printed when a collector has stored them: once they have
    ended, or have been running for 5 seconds. No broker is used.

    If the connection to the broker is lost, celtop reports it on stderr and keeps reconnecting.

    The exit code is 0 at the end of --until or --count; it is 4 if --until ends before --count
    events have arrived, and 3 if the broker is unreachable at the start or at the end of --until.
    """
    settings = settings_of(ctx, is_offline=_is_followed)
    query: Query | None = read_filter(" ".join(words), settings, "filter") if words else None
    deadline = None if until is None else read_until(until)
    chosen = format_name or ("text" if is_terminal() else "ndjson")
    from ...tail import Tail

    def printed(session: Session) -> Tail:
        utc = settings.timezone == "utc"
        return Tail(session.state, query, count, format_name=chosen, utc=utc)

    garbage.resume()
    if settings.from_history is not None:
        with _followed_history(settings, settings.from_history) as session:
            lines = printed(session)
            session.tap = lines.take_stored
            return _print_until(session, lines, deadline, count, FaultOfHistory(session))
    with open_session(settings, one_shot=True) as session:
        lines = printed(session)
        session.tap = lines.take
        session.refresh()
        wait_for_broker(session, CONNECT_TIMEOUT)
        code = _print_until(session, lines, deadline, count, ConnectionReports(session))
        if not (lines.over or is_abandoned()):
            require_broker(session)
        return code


def _print_until(
    session: Session,
    lines: Tail,
    deadline: float | None,
    count: int | None,
    check: Callable[[], object],
) -> ExitCode:
    """Print until the deadline, or until all was printed; `check` is called every second."""
    while True:
        left = CHECK_INTERVAL
        if deadline is not None:
            left = min(left, deadline - time.time())
        if pump_until(session, max(0.0, left), lines.write) or is_abandoned():
            return ExitCode.OK
        if deadline is not None and time.time() >= deadline:
            return ExitCode.OK if count is None else ExitCode.TIMEOUT
        check()


def _is_followed(settings: Settings) -> bool:
    """Return whether events are read from a history that has the cluster."""
    return settings.from_history is not None and is_stored(settings)


@contextmanager
def _followed_history(settings: Settings, location: str) -> Iterator[Session]:
    """Return a session that reads what a collector writes, and nothing else."""
    session = offline_session(settings)
    with clean_exit():
        try:
            session.history.follow(location)
            yield session
        finally:
            session.stop(STOP_TIMEOUT)


class FaultOfHistory:
    """Reports on stderr that the history cannot be read or is not written, once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._reported = ""

    def __call__(self) -> None:
        """Check it; call it regularly."""
        fault = self._session.state.fact("history").fault
        problem = "" if fault is None else str(fault)
        if problem and problem != self._reported:
            stderr.echo(problem)
        self._reported = problem
