"""`celtop revoke`: revokes tasks that have not started, or terminates running ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import click

from ...arguments import duration_option
from ...exit_codes import InvalidUsage
from ...operations.run import RunOptions, connected, operation_options, print_outcome, run_operation
from ...options import Command, settings_of
from ...targets.selection import (
    discover_tasks,
    eligible_ids,
    matching_tasks,
    read_definite_filter,
    read_ids,
    selected_ids,
    workflow_tasks,
)
from ...targets.short_ids import full_ids
from ...targets.workers import resolve_workers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ....cluster.session import Session
    from ....model.confirm.targets import Selection
    from ....model.entities.task import Task
    from ....model.operations.commands import Operation, Signal
    from ....model.query.language import Query

SIGNALS: Final = ("SIGTERM", "SIGKILL", "SIGQUIT", "SIGUSR1")


def _signal(ctx: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Return a signal's full name, given in any case, with or without `SIG`."""
    if value is None:
        return None
    name = f"SIG{value.upper().removeprefix('SIG')}"
    if name not in SIGNALS:
        raise click.BadParameter(f"{value!r} is not one of {', '.join(SIGNALS)}", ctx, option)
    return name


@click.command(cls=Command)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--terminate", is_flag=True, help="Also terminate running tasks.")
@click.option("--signal", callback=_signal, metavar="NAME",
              help="Signal for prefork processes: SIGTERM (default), SIGKILL, SIGQUIT or SIGUSR1."
              )  # fmt: skip
@click.option("--filter", "query", metavar="FILTER",
              help="Revoke matching tasks, e.g. 'name:geo.* state:received'.")  # fmt: skip
@click.option("--workflow", metavar="ID",
              help="Revoke the workflow with this root id, group id or task id.")  # fmt: skip
@click.option("--stamp", "stamps", multiple=True, metavar="HEADER=VALUE",
              help="Revoke tasks with this stamp, including future ones; repeatable.")  # fmt: skip
@duration_option("--wait", zero=True, default="0",
              help="Listen for events this long before applying the filter.")  # fmt: skip
@operation_options
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
    options: RunOptions,
) -> int:
    """Revoke tasks: workers will skip them.

    Use - as ID to read ids from stdin. Finished tasks are skipped.

    --terminate also terminates running tasks: in prefork pools with a signal, in gevent and
    eventlet pools without one. The threads and solo pools do not support it.

    --filter searches the tasks held by workers and, on Redis, the messages waiting in queues.
    """
    if sum((bool(ids), query is not None, workflow is not None, bool(stamps))) != 1:
        raise InvalidUsage("Pass one of: task ids, --filter, --workflow, --stamp")
    if signal is not None and not terminate:
        raise InvalidUsage("--signal requires --terminate")
    ids = read_ids(ids)
    settings = settings_of(ctx)
    parsed = None if query is None else read_definite_filter(query, settings)
    stamp = _stamp(stamps)
    chosen = cast("Signal", signal or "SIGTERM")
    with connected(settings, options) as session:
        from ....model.operations.commands import Revoke, RevokeStamped

        workers = resolve_workers(session)
        operation: Operation
        if stamp is not None:
            operation = RevokeStamped(
                header=stamp[0], values=stamp[1], workers=workers,
                terminate=terminate, signal=chosen,
            )  # fmt: skip
        else:
            targets = _targets(session, ids, parsed, workflow, terminate, wait)
            operation = Revoke(ids=targets, workers=workers, terminate=terminate, signal=chosen)
        return print_outcome(run_operation(session, operation, options), options)


def _targets(
    session: Session,
    ids: tuple[str, ...],
    query: Query | None,
    workflow: str | None,
    terminate: bool,
    wait: float,
) -> tuple[str, ...]:
    """Return the ids of the tasks to revoke.

    Raises:
        CommandError: There are none.
    """
    from ....model.confirm.targets import revocable, terminable

    def choose(tasks: Iterable[Task]) -> Selection:
        return terminable(session.state, tasks) if terminate else revocable(tasks)

    if ids:
        return eligible_ids(session, full_ids(session, ids), choose)
    discover_tasks(session, wait)
    if workflow is not None:
        tasks = choose(workflow_tasks(session, workflow))
        return selected_ids(tasks, f"No task of workflow {workflow} left to revoke")
    assert query is not None
    return selected_ids(
        choose(matching_tasks(session, query)), "No task that can be revoked matches the filter"
    )


def _stamp(stamps: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
    """Return the header and the values of several `HEADER=VALUE`.

    Raises:
        InvalidUsage: One is not such a pair, or the headers differ.
    """
    if not stamps:
        return None
    pairs = [stamp.partition("=")[::2] for stamp in stamps]
    if not all(header and value for header, value in pairs):
        raise InvalidUsage("--stamp must be HEADER=VALUE")
    headers = {header for header, _ in pairs}
    if len(headers) > 1:
        raise InvalidUsage("All --stamp options must have the same header")
    return headers.pop(), tuple(value for _, value in pairs)
