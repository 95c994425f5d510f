"""`celtop task`: all that is known of one task, and who tells what."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from .. import stderr
from ..await_result import kept
from ..exit_codes import ExitCode
from ..find_task import REACH_WITHIN, check_id, learn, look_everywhere
from ..interrupts import orderly_end
from ..options import Command, settings_of
from ..session import reach, started
from ..stdout import write

if TYPE_CHECKING:
    from ...cluster.session import Session
    from ...export.outcome import ResultRecord


@click.command(cls=Command, short_help="Tell all that is known of one task.")
@click.argument("id_", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def task(ctx: click.Context, id_: str, as_json: bool) -> int:
    """Tell all that is known of the task ID, and who tells what.

    It is looked for at the workers, in the queues and in the result backend, so no event need ever
    have been seen. Exit code 1 if no place knows it; where it was looked for is told either way.
    """
    check_id(id_)
    settings = settings_of(ctx)
    with orderly_end(), started(settings) as session:
        session.refresh()
        reach(session, REACH_WITHIN)
        learn(session)
        return _tell(session, id_, as_json)


def _tell(session: Session, id_: str, as_json: bool) -> ExitCode:
    from ...export.task import encode, heard, render, report

    before = heard(session.state.tasks.get(id_), time.time())
    search = look_everywhere(session, id_)
    if search is None:
        stderr.say("the broker, the workers or the result backend do not answer")
        return ExitCode.TIMEOUT
    state = session.state
    known = state.tasks.get(id_)
    found = report(search, before, state, _result(session, id_), time.time())
    write(encode(found) if as_json else render(found).encode("utf-8", "backslashreplace"))
    return ExitCode.NO if known is None else ExitCode.OK


def _result(session: Session, id_: str) -> ResultRecord | None:
    """Return how a task ended, if the result backend tells; it was read a moment ago."""
    from ..session import pump_until

    asked = session.result(id_)
    if not pump_until(session, REACH_WITHIN, asked.done) or asked.exception() is not None:
        return None
    meta = asked.result()
    return kept(meta) if meta is not None and meta.ready else None
