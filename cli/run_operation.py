"""What all commands that act share: see who is there, ask, do it, follow it, tell what came of it.

The targets are frozen in the command before the question is put; the door in `cluster/control.py`
has the last word on whether anything is done.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from ..model.text.sanitize import visible
from . import stderr
from .ask import agreed, described, require_terminal
from .exit_codes import ExitCode
from .interrupts import orderly_end
from .session import pump_until, reach, settle, started
from .stdout import write

if TYPE_CHECKING:
    from ..cluster.control import RunningOperation
    from ..cluster.session import Session
    from ..model.confirm.dispatch import Confirmation
    from ..model.operations.commands import AnyOperation
    from ..model.operations.outcome import Outcome
    from ..settings import Settings

REACH_WITHIN: Final = 5.0
"""Seconds for a broker that refuses at first."""
LISTEN_LONGER: Final = 2.0
"""Seconds more in which workers may make themselves known, if nobody has answered."""
GLANCE: Final = 0.1
"""Seconds between two progress lines."""
TAKEN_BACK_WITHIN: Final = 10.0
"""Seconds after ctrl-c for an act to end where nothing is half done."""
CLEARED: Final = "\r\x1b[K"
"""What empties the line on a terminal."""
MOST_TASKS: Final = 100_000
"""Tasks that the model holds at least: more than can be revoked at once."""


class RunOptions(NamedTuple):
    """How a command goes about it."""

    yes: bool = False
    """Whether nobody is asked."""
    dry_run: bool = False
    """Whether it is only told what would be done."""
    as_json: bool = False
    """Whether stdout is for a program."""


def acting(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options that all which act have; it gets them as `manner`."""

    @functools.wraps(function)
    def command(*arguments: object, **options: object) -> int:
        given = [bool(options.pop(name)) for name in RunOptions._fields]
        return function(*arguments, manner=RunOptions(*given), **options)

    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON."),
        click.option("--dry-run", is_flag=True, help="Tell what would be done, and do nothing."),
        click.option("-y", "--yes", is_flag=True, help="Do not ask."),
    ):
        command = option(command)
    return command


@contextlib.contextmanager
def cluster_of(
    settings: Settings, manner: RunOptions, *, enable_events: bool = False
) -> Iterator[Session]:
    """Bring a session up that knows who is there.

    Args:
        settings: Which broker, and how.
        manner: Whether somebody is going to be asked.
        enable_events: Whether task events are switched on at workers, if the settings let it:
            most acts have no use for them.

    Raises:
        Misuse: Somebody is to be asked, and there is no terminal.
        Unreachable: The broker does not answer.
    """
    if not (manner.yes or manner.dry_run or settings.read_only):
        require_terminal()
    changes = {
        "enable_events": enable_events and settings.enable_events,
        "max_tasks": max(settings.max_tasks, MOST_TASKS),
    }
    with orderly_end(), started(settings.model_copy(update=changes)) as session:
        session.refresh()
        reach(session, REACH_WITHIN)
        settle(session)
        pump_until(session, LISTEN_LONGER, lambda: bool(present(session)))
        yield session


def present(session: Session) -> tuple[str, ...]:
    """Return the workers that would hear a command now."""
    return session.state.present_workers(time.time())


def carry_out(session: Session, command: AnyOperation, manner: RunOptions) -> Outcome:
    """Ask, do it, and follow it to its end.

    Raises:
        Exit: Nothing was to be done: a dry run, or the answer was no.
        KeyboardInterrupt: ctrl-c; what was sent stays sent, and was told.
    """
    from ..model.confirm.dispatch import confirm
    from ..model.operations.outcome import Outcome
    from .doubts import doubts

    now = time.time()
    asked = confirm(command, session.state, now)
    if manner.dry_run:
        _tell_plan(command, asked, manner)
        raise click.exceptions.Exit(ExitCode.OK if asked.refusal is None else ExitCode.NO)
    if not session.read_only:
        if asked.refusal is not None:
            return Outcome(0, command, now, now, refusal=asked.refusal)
        if manner.yes:
            for doubt in doubts(command, session.state):
                stderr.say(doubt)
        elif not agreed(asked):
            stderr.say("nothing was done")
            raise click.exceptions.Exit(ExitCode.NO)
    return _follow(session, session.do(command), manner)


def tell(outcome: Outcome, manner: RunOptions) -> ExitCode:
    """Print what came of it on stdout, and return the exit code that says the same."""
    if manner.as_json:
        from ..export.outcome import encode

        write(encode(outcome))
    else:
        write("".join(f"{line}\n" for line in worded(outcome)).encode(errors="backslashreplace"))
    return exit_code(outcome)


def worded(outcome: Outcome) -> list[str]:
    """Return what came of it: a sentence, and a line for everyone who did not confirm.

    Of a ping also for everyone who did: who is there is what was asked.
    """
    from ..model.operations.commands import Ping
    from ..model.operations.summary import details, sentence

    lines = [*details(outcome)]
    if isinstance(outcome.command, Ping):
        there = sorted(outcome.workers_having("confirmed"))
        lines += [f"{name}: {outcome.workers[name].text}" for name in there]
    return [visible(sentence(outcome)), *(f"  {visible(line)}" for line in lines)]


def exit_code(outcome: Outcome) -> ExitCode:
    """Return 0 if everyone confirmed everything, else what kept it from that."""
    if outcome.good:
        return ExitCode.OK
    if outcome.refusal is None and outcome.fault is not None:
        return ExitCode.UNREACHABLE
    answers = (*outcome.workers.values(), *outcome.targets.values())
    bad = {answer.verdict for answer in answers} - {"confirmed"}
    return ExitCode.TIMEOUT if bad == {"silent"} else ExitCode.NO


def _tell_plan(command: AnyOperation, asked: Confirmation, manner: RunOptions) -> None:
    if manner.as_json:
        from ..export.outcome import encode_plan

        write(encode_plan(command, asked))
        return
    lines = [f"dry run: {line}" for line in described(asked)]
    lines.append("dry run: nothing was sent")
    if asked.refusal is not None:
        lines[-1] = f"dry run: this would not be done: {visible(asked.refusal)}"
    write("".join(f"{line}\n" for line in lines).encode(errors="backslashreplace"))


def _follow(session: Session, act: RunningOperation, manner: RunOptions) -> Outcome:
    live = True
    try:
        with _progress() as show:
            while not pump_until(session, GLANCE, act.future.done):
                live = _tell_of_broker(session, live)
                show(act.outcome)
    except (KeyboardInterrupt, SystemExit):
        act.cancel()
        pump_until(session, TAKEN_BACK_WITHIN, act.future.done)
        stderr.say("interrupted: what was sent stays sent")
        for line in worded(act.outcome):
            stderr.say(line)
        if manner.as_json:
            tell(act.outcome, manner)
        raise
    pump_until(session, GLANCE, lambda: True)
    return act.future.result()


def _tell_of_broker(session: Session, live: bool) -> bool:
    """Tell when the broker is lost and when it is back; long acts wait for that."""
    broker = session.state.broker
    present = broker.phase == "live" or (live and broker.fault is None)
    if present != live:
        if sys.stderr.isatty():
            click.echo(CLEARED, nl=False, err=True)
        stderr.say("the broker is back" if present else f"the broker is lost: {broker.fault}")
    return present


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[Outcome], None]]:
    """Keep one line on stderr, if that is a terminal, and clear it at the end."""
    from ..model.operations.summary import sentence

    on_terminal = sys.stderr.isatty()
    width = _width()

    def show(outcome: Outcome) -> None:
        if on_terminal:
            click.echo(f"{CLEARED}{visible(sentence(outcome), width)}", nl=False, err=True)

    try:
        yield show
    finally:
        if on_terminal:
            click.echo(CLEARED, nl=False, err=True)


def _width() -> int:
    import shutil

    return max(20, shutil.get_terminal_size().columns - 1)
