"""The fields of a task page about retrying the task."""

from __future__ import annotations

from typing import Final

from ...model.entities.task import Task
from ...model.operations.call import SOURCE_NAMES, Recovered, SentTask
from ...model.text.sanitize import visible
from ...widgets.fields import Field

_MAX_TEXT: Final = 300
"""Characters of a value."""


def retry_field(task: Task, found: Recovered | None) -> Field:
    """Return whether the task can be retried.

    Args:
        task: The task.
        found: What it was sent with, as a retry would find it; None if that was not searched: for
            an unfinished task it would burden the broker.
    """
    if isinstance(found, SentTask):
        text = f"possible, with the arguments from {SOURCE_NAMES[found.source]}"
        if found.call.queue is None:
            text += "; R asks for the queue"
        elif found.queue_reason is not None:
            text += f"; queue {visible(found.call.queue, _MAX_TEXT)} from {found.queue_reason}"
        return Field("Retry", text, "good")
    if found is None:
        where = "the result backend" if task.finished else "the queue or the worker"
        return Field("Retry", f"R looks for the arguments in {where}", "muted")
    reason = visible(found.reason, _MAX_TEXT)
    return Field("Retry", f"not possible: {reason}; E edits the known arguments", "warn")


def link_fields(task: Task) -> list[Field]:
    """Return the ids of the task that this is a retry of, and of its own retry."""
    extra = task.extra
    found = []
    if extra is not None and extra.retry_of is not None:
        found.append(Field("Retry of", visible(extra.retry_of, _MAX_TEXT), "accent"))
    if extra is not None and extra.retried_as is not None:
        found.append(Field("Retried as", visible(extra.retried_as, _MAX_TEXT), "accent"))
    return found
