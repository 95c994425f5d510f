"""The texts of a row that can be copied to the clipboard."""

from __future__ import annotations

import copy
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from ...export.encoding.json import encode, escape
from ...export.snapshot.snapshot import finding_record, take_snapshot
from ...model.entities.cluster.log import LogEntry
from ...model.entities.queue import Queue
from ...model.entities.task import Task
from ...model.entities.worker import Worker
from ...model.state import ClusterState
from ...model.text.traceback import last_own_frame
from ...widgets.literal import read
from ..text.alerts import Alert

MAX_PREVIEW: Final = 2_000
"""Characters of a text that its preview is made of; a menu shows fewer."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A text to copy, with its name in the menu."""

    name: str
    text: str

    @property
    def preview(self) -> str:
        """Its beginning, on one line."""
        return " ".join(self.text[:MAX_PREVIEW].split())


def row_id(row: object) -> str:
    """Return a row's id; rows of the log and of Attention have one of no use elsewhere."""
    if isinstance(row, LogEntry):
        return row.text
    if isinstance(row, Alert):
        return row.subject
    return str(getattr(row, "id", ""))


def copies(row: object, state: ClusterState, now: float) -> list[Copy]:
    """Return all texts that can be copied from a row."""
    if isinstance(row, LogEntry):
        return [Copy("text", row.text)]
    if isinstance(row, Alert):
        return _finding_copies(row)
    found = [Copy("id" if isinstance(row, Task) else "name", row_id(row))]
    if isinstance(row, Task):
        for name in ("name", "args", "kwargs", "result", "exception", "traceback"):
            text = getattr(row, name)
            if text:
                found.append(Copy(name, text))
        frame = last_own_frame(row.traceback, row.name)
        if frame is not None:
            found.insert(1, Copy("own frame", frame.place))
        if row.name:
            found.append(Copy("celery call", call_line(row)))
    if isinstance(row, Task | Worker | Queue):
        found.append(Copy("JSON", row_json(row, state, now)))
    return found


def _finding_copies(alert: Alert) -> list[Copy]:
    records = [finding_record(finding) for finding in alert.group]
    found = [Copy("text", f"{alert.subject}: {alert.text}")]
    found += [Copy("next step", alert.finding.next_step)] if alert.finding.next_step else []
    found += [Copy("name", alert.finding.name)] if alert.finding.name else []
    found.append(Copy("code", alert.finding.code))
    found.append(
        Copy("JSON", encode(records[0] if len(records) == 1 else records).decode().rstrip())
    )
    return found


def call_line(task: Task) -> str:
    """Return a command line that sends the task again.

    Events carry the arguments as a repr, truncated to about a thousand characters. A repr that
    cannot be parsed is kept as it is: the user has to edit the line, and Celery rejects it as JSON.
    """
    words = ["celery", "call", task.name or ""]
    if task.args and task.args != "()":
        words.append(f"--args={_json_like(task.args)}")
    if task.kwargs and task.kwargs != "{}":
        words.append(f"--kwargs={_json_like(task.kwargs)}")
    if task.queue:
        words.append(f"--queue={task.queue}")
    return shlex.join(words)


def _json_like(text: str) -> str:
    literal = read(text)
    if not literal.known:
        return text
    try:
        return escape(msgspec.json.encode(literal.value)).decode()
    except (TypeError, msgspec.MsgspecError):
        return text


def row_json(row: Task | Worker | Queue, state: ClusterState, now: float) -> str:
    """Return a row as JSON, as in a snapshot."""
    snapshot = take_snapshot(only(state, (row,)), now)
    records: Sequence[object] = snapshot.tasks
    if isinstance(row, Worker):
        records = snapshot.workers
    elif isinstance(row, Queue):
        records = snapshot.queues
    return encode(records[0]).decode().rstrip()


def only(state: ClusterState, rows: Sequence[object]) -> ClusterState:
    """Return a view of the model with only the tasks, workers or queues among the rows.

    Without any worker (or queue) among the rows, all workers (or queues) are kept.
    """
    shown = copy.copy(state)
    shown.tasks = {row.id: row for row in rows if isinstance(row, Task)}
    if workers := {row.name: row for row in rows if isinstance(row, Worker)}:
        shown.workers = workers
    if queues := {row.name: row for row in rows if isinstance(row, Queue)}:
        shown.queues = queues
    return shown
