"""`celtop snapshot`: listen for a while, ask everyone once more, print what is known."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from . import narration
from .ending import orderly_end
from .exit_codes import ExitCode, Unreachable
from .options import Command, settings_of
from .output import write

if TYPE_CHECKING:
    from ..cluster.session import Session
    from ..export.records import Snapshot

ANSWER_PATIENCE: Final = 4.0
"""Seconds beyond `--wait` for a broker that neither answers nor refuses."""
LAST_ROUND: Final = 3.0
"""Seconds at most for the last answers of workers and queues."""
BUDGET: Final = 0.05
"""Seconds that applying what came in may take before the deadline is looked at."""
PAUSE: Final = 0.02
"""Seconds between two looks at the inbox."""
STOP_WITHIN: Final = 1.0
UNKNOWN_WIDTH: Final = (120, 24)
"""Columns and rows where no terminal tells."""


@click.command(cls=Command)
@click.option(
    "--format", "form", type=click.Choice(["json", "text", "svg"]), default="text",
    show_default=True,
)  # fmt: skip
@click.option(
    "--wait", type=click.FloatRange(0, 86_400), default=2.0, show_default=True, metavar="S",
    help="Listen for S seconds from when the broker answers.",
)  # fmt: skip
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Write to FILE instead of stdout.",
)  # fmt: skip
@click.option(
    "--limit", type=click.IntRange(0), default=50, show_default=True, metavar="N",
    help="Tasks shown in text and SVG, the newest; JSON holds all.",
)  # fmt: skip
@click.pass_context
def snapshot(ctx: click.Context, form: str, wait: float, output: Path | None, limit: int) -> int:
    """Print the cluster's state once: workers, queues and tasks.

    Whatever happens while it listens is in it, also on workers that had task events off.
    """
    settings = settings_of(ctx)
    from ..cluster.session import Session

    session = Session(settings)
    with orderly_end():
        try:
            session.start()
            reach(session, wait)
            listen(session, wait)
            ask_all(session)
            taken = _take(session)
        finally:
            session.stop(STOP_WITHIN)
    write(_encode(taken, form, limit), output)
    if session.state.broker.phase == "live":
        return ExitCode.OK
    narration.say(f"the broker was lost meanwhile: {session.state.broker.fault}")
    return ExitCode.UNREACHABLE


def pump_until(session: Session, seconds: float, done: Callable[[], bool]) -> bool:
    """Apply what comes in until `done` is true or the time is over; tell which."""
    deadline = time.monotonic() + seconds
    second = 0
    while True:
        now = time.time()
        more = session.pump(now, BUDGET).more
        if int(now) != second:
            second = int(now)
            session.state.tick(now)
        if not more and done():
            return True
        if time.monotonic() >= deadline:
            return False
        if not more:
            time.sleep(PAUSE)


def reach(session: Session, wait: float) -> None:
    """Wait for the broker to answer.

    Raises:
        Unreachable: It refuses for as long as we were to listen, or stays silent for longer.
    """
    broker = session.state.broker
    if pump_until(session, wait, lambda: broker.phase == "live"):
        return
    if broker.fault is None:
        pump_until(session, ANSWER_PATIENCE, lambda: broker.phase == "live" or bool(broker.fault))
    if broker.phase != "live":
        why = broker.fault or "it accepts connections, but does not answer"
        raise Unreachable(f"cannot reach the broker {broker.url}: {why}")


def listen(session: Session, wait: float) -> None:
    """Listen for `wait` seconds."""
    pump_until(session, wait, lambda: False)


def ask_all(session: Session) -> None:
    """Ask workers and queues once more, so that the numbers are those of the end."""
    session.refresh()
    pump_until(session, LAST_ROUND, lambda: session.refreshed)
    pump_until(session, LAST_ROUND, lambda: not session.backlog)


def _take(session: Session) -> Snapshot:
    from ..export.snapshot import take

    return take(session.state, time.time())


def _encode(taken: Snapshot, form: str, limit: int) -> bytes:
    if form == "json":
        from ..export.json import encode

        return encode(taken)
    width = shutil.get_terminal_size(UNKNOWN_WIDTH).columns
    if form == "svg":
        from ..export.svg import render
    else:
        from ..export.text import render
    return render(taken, width, limit).encode()
