"""`celtop control`: tell workers what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

import click

from ..consumers import pausing, resuming
from ..exit_codes import Misuse
from ..options import Group, settings_of
from ..run_operation import RunOptions, acting, carry_out, cluster_of, tell
from ..time_limits import UNCHANGED, read_seconds, time_limits
from ..workers import addressed, optionally_addressed, workers

if TYPE_CHECKING:
    from ...cluster.session import Session
    from ...model.operations.commands import AnyOperation

Patterns: TypeAlias = tuple[str, ...]
RATE: Final = re.compile(r"\d+(\.\d+)?(/[smh])?")
"""What `celery.utils.time.rate` reads."""


class Controls(Group):
    """The commands, also as `celery control` calls them: `pool_grow`, `rate_limit`."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by either name."""
        return super().get_command(ctx, cmd_name.replace("_", "-").removeprefix("pool-"))


@click.group(cls=Controls, no_args_is_help=False, short_help="Tell workers what to do.")
def control() -> None:
    """Tell workers what to do: all that were named answer, and each answer is told.

    What is set holds until the worker restarts. The names of `celery control` are understood too:
    pool_grow, rate_limit, --destination.
    """


def _do(ctx: click.Context, manner: RunOptions, plan: Callable[[Session], AnyOperation]) -> int:
    with cluster_of(settings_of(ctx), manner) as session:
        outcome = carry_out(session, plan(session), manner)
    return tell(outcome, manner)


@control.command(short_help="Add processes to pools.")
@click.argument("number", type=click.IntRange(1), default=1, metavar="[N]")
@addressed
@acting
@click.pass_context
def grow(ctx: click.Context, number: int, patterns: Patterns, manner: RunOptions) -> int:
    """Add N processes, by default one, to the pools of workers (prefork, gevent, eventlet)."""
    from ...model.operations.commands import PoolGrow

    return _do(ctx, manner, lambda session: PoolGrow(workers=workers(session, patterns), by=number))


@control.command(short_help="Take processes from pools.")
@click.argument("number", type=click.IntRange(1), default=1, metavar="[N]")
@addressed
@acting
@click.pass_context
def shrink(ctx: click.Context, number: int, patterns: Patterns, manner: RunOptions) -> int:
    """Take N processes, by default one, from the pools of workers; what they run ends first."""
    from ...model.operations.commands import PoolShrink

    return _do(
        ctx, manner, lambda session: PoolShrink(workers=workers(session, patterns), by=number)
    )


@control.command(short_help="Restart pools.")
@addressed
@acting
@click.pass_context
def restart(ctx: click.Context, patterns: Patterns, manner: RunOptions) -> int:
    """Restart pools; needs worker_pool_restarts in the workers' configuration."""
    from ...model.operations.commands import PoolRestart

    return _do(ctx, manner, lambda session: PoolRestart(workers=workers(session, patterns)))


@control.command(short_help="Set the bounds of pools that autoscale.")
@click.argument("most", type=click.IntRange(0), metavar="MAX")
@click.argument("least", type=click.IntRange(0), metavar="MIN")
@addressed
@acting
@click.pass_context
def autoscale(
    ctx: click.Context, most: int, least: int, patterns: Patterns, manner: RunOptions
) -> int:
    """Set the bounds of pools that were started with --autoscale."""
    from ...model.operations.commands import Autoscale

    if most < least:
        raise Misuse(f"the largest size comes first: {least} {most}")
    return _do(
        ctx,
        manner,
        lambda session: Autoscale(workers=workers(session, patterns), most=most, least=least),
    )


@control.command("add-consumer", short_help="Have workers consume a queue.")
@click.argument("queue")
@click.option("--exchange", metavar="NAME", help="Default: named like the queue.")
@click.option("--exchange-type", metavar="TYPE", help="Default: direct.")
@click.option("--routing-key", metavar="KEY", help="Default: the queue's name.")
@addressed
@acting
@click.pass_context
def add_consumer(
    ctx: click.Context,
    queue: str,
    exchange: str | None,
    exchange_type: str | None,
    routing_key: str | None,
    patterns: Patterns,
    manner: RunOptions,
) -> int:
    """Have workers consume QUEUE, which is created if need be."""
    from ...model.operations.commands import AddConsumer

    return _do(
        ctx,
        manner,
        lambda session: AddConsumer(
            workers=workers(session, patterns),
            queue=queue,
            exchange=exchange,
            exchange_type=exchange_type,
            routing_key=routing_key,
        ),
    )


@control.command("cancel-consumer", short_help="Have workers consume a queue no more.")
@click.argument("queue")
@addressed
@acting
@click.pass_context
def cancel_consumer(ctx: click.Context, queue: str, patterns: Patterns, manner: RunOptions) -> int:
    """Have workers consume QUEUE no more; what they hold of it they still run."""
    from ...model.operations.commands import CancelConsumer

    return _do(
        ctx,
        manner,
        lambda session: CancelConsumer(workers=workers(session, patterns), queue=queue),
    )


@control.command("rate-limit", short_help="Limit how often a task is started.")
@click.argument("task")
@click.argument("rate")
@addressed
@acting
@click.pass_context
def rate_limit(
    ctx: click.Context, task: str, rate: str, patterns: Patterns, manner: RunOptions
) -> int:
    """Limit how often each worker starts TASK.

    RATE is 10/s, 10/m or 10/h; 0 or none is no limit.
    """
    from ...model.operations.commands import RateLimit

    wanted = "0" if rate.lower() == "none" else rate
    if not RATE.fullmatch(wanted):
        raise Misuse(f"{rate!r} is no rate: 10/s, 10/m, 10/h, or none")
    return _do(
        ctx,
        manner,
        lambda session: RateLimit(workers=workers(session, patterns), task=task, rate=wanted),
    )


@control.command("time-limit", short_help="Limit how long a task may run.")
@click.argument("task")
@click.option("--soft", callback=read_seconds, default=UNCHANGED, metavar="S",
              help="SoftTimeLimitExceeded is raised in it after S seconds, or none.")  # fmt: skip
@click.option("--hard", callback=read_seconds, default=UNCHANGED, metavar="S",
              help="Its process is killed after S seconds, or none.")  # fmt: skip
@addressed
@acting
@click.pass_context
def time_limit(
    ctx: click.Context,
    task: str,
    soft: float | str | None,
    hard: float | str | None,
    patterns: Patterns,
    manner: RunOptions,
) -> int:
    """Limit how long TASK may run. A limit that is not given keeps its present value."""
    if soft == hard == UNCHANGED:
        raise Misuse("say --soft S, --hard S or both; none removes a limit")
    return _do(
        ctx,
        manner,
        lambda session: time_limits(session, task, workers(session, patterns), soft, hard),
    )


@control.command(short_help="Ask workers whether they are there.")
@optionally_addressed
@acting
@click.pass_context
def ping(ctx: click.Context, patterns: Patterns, manner: RunOptions) -> int:
    """Ask workers whether they are there; by default all. Nobody is asked before."""
    from ...model.operations.commands import Ping

    quiet = manner._replace(yes=True)
    return _do(ctx, quiet, lambda session: Ping(workers=workers(session, patterns)))


@control.command(short_help="Have workers send a heartbeat now.")
@optionally_addressed
@acting
@click.pass_context
def heartbeat(ctx: click.Context, patterns: Patterns, manner: RunOptions) -> int:
    """Have workers send a heartbeat now; by default all. Nobody is asked before."""
    from ...model.operations.commands import Heartbeat

    quiet = manner._replace(yes=True)
    return _do(ctx, quiet, lambda session: Heartbeat(workers=workers(session, patterns)))


@control.command("enable-events", short_help="Have workers send task events.")
@optionally_addressed
@acting
@click.pass_context
def enable_events(ctx: click.Context, patterns: Patterns, manner: RunOptions) -> int:
    """Have workers send task events; by default all."""
    from ...model.operations.commands import EnableEvents

    return _do(ctx, manner, lambda session: EnableEvents(workers=workers(session, patterns)))


@control.command("disable-events", short_help="Have workers send no task events.")
@addressed
@acting
@click.pass_context
def disable_events(ctx: click.Context, patterns: Patterns, manner: RunOptions) -> int:
    """Have workers send no task events: every monitor goes blind.

    A celtop that is open elsewhere does not turn them on again, one that is opened later does,
    unless it is told --no-enable-events.
    """
    from ...model.operations.commands import DisableEvents

    return _do(ctx, manner, lambda session: DisableEvents(workers=workers(session, patterns)))


@control.command(short_help="End workers warmly.")
@addressed
@acting
@click.pass_context
def shutdown(ctx: click.Context, patterns: Patterns, manner: RunOptions) -> int:
    """End workers warmly: what they run ends first, what they hold goes back to the queue."""
    from ...model.operations.commands import Shutdown

    return _do(ctx, manner, lambda session: Shutdown(workers=workers(session, patterns)))


@control.command(short_help="Take no new tasks, end the rest, shut down.")
@addressed
@acting
@click.pass_context
def drain(ctx: click.Context, patterns: Patterns, manner: RunOptions) -> int:
    """Take no new tasks, wait until nothing runs any more, then shut down.

    Until the last step ctrl-c takes it back: the workers consume again what they consumed.
    """
    from ...model.operations.commands import Drain

    return _do(ctx, manner, lambda session: Drain(workers=workers(session, patterns)))


@control.command(short_help="Have all workers stop consuming a queue.")
@click.argument("queue")
@acting
@click.pass_context
def pause(ctx: click.Context, queue: str, manner: RunOptions) -> int:
    """Have all workers stop consuming QUEUE; who did, and how, is remembered here."""
    return _do(ctx, manner, lambda session: pausing(session, queue))


@control.command(short_help="Put back who consumed a paused queue.")
@click.argument("queue")
@click.option("--forget", is_flag=True, help="Forget those that do not answer: gone for good.")
@acting
@click.pass_context
def resume(ctx: click.Context, queue: str, forget: bool, manner: RunOptions) -> int:
    """Have the workers that consumed QUEUE before it was paused consume it again, as they did."""
    return _do(ctx, manner, lambda session: resuming(session, queue, forget))
