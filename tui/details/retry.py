"""Whether a task can be retried, told on its page before it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...model.text.literals import parse_arguments
from ...model.text.sanitize import visible
from ...widgets.fields import Field

if TYPE_CHECKING:
    from ...model.entities.result import ResultMeta
    from ...model.entities.task import Task
    from ...model.operations.call import SentTask, Source

_LONGEST = 300
_FROM: Final[dict[Source, str]] = {
    "queue": "its message",
    "unacked": "its message",
    "worker": "its worker",
    "backend": "the result backend",
    "event": "the text in its event",
}


def retry_field(task: Task, original: SentTask | None, meta: ResultMeta | None) -> Field:
    """Return what is known so far; retrying itself looks into more places.

    Args:
        task: The task.
        original: What was kept of it while it waited or ran.
        meta: What the result backend keeps of it; None if it was not asked, or has nothing.
    """
    if original is not None:
        return Field("Retry", f"possible, from {_FROM[original.source]}", "good")
    if meta is not None and meta.exact_arguments:
        return Field("Retry", f"possible, from {_FROM['backend']}", "good")
    if task.name is None:
        return Field("Retry", "not possible: its name is not known", "warn")
    found = parse_arguments(task.args, task.kwargs)
    if not isinstance(found, str):
        return Field("Retry", f"possible, from {_FROM['event']}", "good")
    if not task.finished:
        return Field("Retry", "R looks for its message, asks its worker", "muted")
    return Field("Retry", f"hardly: {visible(found, _LONGEST)}; E edits what is known", "warn")


def link_fields(task: Task) -> list[Field]:
    """Return of which task it is a retry, and as which it was retried."""
    extra = task.extra
    found = []
    if extra is not None and extra.retry_of is not None:
        found.append(Field("Retry of", visible(extra.retry_of, _LONGEST), "accent"))
    if extra is not None and extra.retried_as is not None:
        found.append(Field("Retried as", visible(extra.retried_as, _LONGEST), "accent"))
    return found
