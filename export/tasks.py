"""The list of `celtop tasks`, as JSON or text, newest first."""

from __future__ import annotations

from typing import Final

import msgspec

from .json import encode
from .records import Note, Snapshot, TaskRecord
from .text import task_table

SCHEMA: Final = "celtop.tasks/1"


class TaskList(msgspec.Struct, frozen=True, gc=False):
    """The tasks that match a filter."""

    schema: str
    taken_at: str | None
    notes: list[Note]
    """Why a value is null, or tasks may be missing."""
    matching: int
    """Known tasks that match, including those beyond the limit."""
    tasks: list[TaskRecord]
    """The newest first; fields as in a snapshot."""


def task_list(snapshot: Snapshot, limit: int) -> TaskList:
    """Return the newest tasks of a snapshot."""
    newest = snapshot.tasks[::-1]
    return TaskList(SCHEMA, snapshot.taken_at, snapshot.notes, len(newest), newest[:limit])


def as_json(snapshot: Snapshot, width: int, limit: int) -> bytes:
    """Return the newest tasks as JSON."""
    return encode(task_list(snapshot, limit))


def as_text(snapshot: Snapshot, width: int, limit: int) -> bytes:
    """Return the newest tasks as a table, at most `width` cells wide."""
    return task_table(snapshot, width, limit).encode()
