"""`celtop task`: everything known about one task, with the source of each fact."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from .. import stderr
from ..await_result import backend_record
from ..exit_codes import ExitCode
from ..find_task import check_id, find_task
from ..options import Command, settings_of
from ..session import CONNECT_TIMEOUT, connect, open_session, pump_until
from ..short_ids import full_ids
from ..stdout import write

if TYPE_CHECKING:
    from ...cluster.session import Session
    from ...export.outcome import ResultRecord


@click.command(cls=Command)
@click.argument("id_", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def task(ctx: click.Context, id_: str, as_json: bool) -> int:
    """Show the data of a task and the source of each value.

    The task is looked up in workers, queues and the result backend; no events are needed. The exit
    code is 1 if it is not found anywhere.
    """
    check_id(id_)
    settings = settings_of(ctx).model_copy(update={"enable_events": False})
    with open_session(settings) as session:
        connect(session)
        (id_,) = full_ids(session, [id_])
        return _report(session, id_, as_json)


def _report(session: Session, id_: str, as_json: bool) -> ExitCode:
    from ...export.json import encode
    from ...export.task import event_source, render, report

    before = event_source(session.state.tasks.get(id_), time.time())
    lookup = find_task(session, id_)
    if lookup is None:
        stderr.echo("Timed out looking up the task in workers, queues and result backend")
        return ExitCode.TIMEOUT
    found = report(lookup, before, session.state, _result(session, id_), time.time())
    write(encode(found) if as_json else render(found).encode("utf-8", "backslashreplace"))
    return ExitCode.FAILED if found.task is None else ExitCode.OK


def _result(session: Session, id_: str) -> ResultRecord | None:
    """Return the result of a finished task, if the result backend has it."""
    lookup = session.result(id_)
    if not pump_until(session, CONNECT_TIMEOUT, lookup.done) or lookup.exception() is not None:
        return None
    meta = lookup.result()
    return backend_record(meta) if meta is not None and meta.ready else None
