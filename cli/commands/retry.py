"""`celtop retry`: send tasks again just as their callers sent them, or say why not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from .. import stderr
from ..arguments import read_name
from ..exit_codes import Misuse
from ..options import Command, settings_of
from ..run_operation import RunOptions, acting, carry_out, cluster_of, exit_code, tell, worded
from ..selection import kept, look_around, matching, read_filter, read_ids, wait_for
from ..stdout import write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...cluster.session import Session
    from ...model.operations.call import Recovered, SentTask
    from ...model.operations.commands import Retry
    from ...model.operations.outcome import Outcome
    from ...model.query.language import Query


@click.command(cls=Command, short_help="Send tasks again just as they were sent.")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--filter", "query", metavar="QUERY",
    help="All that match, as on the screen: 'state:failed name:geo.*'.",
)  # fmt: skip
@click.option("--with-links", is_flag=True, help="Also callbacks and the rest of a chain.")
@click.option("--queue", metavar="Q", help="Into Q, wherever it was sent before.")
@click.option(
    "--wait", type=click.FloatRange(0, 3600), default=0.0, metavar="S",
    help="Listen for S seconds before the filter is applied.",
)  # fmt: skip
@acting
@click.pass_context
def retry(
    ctx: click.Context,
    ids: tuple[str, ...],
    query: str | None,
    with_links: bool,
    queue: str | None,
    wait: float,
    manner: RunOptions,
) -> int:
    """Send tasks again with the same arguments, each under a new id.

    The arguments come from the message in its queue, from the worker, from the result backend (with
    result_extended), or from the event's text if that is whole. What cannot be had exactly is
    refused, with the reason. An ID of `-` stands for ids on stdin.

    Prints a line for each task that was sent: its old id and its new one.
    """
    if bool(ids) == (query is not None):
        raise Misuse("say which tasks: by ID... or by --filter")
    wanted = read_ids(ids)
    parsed = None if query is None else read_filter(query)
    if queue is not None:
        queue = read_name("--queue", queue)
    with cluster_of(settings_of(ctx), manner) as session:
        if parsed is not None:
            wanted = _matching(session, parsed, wait)
        found = wait_for(session, session.recover(wanted), "what was sent")
        originals, refused = _sorted(found, queue)
        for id_, reason in refused.items():
            stderr.say(f"{id_}: refused: {reason}")
        from ...model.operations.commands import Retry

        command = Retry(originals=originals, with_links=with_links)
        outcome = carry_out(session, command, manner) if originals else _nothing(command)
    whole = _with(outcome, refused)
    if manner.as_json:
        return tell(whole, manner)
    # Old and new ids are data; why the others were refused has been told.
    write("".join(f"{one.retry_of} {one.id}\n" for one in outcome.sent).encode())
    for line in worded(outcome) if originals else [str(outcome.refusal)]:
        stderr.say(line)
    return exit_code(whole)


def _matching(session: Session, query: Query, wait: float) -> tuple[str, ...]:
    from ...model.confirm.targets import retriable

    look_around(session, wait)
    return kept(retriable(matching(session, query)), "matches that could be retried")


def _sorted(
    found: tuple[Recovered, ...], queue: str | None
) -> tuple[tuple[SentTask, ...], dict[str, str]]:
    """Return what can be sent, and of the rest, by id, why not; tell where the arguments are from.

    Args:
        found: What is known of each task.
        queue: Where to send them all; None for where each was sent before.
    """
    import msgspec

    from ...model.operations.call import SOURCE_WORDS, Unrecoverable

    originals: list[SentTask] = []
    refused: dict[str, str] = {}
    for one in found:
        if isinstance(one, Unrecoverable):
            refused[one.id] = one.reason
            continue
        if queue is not None:
            one = msgspec.structs.replace(one, call=msgspec.structs.replace(one.call, queue=queue))
        if one.call.queue is None:
            refused[one.id] = "its queue is not known; --queue names one"
            continue
        lacking = f"; not known: {', '.join(one.missing)}" if one.missing else ""
        stderr.say(f"{one.id}: its arguments come from {SOURCE_WORDS[one.source]}{lacking}")
        originals.append(one)
    return tuple(originals), refused


def _nothing(command: Retry) -> Outcome:
    from ...model.operations.outcome import Outcome

    now = time.time()
    return Outcome(0, command, now, now, refusal="no task can be sent again exactly as it was")


def _with(outcome: Outcome, refused: Mapping[str, str]) -> Outcome:
    """Return the outcome with those targets that never came to be sent."""
    import msgspec

    from ...model.operations.outcome import Answer

    answers = {id_: Answer("refused", reason) for id_, reason in refused.items()}
    return msgspec.structs.replace(outcome, targets={**outcome.targets, **answers})
