"""`celtop control`: remote-control commands for workers, each declared in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import click

from ....model.text import parse
from ...exit_codes import InvalidUsage
from ...operations.run import RunOptions, connected, operation_options, print_outcome, run_operation
from ...operations.time_limits import UNCHANGED, read_limit, time_limits
from ...options import DURATION, Group, settings_of
from ...targets.consumers import pause_operation, resume_operation
from ...targets.workers import optional_worker_option, resolve_workers, worker_options

if TYPE_CHECKING:
    from ....cluster.session import Session
    from ....model.operations.commands import Operation

Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]


class Control(Group):
    """The commands, also under the names of `celery control`: `pool_grow`, `rate_limit`."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by either name."""
        return super().get_command(ctx, cmd_name.replace("_", "-").removeprefix("pool-"))


@click.group(cls=Control, no_args_is_help=False)
def control() -> None:
    """Send a control command to workers and report each reply.

    Changes last until the worker restarts. The names used by `celery control` also
    work: pool_grow, rate_limit, --destination.
    """


def _run(ctx: click.Context, options: RunOptions, make: Callable[[Session], Operation]) -> int:
    with connected(settings_of(ctx), options) as session:
        outcome = run_operation(session, make(session), options)
    return print_outcome(outcome, options)


class WorkerCommand(NamedTuple):
    """A command that makes an operation of the workers addressed and of its own parameters."""

    name: str
    operation: str
    """The operation's class in `model/operations/commands.py`, imported when the command runs."""
    help: str
    fields: tuple[Decorator, ...] = ()
    """Arguments and options, each named after a field of the operation."""
    default_all: bool = False
    """Whether all workers are addressed if none is named, instead of refusing."""
    confirm: bool = True
    """Whether to ask for confirmation."""

    def add_to(self, group: click.Group) -> None:
        """Add the command to a group."""

        def command(
            ctx: click.Context, options: RunOptions, patterns: tuple[str, ...], **fields: object
        ) -> int:
            from ....model.operations import commands

            struct = getattr(commands, self.operation)
            return _run(
                ctx,
                options if self.confirm else options._replace(yes=True),
                lambda session: struct(workers=resolve_workers(session, patterns), **fields),
            )

        function: Callable[..., Any] = operation_options(click.pass_context(command))
        function = (optional_worker_option if self.default_all else worker_options)(function)
        for field in reversed(self.fields):
            function = field(function)
        group.command(self.name, help=self.help)(function)


def _rate(ctx: click.Context, option: click.Parameter, value: str) -> str:
    try:
        # Empty text, `"$RATE"` with RATE unset, must not remove the limit.
        return parse.rate(value or "?")
    except parse.ParseError as error:
        raise click.BadParameter(str(error), ctx, option) from None


def _minimum(ctx: click.Context, option: click.Parameter, value: int) -> int:
    if value > ctx.params["most"]:
        raise click.BadParameter("MIN must not be greater than MAX, which is first", ctx, option)
    return value


_N: Final = click.argument("by", type=click.IntRange(1), default=1, metavar="[N]")
_MAX: Final = click.argument("most", type=click.IntRange(0), metavar="MAX")
_MIN: Final = click.argument("least", type=click.IntRange(0), metavar="MIN", callback=_minimum)
_QUEUE: Final = click.argument("queue")
_TASK: Final = click.argument("task")
_RATE: Final = click.argument("rate", callback=_rate)
_EXCHANGE: Final = click.option("--exchange", metavar="NAME", help="Default: the queue's name.")
_TYPE: Final = click.option("--exchange-type", metavar="TYPE", help="Default: direct.")
_KEY: Final = click.option("--routing-key", metavar="KEY", help="Default: the queue's name.")

WORKER_COMMANDS: Final = (
    WorkerCommand("grow", "PoolGrow", "Grow pools by N processes (default: 1).\n\n"
                  "Supported by prefork, gevent and eventlet pools.", (_N,)),
    WorkerCommand("shrink", "PoolShrink", "Shrink pools by N processes (default: 1).\n\n"
                  "Running tasks finish first.", (_N,)),
    WorkerCommand("restart", "PoolRestart", "Restart pools.\n\n"
                  "Requires worker_pool_restarts in the workers' configuration."),
    WorkerCommand("autoscale", "Autoscale",
                  "Set the limits of pools started with --autoscale.", (_MAX, _MIN)),
    WorkerCommand("add-consumer", "AddConsumer", "Start consuming a queue, creating it if needed.",
                  (_QUEUE, _EXCHANGE, _TYPE, _KEY)),
    WorkerCommand("cancel-consumer", "CancelConsumer", "Stop consuming a queue.\n\n"
                  "Tasks that workers have already received still run.", (_QUEUE,)),
    WorkerCommand("rate-limit", "RateLimit", "Limit how often each worker starts TASK.\n\n"
                  "RATE is 10/s, 10/m or 10/h; 0 or none removes the limit.", (_TASK, _RATE)),
    WorkerCommand("ping", "Ping", "Ping workers (default: all).", default_all=True, confirm=False),
    WorkerCommand("report", "Report",
                  "Show versions and settings of workers (default: all).",
                  default_all=True, confirm=False),
    WorkerCommand("memdump", "Memdump", "Show the memory use of workers (default: all).\n\n"
                  "Requires psutil on the workers.", default_all=True, confirm=False),
    WorkerCommand("heartbeat", "Heartbeat", "Make workers send a heartbeat (default: all).",
                  default_all=True, confirm=False),
    WorkerCommand("enable-events", "EnableEvents", "Enable task events (default: on all workers).",
                  default_all=True),
    WorkerCommand("disable-events", "DisableEvents", "Disable task events for all monitors."
                  "\n\nA running celtop does not enable them again; one started later does, unless"
                  " it is started with --events never."),
    WorkerCommand("shutdown", "Shutdown", "Warm shutdown: finish running tasks, then exit.\n\n"
                  "Tasks that have not started return to their queue."),
    WorkerCommand("drain", "Drain", "Finish all received tasks, then shut down.\n\n"
                  "The workers stop consuming first. ctrl-c cancels the drain, and the workers"
                  " consume their queues again."),
)  # fmt: skip

for _command in WORKER_COMMANDS:
    _command.add_to(control)


@control.command("time-limit")
@click.argument("task")
@click.option("--soft", callback=read_limit, default=UNCHANGED, metavar=DURATION,
              help="Raise SoftTimeLimitExceeded after this long, or `none` for no limit."
              )  # fmt: skip
@click.option("--hard", callback=read_limit, default=UNCHANGED, metavar=DURATION,
              help="Kill the process of the task after this long, or `none` for no limit."
              )  # fmt: skip
@worker_options
@operation_options
@click.pass_context
def time_limit(
    ctx: click.Context,
    task: str,
    soft: float | str | None,
    hard: float | str | None,
    patterns: tuple[str, ...],
    options: RunOptions,
) -> int:
    """Limit how long TASK may run.

    A limit that is not given keeps its current value.
    """
    if soft == hard == UNCHANGED:
        raise InvalidUsage("Pass --soft, --hard or both; `none` as a value removes the limit")
    return _run(
        ctx,
        options,
        lambda session: time_limits(session, task, resolve_workers(session, patterns), soft, hard),
    )


@control.command()
@click.argument("queue")
@operation_options
@click.pass_context
def pause(ctx: click.Context, queue: str, options: RunOptions) -> int:
    """Pause a queue: stop all its consumers.

    The list of consumers is saved on this machine for `resume`.
    """
    return _run(ctx, options, lambda session: pause_operation(session, queue))


@control.command()
@click.argument("queue")
@click.option(
    "--forget", is_flag=True, help="Remove consumers that do not reply from the saved list."
)
@operation_options
@click.pass_context
def resume(ctx: click.Context, queue: str, forget: bool, options: RunOptions) -> int:
    """Resume a paused queue with its previous consumers."""
    return _run(ctx, options, lambda session: resume_operation(session, queue, forget))
