"""`celtop revoke`: have workers skip tasks, or end those that run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, cast

import click

from ..exit_codes import Misuse
from ..options import Command, settings_of
from ..run_operation import RunOptions, acting, carry_out, cluster_of, tell
from ..selection import kept, look_around, matching, members, named, read_filter, read_ids
from ..workers import workers

if TYPE_CHECKING:
    from ...cluster.session import Session
    from ...model.confirm.targets import Selection
    from ...model.entities.task import Task
    from ...model.operations.commands import AnyOperation, Signal
    from ...model.query.language import Query

ONE_OF: Final = "say which tasks: by ID..., by --filter, by --workflow or by --stamp"
SIGNALS: Final = ("SIGTERM", "SIGKILL", "SIGQUIT", "SIGUSR1")


def _signal(ctx: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Return a signal as Celery wants it, given in any case, with or without its `SIG`."""
    if value is None:
        return None
    name = value.upper()
    name = name if name.startswith("SIG") else f"SIG{name}"
    if name not in SIGNALS:
        raise click.BadParameter(f"{value!r} is none of {', '.join(SIGNALS)}", ctx, option)
    return name


@click.command(cls=Command, short_help="Have workers skip tasks, or end those that run.")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--terminate", is_flag=True, help="Also end those that run.")
@click.option(
    "--signal", callback=_signal, metavar="S",
    help=f"What ends a prefork process: {', '.join(SIGNALS)}. [default: SIGTERM]",
)  # fmt: skip
@click.option(
    "--filter", "query", metavar="QUERY",
    help="All that match, as on the screen: 'name:geo.* state:received'.",
)  # fmt: skip
@click.option("--workflow", metavar="ID", help="All of a workflow: its root, its group or a task.")
@click.option(
    "--stamp", "stamps", multiple=True, metavar="HEADER=VALUE",
    help="All that carry a stamp, also those sent later; repeated for several values.",
)  # fmt: skip
@click.option(
    "--wait", type=click.FloatRange(0, 3600), default=0.0, metavar="S",
    help="Listen for S seconds before the filter is applied.",
)  # fmt: skip
@acting
@click.pass_context
def revoke(
    ctx: click.Context,
    ids: tuple[str, ...],
    terminate: bool,
    signal: str | None,
    query: str | None,
    workflow: str | None,
    stamps: tuple[str, ...],
    wait: float,
    manner: RunOptions,
) -> int:
    """Have workers skip tasks that have not started.

    An ID of `-` stands for ids on stdin. With --terminate, those that run are ended too, where
    the pool can: prefork by the signal, gevent and eventlet without; threads and solo cannot.
    Tasks that have ended are left alone.

    A filter finds what workers hold and, on Redis, all that waits in the queues.
    """
    if sum((bool(ids), query is not None, workflow is not None, bool(stamps))) != 1:
        raise Misuse(ONE_OF)
    if signal is not None and not terminate:
        raise Misuse("--signal goes with --terminate: nothing else sends one")
    wanted = read_ids(ids)
    parsed = None if query is None else read_filter(query)
    headers = _stamps(stamps)
    settings = settings_of(ctx)
    chosen = cast("Signal", signal or "SIGTERM")
    with cluster_of(settings, manner) as session:
        command: AnyOperation
        if headers is not None:
            from ...model.operations.commands import RevokeStamped

            command = RevokeStamped(
                header=headers[0], values=headers[1], workers=workers(session),
                terminate=terminate, signal=chosen,
            )  # fmt: skip
        else:
            from ...model.operations.commands import Revoke

            who = workers(session)
            targets = _targets(session, wanted, parsed, workflow, terminate, wait)
            command = Revoke(ids=targets, workers=who, terminate=terminate, signal=chosen)
        return tell(carry_out(session, command, manner), manner)


def _targets(
    session: Session,
    ids: tuple[str, ...],
    query: Query | None,
    workflow: str | None,
    terminate: bool,
    wait: float,
) -> tuple[str, ...]:
    """Freeze the ids.

    Raises:
        NothingFound: There are none to which it can be done.
    """
    choose = _choice(session, terminate)
    if ids:
        return named(session, ids, choose)
    look_around(session, wait)
    if workflow is not None:
        return kept(choose(members(session, workflow)), f"of the workflow {workflow} is left")
    assert query is not None
    return kept(choose(matching(session, query)), "matches that could be revoked")


def _choice(session: Session, terminate: bool) -> Callable[[Iterable[Task]], Selection]:
    from ...model.confirm.targets import revocable, terminable

    return (lambda tasks: terminable(session.state, tasks)) if terminate else revocable


def _stamps(stamps: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
    """Return the header and the values of `HEADER=VALUE`.

    Raises:
        Misuse: One is no such pair, or they name several headers.
    """
    if not stamps:
        return None
    pairs = [stamp.partition("=")[::2] for stamp in stamps]
    if not all(header and value for header, value in pairs):
        raise Misuse("--stamp wants HEADER=VALUE")
    headers = {header for header, _ in pairs}
    if len(headers) > 1:
        raise Misuse("--stamp: one header at a time; several values of it may be given")
    return headers.pop(), tuple(value for _, value in pairs)
