"""`celtop purge`: deletes the messages waiting in a queue, after showing what they are."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Final

import click

from ...arguments import read_name
from ...operations.run import RunOptions, connected, operation_options, print_outcome, run_operation
from ...options import Command, settings_of
from ...output import stderr
from ...session import REPLY_TIMEOUT, peek, pump_until, wait_for
from ...targets.selection import MAX_PEEKED_MESSAGES, peek_notes, read_filter

if TYPE_CHECKING:
    from ....cluster.session import Session
    from ....model.query.language import Query

MAX_NAMES_LISTED: Final = 20


@click.command(cls=Command)
@click.argument("queue")
@click.option("--task", metavar="NAME", help="Delete only messages of this task (Redis only).")
@click.option("--filter", "filter_", metavar="FILTER",
              help="Delete only messages of tasks that match, such as state:revoked,revoking"
              " (Redis only)."
              )  # fmt: skip
@operation_options
@click.pass_context
def purge(
    ctx: click.Context, queue: str, task: str | None, filter_: str | None, options: RunOptions
) -> int:
    """Delete the messages waiting in a queue.

    This cannot be undone. Messages already received by workers are not deleted. On Redis, the
    number of messages per task name is shown first. To confirm, type the name of the queue.
    """
    from ....model.operations.commands import Purge

    settings = settings_of(ctx)
    queue = read_name("QUEUE", queue)
    if task is not None:
        task = read_name("--task", task)
    query = None if filter_ is None else read_filter(filter_, settings)
    with connected(settings, options) as session:
        ids = None if query is None else _matching(session, queue, task, query)
        if ids is None and not options.as_json:
            _preview(session, queue, task)
        outcome = run_operation(session, Purge(queue=queue, task=task, ids=ids), options)
    return print_outcome(outcome, options)


def _matching(session: Session, queue: str, task: str | None, query: Query) -> tuple[str, ...]:
    """Return the tasks of waiting messages that match a filter, and report how many."""
    peeked = peek(session, queue, MAX_PEEKED_MESSAGES, task)
    for note in peek_notes(peeked):
        stderr.echo_line(note)
    if peeked.messages:
        # Messages do not show that they were revoked, and only some result backends do.
        wait_for(session, session.lookups.read_revoked(), "the revoked tasks of the workers")
        pump_until(session, REPLY_TIMEOUT, lambda: not session.backlog)
    ids = dict.fromkeys(message.id for message in peeked.messages)
    now, tasks = time.time(), session.state.tasks
    found = tuple(id_ for id_ in ids if id_ in tasks and query.matches(tasks[id_], now))
    searched = f"{len(peeked.messages):,}" if peeked.complete else f"first {len(peeked.messages):,}"
    stderr.echo(f"{len(found):,} of the {searched} messages match")
    return found


def _preview(session: Session, queue: str, task: str | None) -> None:
    """Print the number of messages per task name on stderr, if the broker can list them."""
    peeked = peek(session, queue, MAX_PEEKED_MESSAGES, task)
    for note in peek_notes(peeked):
        stderr.echo_line(note)
    counts = Counter(message.name for message in peeked.messages).most_common()
    for name, number in counts[:MAX_NAMES_LISTED]:
        stderr.echo(f"{number:>9,}  {name}")
    if rest := counts[MAX_NAMES_LISTED:]:
        stderr.echo(f"{sum(number for _, number in rest):>9,}  in {len(rest):,} more task names")
    if counts and not peeked.complete:
        stderr.echo(f"Counted only the first {len(peeked.messages):,} messages")
