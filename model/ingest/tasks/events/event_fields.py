"""Copies the fields of an event to its task: name, arguments, family, times and exception."""

from __future__ import annotations

from ....entities.task import Task
from ....text.coerce import parse_timestamp
from ....wire.events import Event
from ..store.task_store import TaskStore
from .attempts import exception_of


def fill_in(tasks: TaskStore, task: Task, event: Event, only_missing: bool) -> None:
    """Set the fields of a `task-sent` or `task-received` event; of a late one only the missing."""
    if event.name and not (only_missing and task.name):
        tasks.set_name(task, event.name)
    if not (only_missing and task.args is not None):
        tasks.texts.set_arguments(task, event.args, event.kwargs)
    if (
        event.root_id == task.id
        and task.root_id is task.parent_id is None
        and event.parent_id is None
    ):
        task.root_id = task.id
    else:
        tasks.relations.set_family(task, event.root_id, event.parent_id)
    if event.eta is not None and not (only_missing and task.eta_at is not None):
        task.eta_at = parse_timestamp(event.eta)
    if event.expires is not None and not (only_missing and task.expires_at is not None):
        task.expires_at = parse_timestamp(event.expires)
    if event.type == "task-sent" and event.retries and task.received_at is None:
        # A running task sends its next attempt itself.
        sent_by_run = task.started_at is not None and event.timestamp > task.started_at
        task.retries = event.retries - 1 if sent_by_run else event.retries


def set_fault(tasks: TaskStore, task: Task, event: Event) -> None:
    """Set the exception and traceback of a failed or retried attempt."""
    exception, traceback = exception_of(event)
    tasks.texts.set(task, "exception", exception)
    tasks.texts.set(task, "traceback", traceback)


def forget_fault(tasks: TaskStore, task: Task) -> None:
    """Remove the exception and traceback of an earlier attempt."""
    tasks.texts.set(task, "exception", None)
    tasks.texts.set(task, "traceback", None)
