"""`celtop task`: everything known about one task, with the source of each fact."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from ...exit_codes import ExitCode
from ...operations.await_result import backend_record
from ...options import Command, settings_of
from ...output import stderr
from ...output.schema import schema_option
from ...output.stdout import write
from ...session import CONNECT_TIMEOUT, connect, open_session, pump_until
from ...stored import is_stored, offline_session, stored_task, with_stored
from ...targets.find_task import check_id, find_task
from ...targets.short_ids import full_ids

if TYPE_CHECKING:
    from ....cluster.session import Session
    from ....export.outcome import ResultRecord
    from ....export.task import SourceRecord
    from ....model.entities.task import Task
    from ....model.lookup import TaskLookup


@click.command(cls=Command)
@click.argument("id_", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@schema_option("task")
@click.pass_context
def task(ctx: click.Context, id_: str, as_json: bool) -> int:
    """Show the data of a task and the source of each value.

    The task is looked up in workers, queues, the result backend and the history; no events are
    needed. The exit code is 1 if it is not found anywhere.
    """
    check_id(id_)
    settings = settings_of(ctx, is_offline=is_stored)
    if not settings.broker_url:
        return _report_stored(offline_session(settings), id_, as_json)
    settings = settings.model_copy(update={"enable_events": False})
    with open_session(settings) as session:
        connect(session)
        stored, fault = stored_task(session, id_)
        (id_,) = full_ids(session, [id_ if stored is None else stored.id])
        return _report(session, id_, stored, fault, as_json)


def _report(session: Session, id_: str, stored: Task | None, fault: str, as_json: bool) -> ExitCode:
    from ....export.task import event_source

    before = event_source(session.state.tasks.get(id_), time.time())
    lookup = find_task(session, id_)
    if lookup is None:
        stderr.echo("Timed out looking up the task in workers, queues and result backend")
        return ExitCode.TIMEOUT
    lookup = with_stored(lookup, stored, fault, session.settings)
    return _print(session, lookup, before, as_json)


def _report_stored(session: Session, id_: str, as_json: bool) -> ExitCode:
    """Report what the history has of a task, without a broker."""
    from ....model.lookup import TaskLookup

    stored, fault = stored_task(session, id_)
    lookup = TaskLookup(id_ if stored is None else stored.id, time.time(), (), ())
    lookup = with_stored(lookup, stored, fault, session.settings)
    return _print(session, lookup, None, as_json)


def _print(
    session: Session, lookup: TaskLookup, before: SourceRecord | None, as_json: bool
) -> ExitCode:
    from ....export.encoding.json import encode
    from ....export.task import render, report

    for one in lookup.found:
        if one.source == "history":
            session.state.observe(one.observation)
    result = _result(session, lookup.id) if session.settings.broker_url else None
    found = report(lookup, before, session.state, result, time.time())
    write(encode(found) if as_json else render(found).encode("utf-8", "backslashreplace"))
    return ExitCode.FAILED if found.task is None else ExitCode.OK


def _result(session: Session, id_: str) -> ResultRecord | None:
    """Return the result of a finished task, if the result backend has it."""
    lookup = session.lookups.result(id_)
    if not pump_until(session, CONNECT_TIMEOUT, lookup.done) or lookup.exception() is not None:
        return None
    meta = lookup.result()
    return backend_record(meta) if meta is not None and meta.ready else None
