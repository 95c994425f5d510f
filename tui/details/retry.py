"""The fields of a task page about retrying the task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...model.text.literals import parse_arguments
from ...model.text.sanitize import visible
from ...widgets.fields import Field

if TYPE_CHECKING:
    from ...model.entities.result import ResultMeta
    from ...model.entities.task import Task
    from ...model.operations.call import SentTask, Source

_MAX_TEXT = 300
_ORIGINS: Final[dict[Source, str]] = {
    "queue": "its message in the queue",
    "unacked": "its unacknowledged message",
    "worker": "its worker",
    "backend": "the result backend",
    "event": "its event",
}


def retry_field(task: Task, original: SentTask | None, meta: ResultMeta | None) -> Field:
    """Return whether the task can be retried from what is known; a retry itself searches further.

    Args:
        task: The task.
        original: Its message, if that was seen while it waited or ran.
        meta: Its entry in the result backend; None if that was not read or does not exist.
    """
    if original is not None:
        return Field(
            "Retry", f"possible, with the arguments from {_ORIGINS[original.source]}", "good"
        )
    if meta is not None and meta.exact_arguments:
        return Field("Retry", f"possible, with the arguments from {_ORIGINS['backend']}", "good")
    if task.name is None:
        return Field("Retry", "not possible: the task name is unknown", "warn")
    found = parse_arguments(task.args, task.kwargs)
    if not isinstance(found, str):
        return Field("Retry", f"possible, with the arguments from {_ORIGINS['event']}", "good")
    if not task.finished:
        return Field("Retry", "R reads the arguments from the queue or the worker", "muted")
    return Field(
        "Retry", f"uncertain: {visible(found, _MAX_TEXT)}; E edits the known arguments", "warn"
    )


def link_fields(task: Task) -> list[Field]:
    """Return the ids of the task that this is a retry of, and of its own retry."""
    extra = task.extra
    found = []
    if extra is not None and extra.retry_of is not None:
        found.append(Field("Retry of", visible(extra.retry_of, _MAX_TEXT), "accent"))
    if extra is not None and extra.retried_as is not None:
        found.append(Field("Retried as", visible(extra.retried_as, _MAX_TEXT), "accent"))
    return found
