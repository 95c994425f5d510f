"""`celtop purge`: delete what waits in a queue, after a look at what that is."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import click

from .. import stderr
from ..options import Command, settings_of
from ..run_operation import RunOptions, acting, carry_out, cluster_of, tell
from ..selection import LOOKED_AT, told, wait_for

if TYPE_CHECKING:
    from ...cluster.session import Session

NAMES_SHOWN: Final = 20


@click.command(cls=Command, short_help="Delete the messages that wait in a queue.")
@click.argument("queue")
@click.option("--task", metavar="NAME", help="Only the messages of this task name (Redis).")
@acting
@click.pass_context
def purge(ctx: click.Context, queue: str, task: str | None, manner: RunOptions) -> int:
    """Delete the messages that wait in QUEUE; nothing keeps a copy.

    What workers have taken already stays theirs. On Redis it first tells how many messages there
    are of each task name. On a terminal the queue's name has to be typed.
    """
    from ...model.operations.commands import Purge

    with cluster_of(settings_of(ctx), manner) as session:
        if not manner.as_json:
            _preview(session, queue, task)
        outcome = carry_out(session, Purge(queue=queue, task=task), manner)
    return tell(outcome, manner)


def _preview(session: Session, queue: str, task: str | None) -> None:
    """Tell on stderr what waits, by task name, where the broker lets one look."""
    seen = wait_for(session, session.peek(queue, LOOKED_AT, task), f"the queue {queue}")
    for note in told(seen):
        stderr.say(note)
    found = Counter(message.name for message in seen.messages)
    for name, number in found.most_common(NAMES_SHOWN):
        stderr.say(f"{number:>9,}  {name}")
    if rest := found.most_common()[NAMES_SHOWN:]:
        stderr.say(f"{sum(number for _, number in rest):>9,}  of {len(rest):,} more names")
    if found and not seen.complete:
        stderr.say(f"only the first {len(seen.messages):,} messages were looked at")
