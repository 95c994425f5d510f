"""A history for tests of the screen: a real file, read at once and without a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar, cast

from celtop.cluster.history.stored_history import StoredHistory
from celtop.cluster.inbox import Inbox
from celtop.history.rows import Batch, Rollup, StoredMark, StoredOperation, StoredTask
from celtop.history.sqlite.store import SqliteStore
from celtop.history.store import HistoryStore
from celtop.history.task_body import stored_task
from celtop.model.ingest.tasks.failure_groups import FailureGroups
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event

from .fake_session import FakeSession, feed

R = TypeVar("R")

CLUSTER = "shop"


class DirectReader:
    """Answers at once; while it is held, as soon as it is released."""

    def __init__(self, store: HistoryStore) -> None:
        self.store = store
        self.on_answer: Callable[[], object] = lambda: None
        self.held = False
        self.asked = 0
        self._waiting: list[Callable[[], None]] = []

    def ask(self, read: Callable[[HistoryStore], R]) -> Future[R]:
        self.asked += 1
        answer: Future[R] = Future()

        def run() -> None:
            if not answer.set_running_or_notify_cancel():
                return
            try:
                found = read(self.store)
            except Exception as error:
                answer.set_exception(error)
            else:
                answer.set_result(found)
            self.on_answer()

        if self.held:
            self._waiting.append(run)
        else:
            run()
        return answer

    def release(self) -> None:
        self.held = False
        while self._waiting:
            self._waiting.pop(0)()


def rows_of(events: Iterable[Event]) -> tuple[StoredTask, ...]:
    """Return the tasks of these events as they are stored."""
    state = ClusterState()
    feed(state, events)
    rows = []
    for task in state.tasks.values():
        groups = FailureGroups()
        groups.apply([task])
        group = groups.of(task.id)
        task.arrival = task.version = 0
        at = task.finished_at or task.state_at or 0.0
        rows.append(stored_task(task, CLUSTER, at, "" if group is None else group.id))
    return tuple(rows)


def store_in(
    session: FakeSession,
    folder: Path,
    *,
    tasks: tuple[StoredTask, ...] = (),
    rollups: tuple[Rollup, ...] = (),
    marks: tuple[StoredMark, ...] = (),
    operations: tuple[StoredOperation, ...] = (),
) -> DirectReader:
    """Give a session a history with these rows; return what reads it."""
    store = SqliteStore(folder / "history.sqlite3")
    store.write(Batch(tasks=tasks, rollups=rollups, marks=marks, operations=operations))
    reader = DirectReader(store)
    session.history.stored = StoredHistory(reader, CLUSTER, cast(Inbox, session))
    return reader
