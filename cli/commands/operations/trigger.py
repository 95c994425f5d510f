"""`celtop trigger`: sends a new task, and optionally waits for its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...arguments import duration_option, read_args, read_kwargs, read_name, read_time
from ...exit_codes import ExitCode, InvalidUsage
from ...operations.await_result import await_result, print_result, result_code
from ...operations.run import (
    RunOptions,
    connected,
    exit_code,
    operation_options,
    outcome_lines,
    run_operation,
)
from ...options import Command, settings_of
from ...output import stderr
from ...output.stdout import write, write_lines

if TYPE_CHECKING:
    from ....cluster.session import Session
    from ....export.outcome import ResultRecord
    from ....model.operations.outcome import Outcome


@click.command(cls=Command)
@click.argument("name")
@click.option("--args", "args_", default="[]", metavar="JSON",
              help="Positional arguments: a JSON array, @FILE, or - for stdin.")  # fmt: skip
@click.option("--kwargs", default="{}", metavar="JSON",
              help="Keyword arguments: a JSON object, @FILE, or - for stdin.")  # fmt: skip
@click.option("--queue", metavar="NAME", help="The queue to send to (default: see above).")
@click.option("--priority", type=click.IntRange(0, 255), metavar="N",
              help="The priority: 0 (highest) to 9 on Redis, 0 (lowest) to 255 on RabbitMQ."
              )  # fmt: skip
@duration_option(
    "--countdown", zero=True, help="Do not start the task before this delay has passed."
)
@click.option("--eta", metavar="TIME",
              help="Do not start the task before this time: 14:30 or ISO 8601.")  # fmt: skip
@duration_option("--expires", help="Discard the task if it has not started after this long.")
@duration_option("--wait",
              help="Wait up to this long for the result and print it as JSON.")  # fmt: skip
@operation_options
@click.pass_context
def trigger(
    ctx: click.Context,
    name: str,
    args_: str,
    kwargs: str,
    queue: str | None,
    priority: int | None,
    countdown: float | None,
    eta: str | None,
    expires: float | None,
    wait: float | None,
    options: RunOptions,
) -> int:
    """Send a new task and print its id.

    NAME is the name of the task. Without --queue, the queue is the route in the app of -A,
    otherwise the only queue where tasks with this name were seen, or the only queue of the workers
    that have registered the task.

    With --wait the result is printed instead of the id. The exit code is 0 if the task succeeded, 1
    if it failed or was revoked, 4 if it did not finish in time. If the result backend cannot be
    read, the text in the task's event is printed instead.
    """
    import msgspec

    from ....model.operations.call import Call
    from ....model.operations.commands import Trigger

    if countdown is not None and eta is not None:
        raise InvalidUsage("Pass either --countdown or --eta, not both")
    if args_ == kwargs == "-":
        raise InvalidUsage("--args and --kwargs cannot both be read from stdin")
    call = Call(
        read_name("NAME", name), read_args(args_), read_kwargs(kwargs),
        None if queue is None else read_name("--queue", queue), priority, countdown,
        None if eta is None else read_time(eta), expires,
    )  # fmt: skip
    with connected(settings_of(ctx), options, enable_events=wait is not None) as session:
        if call.queue is None:
            call = msgspec.structs.replace(call, queue=_queue(session, call.name))
        outcome = run_operation(session, Trigger(calls=(call,)), options)
        if wait is None or not outcome.sent or exit_code(outcome) != ExitCode.OK:
            return _print_sent(outcome, options)
        if not options.as_json:
            stderr.echo("\n".join(outcome_lines(outcome)))
        result = _await_result(session, outcome, wait, options)
    if options.as_json:
        from ....export.outcome import encode

        write(encode(outcome, result))
        return result_code(result)
    return print_result(result)


def _queue(session: Session, name: str) -> str:
    """Return the queue that tasks of this name are sent to.

    Raises:
        InvalidUsage: It is unknown, or there are several.
    """
    from ....model.confirm.targets import known_queues
    from ....model.routing import routing

    settings = session.settings
    known = routing(session.state, settings.routes, settings.default_queue)
    if (found := known.queue(name)) is not None:
        return found.name
    candidates = known.candidates(name) or known_queues(session.state)
    listed = f"; known queues: {', '.join(candidates)}" if candidates else ""
    raise InvalidUsage(f"Cannot determine the queue of {name}; set it with --queue NAME{listed}")


def _await_result(
    session: Session, outcome: Outcome, seconds: float, options: RunOptions
) -> ResultRecord | None:
    """Return the result of the task that was sent; None if it has not finished in time."""
    try:
        result = await_result(session, outcome.sent[0].id, seconds)
    except (KeyboardInterrupt, SystemExit):
        # The task has been sent: its id must not be lost.
        if options.as_json:
            _print_sent(outcome, options)
        raise
    broker = session.state.broker
    if result is None and not broker.is_connected and broker.fault is not None:
        stderr.echo(f"Lost the connection to the broker: {broker.fault}")
    return result


def _print_sent(outcome: Outcome, options: RunOptions) -> ExitCode:
    if options.as_json:
        from ....export.outcome import encode

        write(encode(outcome))
    else:
        write_lines([one.id for one in outcome.sent])
        stderr.echo("\n".join(outcome_lines(outcome)))
    return exit_code(outcome)
