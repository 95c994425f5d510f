"""Explains why a task or queue does not move."""

from __future__ import annotations

from typing import Final

from ...model.entities.queue import Queue
from ...model.entities.states import PENDING
from ...model.entities.task import Task
from ...model.observations import WaitingMessage
from ..dialogs.why import WhyDialog
from ..host import Host
from ..text.alerts import Alert

MAX_READ_MESSAGES: Final = 1_000
"""Messages of a queue, the next ones first, that are read to find the place of a task."""


async def why(host: Host) -> None:
    """Explain the selected queue or task; on the page of a queue, the queue.

    In a list of messages, it is the task of the selected message.
    """
    found = [message.id for message in host.selection(WaitingMessage)]
    found = found or [queue.name for queue in host.selection(Queue)]
    found = found or [task.id for task in host.selection(Task)] or _subject_of_finding(host)
    if len(found) == 1:
        await explain(host, found[0])
    else:
        host.say("Select one task or queue" if found else "No task or queue selected", "warning")


def _subject_of_finding(host: Host) -> list[str]:
    """Return the task or queue that the finding under the cursor is about."""
    row = None if host.table is None else host.table.cursor_row
    if not isinstance(row, Alert) or row.finding.kind not in ("task", "queue"):
        return []
    return [one.name for one in row.group]


async def explain(host: Host, name: str) -> None:
    """Explain a task by its id, or a queue by its name."""
    context = host.context
    task = context.live.tasks.get(name)
    if task is not None and task.state == PENDING and task.queue:
        # Its place appears in the dialog as soon as the queue has been read.
        context.session.lookups.peek(task.queue, MAX_READ_MESSAGES)
    await host.ask(WhyDialog(name, context))
