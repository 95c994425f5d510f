"""A history in a real file, and what is read from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from celtop.cluster.history.stored_history import StoredHistory
from celtop.cluster.inbox import Inbox
from celtop.history.rows import Batch, StoredTask
from celtop.history.sqlite.store import SqliteStore
from celtop.model.observations import HistoryRead, LogMessage
from celtop.tests.tui.fake_session import NOW, task_events
from celtop.tests.tui.stored import CLUSTER, DirectReader, rows_of


def tasks(count: int, ago: float, prefix: str, **ended: Any) -> tuple[StoredTask, ...]:
    """Return tasks that ended one second after the other, the last one `ago` seconds ago."""
    events: list[Any] = []
    for number in range(count):
        at = NOW - ago - count + number
        events += task_events(number, prefix, uuid=f"{prefix}-{number}", at=at, **ended)
    return rows_of(sorted(events, key=lambda event: event.timestamp))


class Read:
    """A history with these rows, and what was put into the inbox."""

    def __init__(self, folder: Path, *rows: StoredTask) -> None:
        self.reader = DirectReader(SqliteStore(folder / "history.sqlite3"))
        self.reader.store.write(Batch(tasks=rows))
        self.inbox = Inbox(1_000)
        self.history = StoredHistory(self.reader, CLUSTER, self.inbox)

    def taken(self) -> tuple[list[str], list[str]]:
        """Return the ids of the tasks and the lines of the log in the inbox."""
        ids, lines = [], []
        while (one := self.inbox.take()) is not None:
            if isinstance(one, HistoryRead):
                ids += [task.id for task in one.tasks]
            elif isinstance(one, LogMessage):
                lines.append(one.text)
        return ids, lines
