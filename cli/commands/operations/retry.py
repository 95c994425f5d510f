"""`celtop retry`: sends tasks again exactly as they were sent, or reports why it cannot."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from ...arguments import duration_option, read_name
from ...exit_codes import CommandError, InvalidUsage
from ...operations.run import (
    RunOptions,
    connected,
    exit_code,
    operation_options,
    outcome_lines,
    print_outcome,
    run_operation,
)
from ...options import Command, settings_of
from ...output import stderr
from ...output.stdout import write_lines
from ...session import wait_for
from ...targets.selection import discover_tasks, matching_tasks, read_definite_filter, read_ids
from ...targets.short_ids import full_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ....cluster.session import Session
    from ....model.operations.call import Recovered, SentTask
    from ....model.operations.commands import Retry
    from ....model.operations.outcome import Outcome
    from ....model.query.language import Query


@click.command(cls=Command)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--filter", "query", metavar="FILTER",
              help="Retry matching tasks, e.g. 'state:failure name:geo.*'.")  # fmt: skip
@click.option("--with-links", is_flag=True, help="Include callbacks and the rest of the chain.")
@click.option("--queue", metavar="NAME", help="Send to this queue instead of the original one.")
@duration_option("--wait", zero=True, default="0",
              help="Listen for events this long before applying the filter.")  # fmt: skip
@operation_options
@click.pass_context
def retry(
    ctx: click.Context,
    ids: tuple[str, ...],
    query: str | None,
    with_links: bool,
    queue: str | None,
    wait: float,
    options: RunOptions,
) -> int:
    """Send tasks again with the same arguments and new ids.

    Use - as ID to read ids from stdin. Prints the old and the new id of each task sent.

    The arguments are taken from the message in the queue, the worker, the result backend (with
    result_extended, or django-db) or, if not truncated, the task's event. A task whose exact
    arguments cannot be found is not sent.

    The queue is the one in the message or the events, otherwise the route in the app of -A, or the
    only queue of the workers that have registered the task.
    """
    if bool(ids) == (query is not None):
        raise InvalidUsage("Pass either task ids or --filter")
    ids = read_ids(ids)
    settings = settings_of(ctx)
    parsed = None if query is None else read_definite_filter(query, settings)
    if queue is not None:
        queue = read_name("--queue", queue)
    with connected(settings, options) as session:
        from ....model.operations.commands import Retry

        if parsed is not None:
            ids = _matching(session, parsed, wait)
        ids = full_ids(session, ids)
        recovered = wait_for(
            session, session.lookups.recover_calls(ids, for_retry=True), "the original messages"
        )
        originals, refused = _sendable(recovered, queue)
        for id_, reason in refused.items():
            stderr.echo(f"{id_}: refused: {reason}")
        operation = Retry(originals=originals, with_links=with_links)
        if originals:
            sent = run_operation(session, operation, options)
        else:
            refusal = "the arguments of all tasks are unknown or incomplete"
            sent = _outcome_of_none(operation, refusal)
    outcome = _with_refused(sent, refused)
    if options.as_json:
        return print_outcome(outcome, options)
    write_lines([f"{one.retry_of} {one.id}" for one in sent.sent])
    # The refused tasks have been listed above.
    lines = outcome_lines(sent) if originals else [f"Nothing was sent: {sent.refusal}"]
    stderr.echo("\n".join(lines))
    return exit_code(outcome)


def _matching(session: Session, query: Query, wait: float) -> tuple[str, ...]:
    discover_tasks(session, wait, finished=query)
    found = tuple(task.id for task in matching_tasks(session, query))
    if not found:
        raise CommandError("No task matches the filter")
    return found


def _sendable(
    recovered: tuple[Recovered, ...], queue: str | None
) -> tuple[tuple[SentTask, ...], dict[str, str]]:
    """Return the tasks that can be sent, and the reasons against the others by id."""
    import msgspec

    from ....model.operations.call import SOURCE_NAMES, Unrecoverable

    originals: list[SentTask] = []
    refused: dict[str, str] = {}
    for one in recovered:
        if isinstance(one, Unrecoverable):
            refused[one.id] = one.reason
            continue
        if queue is not None:
            call = msgspec.structs.replace(one.call, queue=queue)
            one = msgspec.structs.replace(one, call=call, queue_reason=None)
        if one.call.queue is None:
            refused[one.id] = "its queue is unknown; set one with --queue"
            continue
        unknown = f"; unknown: {', '.join(one.missing)}" if one.missing else ""
        place = f"; queue from {one.queue_reason}" if one.queue_reason else ""
        stderr.echo(f"{one.id}: arguments from {SOURCE_NAMES[one.source]}{place}{unknown}")
        originals.append(one)
    return tuple(originals), refused


def _outcome_of_none(operation: Retry, refusal: str) -> Outcome:
    from ....model.operations.outcome import Outcome

    now = time.time()
    return Outcome(0, operation, now, now, refusal=refusal)


def _with_refused(outcome: Outcome, refused: Mapping[str, str]) -> Outcome:
    """Return the outcome with the tasks that could not be sent among its targets."""
    import msgspec

    from ....model.operations.outcome import Answer

    answers = {id_: Answer("refused", reason) for id_, reason in refused.items()}
    return msgspec.structs.replace(outcome, targets={**outcome.targets, **answers})
