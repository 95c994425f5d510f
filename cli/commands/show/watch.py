"""`celtop watch`: follows one task until it finishes, with a progress bar on a terminal."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final

import click

from ...arguments import duration_option
from ...exit_codes import ExitCode
from ...operations.await_result import await_result, print_result
from ...options import Command, settings_of
from ...output import stderr
from ...session import ConnectionReports, connect, open_session, pump_until, require_broker
from ...targets.find_task import check_id, find_task
from ...targets.short_ids import full_ids

if TYPE_CHECKING:
    from ....cluster.session import Session
    from ....model.entities.task import Task
    from ....model.lookup import TaskLookup
    from ...output.progress_line import Display

REDRAW_INTERVAL: Final = 0.1
"""Seconds between two updates of the line while the task does not change."""
RESULT_TIMEOUT: Final = 5.0
"""Seconds to read the result of a finished task."""


@click.command(cls=Command)
@click.argument("id_", metavar="ID")
@duration_option("--timeout",
              help="Stop watching after this long; the task continues.")  # fmt: skip
@click.option("--wait/--no-wait", "wait", default=True,
              help="Wait for an unknown task (default), or exit with 1.")  # fmt: skip
@click.pass_context
def watch(ctx: click.Context, id_: str, timeout: float | None, wait: bool) -> int:
    """Follow a task until it finishes, and print its result.

    Progress is shown on stderr: a bar on a terminal, otherwise one line per change. The result is
    printed on stdout as JSON. If the result backend cannot be read, the text in the task's event is
    printed instead.

    If the connection to the broker is lost, celtop reports it on stderr and keeps reconnecting.

    The exit code is 0 if the task succeeded, 1 if it failed or was revoked, 4 if it did not finish
    before --timeout, and 3 if the broker is unreachable at the start or at --timeout.

    If the task is not found anywhere, celtop waits for it: it may be sent later. Use --no-wait if
    it may already have finished without storing a result.
    """
    from ...output.progress_line import display_for

    check_id(id_)
    settings = settings_of(ctx)
    with open_session(settings) as session:
        session.watch_results([id_])
        connect(session)
        (id_,) = full_ids(session, [id_])
        session.watch_results([id_])
        display = display_for(session.state, settings.ascii)
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            code = _follow(session, id_, deadline, wait, display)
        finally:
            display.end()
        if code is not ExitCode.OK:
            return code
        return print_result(await_result(session, id_, RESULT_TIMEOUT))


def _follow(
    session: Session, id_: str, deadline: float | None, wait: bool, display: Display
) -> ExitCode:
    """Follow a task; OK means that it has finished, in any state.

    Raises:
        BrokerUnreachable: The connection to the broker is lost at the deadline.
    """
    task = _task(session, id_)
    if task is None or not task.finished:
        lookup = find_task(session, id_)
        if _task(session, id_) is None:
            _report_not_found(id_, lookup)
            if not wait:
                return ExitCode.FAILED
            display.note("Waiting for the task to appear")
    report_connection = ConnectionReports(session, display.note)
    while True:
        task = _task(session, id_)
        if task is not None:
            display.show(task, time.time())
            if task.finished:
                return ExitCode.OK
        now = time.monotonic()
        if deadline is not None and now >= deadline:
            require_broker(session)
            outcome = "did not appear" if task is None else "has not finished"
            display.note(f"Timed out; the task {outcome}")
            return ExitCode.TIMEOUT
        report_connection()
        version = -1 if task is None else task.version
        pause = REDRAW_INTERVAL if deadline is None else min(REDRAW_INTERVAL, deadline - now)
        pump_until(session, pause, partial(_changed, session, id_, version))


def _task(session: Session, id_: str) -> Task | None:
    return session.state.tasks.get(id_)


def _changed(session: Session, id_: str, version: int) -> bool:
    task = _task(session, id_)
    return task is not None and task.version != version


def _report_not_found(id_: str, lookup: TaskLookup | None) -> None:
    stderr.echo(f"Task {id_} not found")
    for one in lookup.places if lookup is not None else ():
        stderr.echo(f"  {one.place}: {one.text}")
