"""The steps of all commands that change the cluster: confirm, run, follow, report the outcome.

The targets are frozen in the operation before it is confirmed; `cluster/control.py` decides whether
it is allowed.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from ...model.text.sanitize import visible
from ..exit_codes import ExitCode
from ..output import stderr
from ..output.schema import schema_option
from ..output.status_line import clear_status_line, status_line
from ..output.stdout import write, write_lines
from ..session import CONNECT_TIMEOUT, connect, open_session, pump_until, wait_for_broker
from .ask import ask, confirmation_lines, require_terminal

if TYPE_CHECKING:
    from ...cluster.control import RunningOperation
    from ...cluster.session import Session
    from ...model.confirm.dispatch import Confirmation
    from ...model.operations.commands import Operation
    from ...model.operations.outcome import Outcome
    from ...settings import Settings

FIRST_WORKER_TIMEOUT: Final = 2.0
"""Further seconds for a first heartbeat if no worker has replied."""
PROGRESS_INTERVAL: Final = 0.1
"""Seconds between two progress lines."""
CANCEL_TIMEOUT: Final = 10.0
"""Seconds after ctrl-c for the operation to end in a clean state."""
MIN_TASKS: Final = 100_000
"""Tasks that the model can hold at least: as many as a filter can match."""
PROOF_TIMEOUT: Final = 0.9
"""Seconds after which the operation is not waited for if nothing proved that the connection works.
"""
OUTCOME_TIMEOUT: Final = 0.3
"""Seconds for the operation's own outcome after the connection was lost."""


class RunOptions(NamedTuple):
    """The options that all operations have."""

    yes: bool = False
    """Whether to skip the confirmation."""
    dry_run: bool = False
    """Whether to show the operation without running it."""
    as_json: bool = False
    """Whether to print JSON on stdout."""


def operation_options(function: Callable[..., int]) -> Callable[..., int]:
    """Add --yes, --dry-run and --json to a command, which gets them as `options`."""

    @click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
    @click.option("--dry-run", is_flag=True, help="Show what would be done without doing it.")
    @click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
    @schema_option("outcome")
    @functools.wraps(function)
    def command(*arguments: object, **values: Any) -> int:
        options = RunOptions(*(values.pop(name) for name in RunOptions._fields))
        return function(*arguments, options=options, **values)

    return command


@contextlib.contextmanager
def connected(
    settings: Settings,
    options: RunOptions,
    *,
    enable_events: bool = False,
    workers_needed: bool = True,
) -> Iterator[Session]:
    """Open a session, and wait until its workers are known, if they are needed.

    Most operations need no task events, so workers that send none are left so by default.

    Raises:
        InvalidUsage: A confirmation is needed, and there is no terminal.
        BrokerUnreachable: The broker does not reply.
    """
    if not (options.yes or options.dry_run or settings.read_only):
        require_terminal()
    changes = {
        "enable_events": enable_events and settings.enable_events,
        "max_tasks": max(settings.max_tasks, MIN_TASKS),
    }
    with open_session(settings.model_copy(update=changes)) as session:
        if workers_needed:
            connect(session)
            pump_until(
                session,
                FIRST_WORKER_TIMEOUT,
                lambda: bool(session.state.present_workers(time.time())),
            )
        else:
            wait_for_broker(session, CONNECT_TIMEOUT)
        yield session


def run_operation(session: Session, operation: Operation, options: RunOptions) -> Outcome:
    """Confirm an operation, run it, and wait for its end.

    Raises:
        Exit: It was not run: a dry run, or not confirmed.
        KeyboardInterrupt: ctrl-c; the outcome so far has been reported.
    """
    from ...model.confirm.dispatch import confirm
    from ...model.operations.outcome import Outcome

    now = time.time()
    confirmation = confirm(operation, session.state, now)
    if options.dry_run:
        _print_plan(operation, confirmation, options)
        refused = confirmation.refusal is not None
        raise click.exceptions.Exit(ExitCode.FAILED if refused else ExitCode.OK)
    if operation.read_only or not session.read_only:
        if confirmation.refusal is not None:
            return Outcome(0, operation, now, now, refusal=confirmation.refusal)
        if options.yes:
            for warning in confirmation.warnings:
                stderr.echo_line(warning)
        elif not ask(confirmation):
            stderr.echo("Cancelled; nothing was sent")
            raise click.exceptions.Exit(ExitCode.FAILED)
    return _follow(session, session.do(operation), options)


def print_outcome(outcome: Outcome, options: RunOptions) -> ExitCode:
    """Print the outcome on stdout, and return its exit code."""
    if options.as_json:
        from ...export.outcome import encode

        write(encode(outcome))
    else:
        write_lines(outcome_lines(outcome))
    return exit_code(outcome)


def outcome_lines(outcome: Outcome) -> list[str]:
    """Return a summary, the failures, and the replies to a read-only operation."""
    from ...model.operations.summary import details, replies, sentence

    lines = [*details(outcome), *replies(outcome)]
    return [visible(sentence(outcome)), *(f"  {visible(line)}" for line in lines)]


def exit_code(outcome: Outcome) -> ExitCode:
    """Return OK if every worker and target confirmed, otherwise the exit code of the reason."""
    if outcome.good:
        return ExitCode.OK
    if outcome.refusal is None and outcome.fault is not None:
        return ExitCode.UNREACHABLE
    answers = (*outcome.workers.values(), *outcome.targets.values())
    failed = {answer.verdict for answer in answers} - {"confirmed"}
    return ExitCode.TIMEOUT if failed == {"silent"} else ExitCode.FAILED


def _print_plan(operation: Operation, confirmation: Confirmation, options: RunOptions) -> None:
    if options.as_json:
        from ...export.outcome import encode_plan

        write(encode_plan(operation, confirmation))
        return
    lines = [*confirmation_lines(confirmation), "nothing was sent"]
    if confirmation.refusal is not None:
        lines[-1] = f"this would be refused: {visible(confirmation.refusal)}"
    write_lines([f"dry run: {line}" for line in lines])


def _follow(session: Session, running: RunningOperation, options: RunOptions) -> Outcome:
    from ...model.operations.summary import sentence

    connected = True
    try:
        with status_line() as show:
            while not pump_until(session, PROGRESS_INTERVAL, running.future.done):
                connected = _report_connection(session, connected)
                show(sentence(running.outcome))
    except (KeyboardInterrupt, SystemExit):
        running.cancel()
        _wait_for_end(session, running)
        undone = running.outcome.workers_having("restored")
        stderr.echo(f"Interrupted{'' if undone else '; commands already sent stay in effect'}")
        stderr.echo("\n".join(outcome_lines(running.outcome)))
        if options.as_json:
            print_outcome(running.outcome, options)
        raise
    pump_until(session, PROGRESS_INTERVAL, lambda: True)
    return running.future.result()


def _wait_for_end(session: Session, running: RunningOperation) -> None:
    """Wait until a cancelled operation has ended, as long as the connection works."""
    broker = session.state.broker
    session.prove_connection()
    cancelled_at = time.time()

    def ended() -> bool:
        proved = broker.is_connected and max(broker.event_at, broker.proved_at) > cancelled_at
        timeout = PROOF_TIMEOUT if broker.is_connected else OUTCOME_TIMEOUT
        hopeless = not proved and time.time() - cancelled_at > timeout
        return hopeless or running.future.done()

    pump_until(session, CANCEL_TIMEOUT, ended)
    if not running.future.done():
        session.cut_connections()
        pump_until(session, OUTCOME_TIMEOUT, running.future.done)


def _report_connection(session: Session, connected: bool) -> bool:
    """Report when the broker is lost and when it is back; long operations wait for it."""
    broker = session.state.broker
    now_connected = broker.is_connected or (connected and broker.fault is None)
    if now_connected != connected:
        clear_status_line()
        lost = f"Lost the connection to the broker: {broker.fault}"
        stderr.echo("Reconnected to the broker" if now_connected else lost)
    return now_connected
