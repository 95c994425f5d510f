"""`celtop watch`: follow one task to its end, with a bar on a terminal."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final

import click

from .. import stderr
from ..await_result import await_result, print_result
from ..exit_codes import ExitCode, Unreachable
from ..find_task import REACH_WITHIN, check_id, learn, look_everywhere
from ..interrupts import orderly_end
from ..options import Command, settings_of
from ..session import pump_until, reach, started

if TYPE_CHECKING:
    from ...cluster.session import Session
    from ...model.entities.task import Task
    from ...model.lookup import TaskLookup
    from ..progress_line import Display

GLANCE: Final = 0.1
"""Seconds between two looks at the task where nothing is heard of it."""
GONE_AFTER: Final = 10.0
"""Seconds without the broker after which it is given up."""
RESULT_WITHIN: Final = 5.0
"""Seconds for the result backend to tell the result of a task that has ended."""


@click.command(cls=Command, short_help="Follow one task to its end.")
@click.argument("id_", metavar="ID")
@click.option("--timeout", type=click.FloatRange(0, min_open=True), metavar="S",
              help="Give up after S seconds; the task goes on.")  # fmt: skip
@click.option("--wait/--no-wait", "wait", default=True,
              help="Wait for a task that no place knows (default), or end with 1.")  # fmt: skip
@click.pass_context
def watch(ctx: click.Context, id_: str, timeout: float | None, wait: bool) -> int:
    """Follow the task ID to its end and print its result.

    How far it is is told on stderr: as a bar on a terminal, else a line for each change. The result
    goes to stdout: as JSON from the result backend or, where that cannot be read, as the text in
    the task's event. Exit code 0 if it succeeded, 1 if it failed or was revoked, 4 if it has not
    ended in time.

    A task that no place knows may be one that is yet to be sent, or one that ended long ago and
    left nothing: it is told where it was looked for, and waited for unless --no-wait is given.
    """
    from ..progress_line import display_for

    check_id(id_)
    settings = settings_of(ctx)
    with orderly_end(), started(settings) as session:
        session.watch_results([id_])
        session.refresh()
        reach(session, REACH_WITHIN)
        learn(session)
        display = display_for(session.state, settings.ascii)
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            ended = _follow(session, id_, deadline, wait, display)
        finally:
            display.end()
        if ended is not ExitCode.OK:
            return ended
        return print_result(await_result(session, id_, RESULT_WITHIN))


def _follow(
    session: Session, id_: str, deadline: float | None, wait: bool, display: Display
) -> ExitCode:
    """Follow a task until it has ended: OK is that it has, whatever came of it.

    Raises:
        Unreachable: The broker was lost, and did not come back.
    """
    if _task(session, id_) is None or not _has_ended(session, id_):
        search = look_everywhere(session, id_)
        if _task(session, id_) is None:
            _tell_nowhere(id_, search)
            if not wait:
                return ExitCode.NO
            display.note("waiting for it to appear")
    gone_at: float | None = None
    while True:
        task = _task(session, id_)
        if task is not None:
            display.show(task, time.time())
            if task.finished:
                return ExitCode.OK
        now = time.monotonic()
        if deadline is not None and now >= deadline:
            display.note("it has not ended in time; it goes on")
            return ExitCode.TIMEOUT
        gone_at = _gone(session, gone_at, now, display)
        version = -1 if task is None else task.version
        pause = GLANCE if deadline is None else min(GLANCE, deadline - now)
        pump_until(session, pause, partial(_differs, session, id_, version))


def _gone(session: Session, since: float | None, now: float, display: Display) -> float | None:
    """Return since when the broker is gone.

    Raises:
        Unreachable: That is too long.
    """
    broker = session.state.broker
    if broker.phase == "live":
        return None
    if since is None:
        display.note("the broker is lost; trying to reach it again")
        return now
    if now - since >= GONE_AFTER:
        why = broker.fault or "it does not answer any more"
        raise Unreachable(f"the broker {broker.url} was lost: {why}")
    return since


def _task(session: Session, id_: str) -> Task | None:
    return session.state.tasks.get(id_)


def _has_ended(session: Session, id_: str) -> bool:
    task = _task(session, id_)
    return task is not None and task.finished


def _differs(session: Session, id_: str, version: int) -> bool:
    task = _task(session, id_)
    return task is not None and task.version != version


def _tell_nowhere(id_: str, search: TaskLookup | None) -> None:
    stderr.say(f"no place knows {id_}")
    for one in search.looked if search is not None else ():
        stderr.say(f"  {one.place}: {one.text}")
